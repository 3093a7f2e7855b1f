"""A contender in a process of its own, whose processor time is that of the contender alone.

    python -m benchmarks.worker MODULE DYNAMODB_URL KMS_URL KEY_ARN REGION TABLE OPTIONS

Reads a request a line, ``{"do": "prepare"}``, ``{"do": "rewrite"}`` or ``{"do": "check", "originals": […]}``, and
answers each with a line. It runs in any interpreter that has boto3 and what the contender imports.
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.contenders import Contender, Parts

_CHECKED = 3
"""Items of a table that are decrypted and compared."""


class Requests:
    """Counts the requests that clients send, repeated ones too."""

    def __init__(self) -> None:
        self.count = 0

    def listen(self, client: Any) -> None:
        """Count what ``client`` sends."""
        client.meta.events.register("before-send", self.sent)

    def sent(self, **_: Any) -> None:
        """Count one request, as a listener of botocore."""
        self.count += 1


def processor_seconds() -> float:
    """Return the processor time of this process, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rewrite(contender: Contender, requests: Requests) -> dict[str, Any]:
    """Have the table re-written, and return what that took, or that DynamoDB finds what is to be stored too large."""
    sent, used, started = requests.count, processor_seconds(), time.perf_counter()
    try:
        items = contender.rewrite()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException" and "size" in str(error):
            return {"tooLarge": True}
        raise
    return {
        "items": items,
        "seconds": time.perf_counter() - started,
        "processorSeconds": processor_seconds() - used,
        "requests": requests.count - sent,
    }


def check(contender: Contender, dynamodb: Any, table: str, originals: list[dict[str, Any]]) -> dict[str, Any]:
    """Decrypt some items, and compare them with what they were; raise ValueError where one differs."""
    for original in originals[:_CHECKED]:
        key = {name: original[name] for name in ("sessionId", "userId")}
        stored = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        contender.check(stored, original)
    return {"checked": min(_CHECKED, len(originals))}


def main() -> None:
    """Answer requests until standard input ends."""
    name, dynamodb_url, kms_url, key_arn, region, table, options = sys.argv[1:]
    module = import_module(name)
    os.environ.update(
        AWS_ACCESS_KEY_ID="bench",
        AWS_SECRET_ACCESS_KEY="bench",
        AWS_DEFAULT_REGION=region,
        AWS_ENDPOINT_URL_DYNAMODB=dynamodb_url,
        AWS_ENDPOINT_URL_KMS=kms_url,
    )
    config = Config(max_pool_connections=16, retries={"mode": "standard", "total_max_attempts": 3})
    if getattr(module, "UNCHECKED", False):
        config = config.merge(Config(parameter_validation=False))
    dynamodb, kms = boto3.client("dynamodb", config=config), boto3.client("kms", config=config)
    tables = boto3.resource("dynamodb", config=config)
    single = boto3.client("dynamodb", config=config.merge(Config(retries={"total_max_attempts": 1})))
    requests = Requests()
    requests.listen(dynamodb)
    requests.listen(single)
    requests.listen(tables.meta.client)
    contender = module.make(Parts(dynamodb, single, kms, tables, key_arn, table), **json.loads(options))
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if request["do"] == "prepare":
            contender.prepare()
        elif request["do"] == "rewrite":
            answer = rewrite(contender, requests)
        else:
            answer = check(contender, boto3.client("dynamodb"), table, request["originals"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
