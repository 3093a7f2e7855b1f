"""The shape of a table that the local stack makes, from its key or from what DescribeTable answered."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.errors import LocalStackError
from local.table_shape import TableShape, describe


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("orderId:N", {"orderId": "N"}),
        ("orderId:N,at:S", {"orderId": "N", "at": "S"}),
        ("digest:B, part:N", {"digest": "B", "part": "N"}),
    ],
)
def test_a_key_is_read(text: str, types: dict[str, str]):
    shape = TableShape.of_key(text)
    assert (shape.key, shape.types) == (tuple(types), types)
    assert shape.parameters == {"ContextAttributes": ",".join(types)}


@pytest.mark.parametrize("text", ["", "orderId", "orderId:X", "a:S,a:S", "a:S,b:S,c:S", "a:S,", ":S"])
def test_what_is_no_key_is_refused(text: str):
    with pytest.raises(LocalStackError, match="--key takes NAME:TYPE"):
        TableShape.of_key(text)


PROVISIONED: dict[str, Any] = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "at", "KeyType": "RANGE"}, {"AttributeName": "orderId", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "orderId", "AttributeType": "N"},
        {"AttributeName": "at", "AttributeType": "S"},
        {"AttributeName": "customer", "AttributeType": "S"},
    ],
    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "byCustomer",
            "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state"]},
            "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "ofOrderByCustomer",
            "KeySchema": [
                {"AttributeName": "orderId", "KeyType": "HASH"},
                {"AttributeName": "customer", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


@pytest.mark.parametrize("on_demand", [False, True])
@pytest.mark.usefixtures("aws")
def test_a_table_made_from_a_description_is_described_alike(tmp_path: Path, on_demand: bool):
    client = boto3.client("dynamodb")
    original = dict(PROVISIONED)
    if on_demand:
        del original["ProvisionedThroughput"]
        original["BillingMode"] = "PAY_PER_REQUEST"
        (index,) = original["GlobalSecondaryIndexes"]
        original["GlobalSecondaryIndexes"] = [{k: v for k, v in index.items() if k != "ProvisionedThroughput"}]
    client.create_table(**original)
    described = client.describe_table(TableName="orders")
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(described, default=str))
    client.delete_table(TableName="orders")

    shape = TableShape.in_file(path)
    stream = shape.create(client)

    again = client.describe_table(TableName="orders")["Table"]
    assert again["LatestStreamArn"] == stream
    assert again["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    for member in ("KeySchema", "AttributeDefinitions", "BillingModeSummary"):
        assert again.get(member) == described["Table"].get(member)
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        assert [_shown(index) for index in again[kind]] == [_shown(index) for index in described["Table"][kind]]
    assert describe(shape) == "orders, key orderId:N,at:S"


def _shown(index: dict[str, Any]) -> dict[str, Any]:
    units = index.get("ProvisionedThroughput", {})
    shown = {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
    return shown | {name: units.get(name) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}


def test_a_bare_description_does_as_well(tmp_path: Path):
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(PROVISIONED))
    assert TableShape.in_file(path).key == ("orderId", "at")


def test_an_index_by_user_is_the_one_that_the_api_lists_by(tmp_path: Path):
    key = [{"AttributeName": "sessionId", "KeyType": "HASH"}, {"AttributeName": "userId", "KeyType": "RANGE"}]
    by = [{"AttributeName": "userId", "KeyType": "HASH"}, {"AttributeName": "startTime", "KeyType": "RANGE"}]
    index = {"IndexName": "mine", "KeySchema": by, "Projection": {"ProjectionType": "ALL"}}
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("sessionId", "userId", "startTime")]
    path = tmp_path / "sessions.json"
    table = {"TableName": "sessions", "KeySchema": key, "AttributeDefinitions": definitions}
    path.write_text(json.dumps(table | {"GlobalSecondaryIndexes": [index]}))
    shape = TableShape.in_file(path)
    assert shape.parameters["UserIndexName"] == "mine"
    assert shape.holds_sessions


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"Table": 1}', '{"TableName": "x y"}', json.dumps(PROVISIONED | {"AttributeDefinitions": []})]
)
def test_a_file_that_describes_no_table_says_what_is_wanted(tmp_path: Path, text: str):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(LocalStackError, match=r"other\.json describes no table: .*describe-table"):
        TableShape.in_file(path)


@pytest.mark.usefixtures("aws")
def test_a_table_that_dynamodb_does_not_take_is_told_in_a_sentence(tmp_path: Path):
    unused = {"AttributeName": "other", "AttributeType": "S"}
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(PROVISIONED | {"AttributeDefinitions": [*PROVISIONED["AttributeDefinitions"], unused]}))
    with pytest.raises(LocalStackError, match=r"a table like orders cannot be made: .*ValidationException"):
        TableShape.in_file(path).create(boto3.client("dynamodb"))


@pytest.mark.parametrize("text", ["{", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None):
    path = tmp_path / "other.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LocalStackError, match=r"cannot read .*other\.json"):
        TableShape.in_file(path)
