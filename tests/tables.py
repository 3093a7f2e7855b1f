"""DynamoDB tables, each made the same way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Index:
    """A global secondary index: its keys, and what else it holds."""

    name: str
    keys: tuple[str, ...]
    included: tuple[str, ...]


def create_table(
    dynamodb: Any, name: str, *keys: str, types: Mapping[str, str] | None = None, index: Index | None = None
) -> None:
    """Create a table that is paid for by the request, as the template's are.

    Args:
        dynamodb: a client.
        name: the table's.
        keys: the names of its partition key and of its sort key, if it has one.
        types: the types of keys that are no strings.
        index: an index, if it has one.
    """
    indexed = {} if index is None else {"GlobalSecondaryIndexes": [_description(index)]}
    defined = dict.fromkeys((*keys, *(index.keys if index else ())), "S") | dict(types or {})
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=key_schema(*keys),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": of_type} for key, of_type in defined.items()],
        **indexed,
    )


def key_schema(*keys: str) -> list[dict[str, str]]:
    """Return the keys of a table or an index as DynamoDB describes them."""
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def _description(index: Index) -> dict[str, Any]:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.included)}
    return {"IndexName": index.name, "KeySchema": key_schema(*index.keys), "Projection": projection}
