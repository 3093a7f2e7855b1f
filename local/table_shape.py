"""The shape of a table that the local stack makes before it deploys, so that one's own table can be rehearsed.

::

    TableShape.of_key("orderId:N,at:S")             the key alone
    TableShape.in_file(Path("orders.json"))         what `aws dynamodb describe-table` printed
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalStackError

NAME: Final = "local-Table"
"""What a table is called that is given by its key alone."""

SESSIONS_KEY: Final = ("sessionId", "userId")
"""The key of chat sessions, which the HTTP API serves."""

_PART: Final = re.compile(r"(?P<name>[^:,]{1,255}):(?P<type>[SNB])")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_INDEXES: Final = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


@dataclass(frozen=True)
class TableShape:
    """A table's name, keys, indexes and capacity; nothing of what is in it.

    Attributes:
        name: the table's name.
        key: names of its key attributes, the partition key first.
        types: the type, `S`, `N` or `B`, of each attribute that is a key of the table or of an index.
        arguments: what CreateTable takes beside the name and the stream.
    """

    name: str
    key: tuple[str, ...]
    types: Mapping[str, str]
    arguments: Mapping[str, Any]

    @classmethod
    def of_key(cls, text: str) -> "TableShape":
        """Return the shape of a table with the key that `text` names, as NAME:TYPE or NAME:TYPE,NAME:TYPE.

        Raise `LocalStackError` where it is no key.
        """
        parts = [_PART.fullmatch(part.strip()) for part in text.split(",")]
        matched = [part for part in parts if part]
        names = tuple(part["name"] for part in matched)
        if len(matched) != len(parts) or not 1 <= len(set(names)) == len(parts) <= 2:
            raise LocalStackError("--key takes NAME:TYPE or NAME:TYPE,NAME:TYPE, each TYPE one of S, N and B")
        schema = [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
        ]
        return _shape({"TableName": NAME, "KeySchema": schema, "AttributeDefinitions": _definitions(matched)})

    @classmethod
    def in_file(cls, path: Path) -> "TableShape":
        """Return the shape in a file that holds what DescribeTable answered.

        Raise `LocalStackError` where it cannot be read, or describes no table.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise LocalStackError(f"cannot read {path}: {error}") from error
        described = document.get("Table", document) if isinstance(document, dict) else None
        try:
            return _shape(described)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise LocalStackError(
                f"{path} describes no table: give it what `aws dynamodb describe-table --table-name NAME` prints"
            ) from None

    def named(self, name: str) -> "TableShape":
        """Return the same shape under another name."""
        return replace(self, name=name)

    @property
    def parameters(self) -> dict[str, str]:
        """Return the template's parameters that follow from the shape, beside the table's name and stream."""
        context = {"ContextAttributes": ",".join(self.key)}
        index = self._index_by_user()
        return context | ({"UserIndexName": index} if index else {})

    @property
    def holds_sessions(self) -> bool:
        """Tell whether the HTTP API can serve it."""
        return set(self.key) == set(SESSIONS_KEY)

    def create(self, dynamodb: Any) -> str:
        """Make the table, with a stream of keys, by a boto3 client, and return the stream's ARN.

        Raise `LocalStackError` where DynamoDB takes no such table.
        """
        try:
            made = dynamodb.create_table(
                TableName=self.name,
                **self.arguments,
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            )["TableDescription"]
        except (BotoCoreError, ClientError) as error:
            raise LocalStackError(f"a table like {self.name} cannot be made: {error}") from error
        return str(made["LatestStreamArn"])

    def _index_by_user(self) -> str | None:
        """Return the name of an index that lists a user's sessions, if there is one."""
        wanted = ["userId", "startTime"]
        for index in self.arguments.get("GlobalSecondaryIndexes", ()):
            if [part["AttributeName"] for part in index["KeySchema"]] == wanted:
                return str(index["IndexName"])
        return None


def describe(shape: TableShape) -> str:
    """Return a table's name and key as `--key` takes it, for people."""
    return f"{shape.name}, key {','.join(f'{name}:{shape.types[name]}' for name in shape.key)}"


def _definitions(parts: list[re.Match[str]]) -> list[dict[str, str]]:
    return [{"AttributeName": part["name"], "AttributeType": part["type"]} for part in parts]


def _shape(described: Any) -> TableShape:
    """Return the shape in a description; raise what a malformed one leads to."""
    name = described["TableName"]
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    by_kind = {part["KeyType"]: part["AttributeName"] for part in described["KeySchema"]}
    key = tuple(by_kind[kind] for kind in ("HASH", "RANGE") if kind in by_kind)
    types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
    if not key or not set(key) <= set(types) or not set(types.values()) <= {"S", "N", "B"}:
        raise ValueError("key")
    arguments: dict[str, Any] = {
        "KeySchema": described["KeySchema"],
        "AttributeDefinitions": described["AttributeDefinitions"],
    }
    on_demand = (described.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"
    throughput = None if on_demand else _throughput(described)
    arguments |= {"ProvisionedThroughput": throughput} if throughput else {"BillingMode": "PAY_PER_REQUEST"}
    for kind in _INDEXES:
        indexes = [
            _index(index, provisioned=kind.startswith("Global") and bool(throughput))
            for index in described.get(kind) or ()
        ]
        arguments |= {kind: indexes} if indexes else {}
    return TableShape(name, key, types, arguments)


def _index(index: Mapping[str, Any], *, provisioned: bool) -> dict[str, Any]:
    kept = {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
    throughput = _throughput(index) or {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    return kept | ({"ProvisionedThroughput": throughput} if provisioned else {})


def _throughput(described: Mapping[str, Any]) -> dict[str, int] | None:
    """Return provisioned capacity, where there is some: a description has zeros for one on demand."""
    given = described.get("ProvisionedThroughput") or {}
    units = {name: int(given.get(name, 0)) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    return units if all(units.values()) else None
