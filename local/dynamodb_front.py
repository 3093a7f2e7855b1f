"""DynamoDB Local in moto's place: the stack's tables live there, under the names and ARNs that the stack knows.

CloudFormation's tables are moto's, which every reference in the template has been resolved against. They are made in
DynamoDB Local again, and requests go there. What DynamoDB Local does not have, such as backups, stays with moto.
"""

import http.client
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_LOCAL_PREFIX: Final = "arn:aws:dynamodb:ddblocal:000000000000:"
_LOCAL_REGION: Final = '"awsRegion":"ddblocal"'
# DynamoDB Local checks no signature, and keeps a database for each access key id and Region: all share this one.
_AUTHORIZATION: Final = (
    "AWS4-HMAC-SHA256 Credential=local/20260102/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)
_LEFT_TO_MOTO: Final = re.compile(r"Backup|Tag|ResourcePolicy|Insights|Kinesis|Export|Import|Global")
_WITH_ARNS: Final = re.compile(r"Table$|Streams?$|Tables$|GetShardIterator|GetRecords")
_DESCRIBED: Final = ("TableName", "KeySchema", "AttributeDefinitions", "StreamSpecification")

Answer = tuple[int, list[tuple[str, str]], bytes]


class DynamoDBFront:
    """Passes requests on to DynamoDB Local, and translates ARNs."""

    def __init__(self, url: str, region: str, account: str) -> None:
        """Take DynamoDB Local's URL, and the Region and account of the stack."""
        self._address = urlsplit(url).netloc
        self._prefix = f"arn:aws:dynamodb:{region}:{account}:"
        self._names = {_LOCAL_PREFIX: self._prefix}
        self._region = f'"awsRegion":"{region}"'

    def adopt(self, tables: Iterable[Mapping[str, Any]], create: Callable[..., Any]) -> None:
        """Make tables as they are described; `create` is CreateTable of a client whose requests come through here."""
        for table in tables:
            arguments = {name: table[name] for name in _DESCRIBED if table.get(name)}
            for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
                indexes = [
                    {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                    for index in table.get(kind) or []
                ]
                arguments |= {kind: indexes} if indexes else {}
            made = create(**arguments, BillingMode="PAY_PER_REQUEST")["TableDescription"]
            if "LatestStreamArn" in made:
                # The longer name first, since the shorter one begins it.
                local = made["LatestStreamArn"].replace(self._prefix, _LOCAL_PREFIX)
                self._names = {local: table["LatestStreamArn"], **self._names}

    def serves(self, target: str) -> bool:
        """Tell whether a request, by its header X-Amz-Target, is one for DynamoDB Local."""
        return target.startswith("DynamoDB") and not _LEFT_TO_MOTO.search(target.rpartition(".")[2])

    def answer(self, target: str, body: bytes) -> Answer:
        """Return what DynamoDB Local answers: status, headers and body."""
        with_arns = bool(_WITH_ARNS.search(target))
        if with_arns:
            body = self._translated(body, inwards=True)
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            headers = {
                "X-Amz-Target": target,
                "Content-Type": "application/x-amz-json-1.0",
                "Authorization": _AUTHORIZATION,
                "X-Amz-Date": "20260102T000000Z",
            }
            connection.request("POST", "/", body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        kept = [("Content-Type", "application/x-amz-json-1.0")]
        for name in ("x-amzn-RequestId", "x-amz-crc32"):
            value = response.getheader(name)
            if value is not None and not (with_arns and name == "x-amz-crc32"):
                kept.append((name, value))
        if with_arns:
            content = self._translated(content, inwards=False)
        return response.status, [*kept, ("Content-Length", str(len(content)))], content

    def _translated(self, content: bytes, *, inwards: bool) -> bytes:
        text = content.decode()
        for local, ours in self._names.items():
            text = text.replace(ours, local) if inwards else text.replace(local, ours)
        return (text if inwards else text.replace(_LOCAL_REGION, self._region)).encode()
