"""Items from a file, one JSON object a line, for a table of any shape.

::

    {"orderId": 1, "card": {"number": "…"}}                         plain: numbers are N, text S, objects M, arrays L
    {"orderId": {"N": "1"}, "card": {"M": {"number": {"S": "…"}}}}  DynamoDB JSON, binary as base64 text
    {"Item": {"orderId": {"N": "1"}, …}}                            the same as an export to S3 has it

Which of them a line is, its key tells: a key attribute is an object in DynamoDB JSON, and nowhere else. What is wrong
is told by the line's number and the names of the table's key, never by a value.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from item_crypto.core.codec import check_value, value_from_json
from item_crypto.errors import UnsupportedValue
from local.errors import LocalStackError

_TYPES: Final = {"S": "text", "N": "a number", "B": "binary"}


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, unpacked where its name ends in `.gz`, that are not empty; counted from 1.

    Raise `LocalStackError` for a file that cannot be read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise LocalStackError(f"cannot read {path}: {error}") from error


def read_object(line: str, place: str) -> dict[str, Any]:
    """Return a line's JSON object, numbers as `Decimal`; raise `LocalStackError`, naming the place, if it is none."""
    try:
        document = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, DecimalException):
        raise LocalStackError(f"{place}: not JSON") from None
    if not isinstance(document, dict):
        raise LocalStackError(f"{place}: not an object")
    return document


def load_items(path: Path, key: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the items in a `.jsonl` or `.jsonl.gz` file as boto3's client takes them, each with its line's number.

    `key` has the type, `S`, `N` or `B`, of each key attribute. Raise `LocalStackError`, naming the line, for a file
    that cannot be read or a line that is no item of such a table.
    """
    for number, line in numbered_lines(path):
        place = f"{path.name}, line {number}"
        yield number, read_item(read_object(line, place), key, place)


def read_item(document: dict[str, Any], key: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return a line's object as an item; raise `LocalStackError`, naming the place, if it is none."""
    if set(document) == {"Item"} and isinstance(document["Item"], dict) and "Item" not in key:
        document = document["Item"]
    for name in key:
        if name not in document:
            raise LocalStackError(f"{place}: {name}, of the table's key, is missing")
    typed = any(isinstance(document[name], dict) for name in key)
    try:
        item: dict[str, Any] = {
            name: value_from_json(value) if typed else _serialized(value) for name, value in document.items()
        }
    except (UnsupportedValue, TypeError, DecimalException):  # The last: a number out of DynamoDB's range.
        raise LocalStackError(
            f"{place}: holds what DynamoDB cannot" + (", or what is not DynamoDB JSON" if typed else "")
        ) from None
    for name, wanted in key.items():
        if set(item[name]) != {wanted}:
            only = ", which takes DynamoDB JSON" if wanted == "B" else ""
            raise LocalStackError(f"{place}: {name} must be {_TYPES[wanted]} ({wanted}){only}")
    return item


def _serialized(value: Any) -> dict[str, Any]:
    serialized = TypeSerializer().serialize(value)
    check_value(serialized)
    return dict(serialized)
