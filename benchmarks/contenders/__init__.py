"""Who re-writes a table, one file each. Each has `make`, which returns a :class:`Contender`.

They run in an interpreter of their own, so a file imports no more of this project than what it measures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

ATTRIBUTES: Final = ("history", "configuration")
KEY: Final = ("sessionId", "userId")
PURPOSE: Final = "session-encryption"
PAGE: Final = 100
"""Items of a page of the scan, at most: as many as a page of a sweep."""


@dataclass(frozen=True)
class Parts:
    """What a contender works with.

    Attributes:
        dynamodb: a boto3 DynamoDB client; its requests are counted.
        single: the same, which sends each request once.
        kms: a boto3 KMS client.
        resource: a boto3 DynamoDB resource; its requests are counted too.
        key_arn: the KMS key.
        table: the name of the table that is re-written.
    """

    dynamodb: Any
    single: Any
    kms: Any
    resource: Any
    key_arn: str
    table: str


class Contender(Protocol):
    """Re-writes a table of plaintext items in its encrypted form."""

    def prepare(self) -> None:
        """Do what is no part of the work, outside of the clock."""

    def rewrite(self) -> int:
        """Read every item of the table consistently, write it in its stored form, and return how many there were."""

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Decrypt ``stored`` (DynamoDB JSON) and compare it with ``original``; raise ValueError where it differs."""


def pages(dynamodb: Any, table: str) -> Any:
    """Yield the pages of a consistent scan, each a list of items in the client's style."""
    start: dict[str, Any] = {}
    while True:
        answer = dynamodb.scan(TableName=table, ConsistentRead=True, Limit=PAGE, **start)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def resource_pages(table: Any) -> Any:
    """Yield the pages of a consistent scan, each a list of items in the resource's style."""
    start: dict[str, Any] = {}
    while True:
        answer = table.scan(ConsistentRead=True, Limit=PAGE, **start)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def context_of(item: dict[str, Any]) -> dict[str, str]:
    """Return the encryption context of an item in the resource's style."""
    return {name: item[name] for name in KEY} | {"purpose": PURPOSE}


def rewrite_one_by_one(parts: Parts, write: Callable[[Any, dict[str, Any]], None]) -> int:
    """Have ``write`` write each item, given the table and the item in the resource's style; return how many there were.

    So does whoever follows a guide: one item after another.
    """
    table = parts.resource.Table(parts.table)
    count = 0
    for page in resource_pages(table):
        for item in page:
            write(table, item)
        count += len(page)
    return count
