"""Items from a file of a line each, plain or in DynamoDB JSON; what is wrong is told without a value."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given

from item_crypto.core.codec import to_json
from local.errors import LocalStackError
from local.item_lines import load_items, read_item, read_object
from tests.strategies import values

ORDER = {"orderId": {"N": "7"}, "card": {"M": {"number": {"S": "4111"}, "valid": {"BOOL": True}}}}


def read(path: Path, *lines: str, key: dict[str, str] | None = None) -> list[tuple[int, dict[str, Any]]]:
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(load_items(path, key or {"orderId": "N"}))


@pytest.mark.parametrize(
    "line",
    [
        '{"orderId": 7, "card": {"number": "4111", "valid": true}}',
        json.dumps(ORDER),
        json.dumps({"Item": ORDER}),
    ],
    ids=["plain", "DynamoDB JSON", "exported"],
)
def test_an_item_is_read_in_each_spelling(tmp_path: Path, line: str):
    assert read(tmp_path / "orders.jsonl", line, "", line) == [(1, ORDER), (3, ORDER)]


def test_packed_files_are_read(tmp_path: Path):
    path = tmp_path / "orders.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ORDER).encode()))
    assert list(load_items(path, {"orderId": "N"})) == [(1, ORDER)]


def test_binary_keys_are_read_from_dynamodb_json(tmp_path: Path):
    line = json.dumps({"part": {"B": "AP8="}, "at": {"S": "x"}})
    assert read(tmp_path / "x.jsonl", line, key={"part": "B"}) == [(1, {"part": {"B": b"\x00\xff"}, "at": {"S": "x"}})]


@given(values())
def test_every_value_in_dynamodb_json_comes_through(value: Any):
    wire = {"orderId": {"N": "1"}, "card": value}
    line = json.dumps({name: to_json(one) for name, one in wire.items()})
    item = read_item(read_object(line, "here"), {"orderId": "N"}, "here")
    assert to_json(item["card"]) == to_json(value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("secret", "not JSON"),
        ('["secret"]', "not an object"),
        ('{"card": "secret"}', "orderId, of the table's key, is missing"),
        ('{"orderId": "secret"}', r"orderId must be a number \(N\)"),
        ('{"orderId": {"S": "secret"}}', r"orderId must be a number \(N\)"),
        ('{"orderId": {"N": "secret"}}', "holds what DynamoDB cannot, or what is not DynamoDB JSON"),
        ('{"orderId": {"N": "1"}, "card": "secret"}', "holds what DynamoDB cannot, or what is not DynamoDB JSON"),
        ('{"orderId": 1, "card": 1e999}', "holds what DynamoDB cannot"),
        ('{"orderId": 1, "card": NaN, "x": "secret"}', "holds what DynamoDB cannot"),
        ('{"orderId": 1, "card": ' + "[" * 40 + '"secret"' + "]" * 40 + "}", "holds what DynamoDB cannot"),
        ('{"orderId": 1, "card": ' + "[" * 100_000, "not JSON"),
    ],
)
def test_a_line_that_is_no_item_is_told_by_its_number_and_no_value(tmp_path: Path, line: str, says: str):
    with pytest.raises(LocalStackError, match=rf"^orders\.jsonl, line 2: {says}$") as refused:
        read(tmp_path / "orders.jsonl", json.dumps(ORDER), line)
    assert "secret" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(LocalStackError, match=r"cannot read .*no\.jsonl"):
        list(load_items(tmp_path / "no.jsonl", {"orderId": "N"}))


def test_plain_numbers_keep_their_digits(tmp_path: Path):
    ((_, item),) = read(tmp_path / "orders.jsonl", '{"orderId": 1, "total": 0.10000000000000000000000001}')
    assert TypeDeserializer().deserialize(item["total"]) == Decimal("0.10000000000000000000000001")
    assert TypeSerializer().serialize(Decimal("0.1")) == {"N": "0.1"}
