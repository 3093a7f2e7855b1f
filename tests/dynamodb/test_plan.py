"""A plan's figures are DynamoDB's own: bytes by its DescribeTable, units by what its writes consume."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from dynamodb_stream_encryptor.planning.local_kms import LocalKms, stand_in_arn
from dynamodb_stream_encryptor.planning.making import PURPOSE
from item_crypto import Encoding, Keyrings, Policy, Reconciler, Role, Status, Table, ValueCipher
from tests.scene import REGION

ATTRIBUTES = ("card", "address")
ITEMS = 120


@pytest.fixture
def orders(database: None) -> Any:
    """Orders of very different sizes, with an index that holds all of them and one that holds the address."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "orderId", "AttributeType": "N"},
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "day", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "byState",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "byDay",
                "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["address"]},
            },
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    table = boto3.resource("dynamodb").Table("orders")
    with table.batch_writer() as batch:
        for number in range(ITEMS):
            day = {"day": f"2026-01-{number % 28 + 1:02}"} if number % 2 else {}
            address = {"address": "12 Harbour Street " * (number % 50)} if number % 3 else {}
            card = {"card": os.urandom(number * 40)} if number % 5 else {"card": {"number": number}}
            batch.put_item(Item={"orderId": number, "state": "paid", **day, **address, **card})
    return dynamodb


def plan(*arguments: str) -> Any:
    result = CliRunner().invoke(
        app, ["plan", "--table", "orders", "--attributes", ",".join(ATTRIBUTES), "--json", *arguments]
    )
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def encrypt_all(dynamodb: Any, encoding: Encoding = Encoding.BASE64) -> dict[str, float]:
    """Encrypt every item as the functions do; return the units that DynamoDB says it consumed."""
    consumed = {"table": 0.0, "indexes": 0.0}

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def hear(parsed: dict[str, Any], **_: Any) -> None:
        capacity = parsed["ConsumedCapacity"]
        consumed["table"] += capacity["Table"]["CapacityUnits"]
        indexes = capacity.get("GlobalSecondaryIndexes") or {}
        consumed["indexes"] += sum(index["CapacityUnits"] for index in indexes.values())

    dynamodb.meta.events.register("provide-client-params.dynamodb.UpdateItem", ask)
    dynamodb.meta.events.register("after-call.dynamodb.UpdateItem", hear)
    keyrings = Keyrings(LocalKms(REGION), stand_in_arn(REGION))  # type: ignore[arg-type]
    reconciler = Reconciler(Table(dynamodb, "orders"), ValueCipher(keyrings), lambda: datetime.now(UTC))
    policy = Policy(ATTRIBUTES, frozenset(), ("orderId",), PURPOSE, enabled=True, encoding=encoding)
    keys = [{"orderId": {"N": str(number)}} for number in range(ITEMS)]
    outcomes = reconciler.reconcile(keys, policy, Role.ENCRYPTOR)
    assert {outcome.status for outcome in outcomes.values()} == {Status.ENCRYPTED}
    return consumed


def table_size(dynamodb: Any) -> int:
    return int(dynamodb.describe_table(TableName="orders")["Table"]["TableSizeBytes"])


@pytest.mark.parametrize("encoding", Encoding)
def test_bytes_and_units_are_those_that_dynamodb_counts(orders: Any, encoding: Encoding) -> None:
    """GIVEN a plan WHEN the table is encrypted by the functions' code THEN DynamoDB counts what the plan said."""
    planned = plan("--full", "--encoding", encoding.value)
    assert planned["items"]["total"] == table_size(orders)

    consumed = encrypt_all(orders, encoding)

    cost = planned["cost"]
    assert cost["bytesAfter"] == table_size(orders)
    assert cost["perItem"]["writeUnits"] * ITEMS == pytest.approx(consumed["table"], abs=0.1)
    assert cost["perItem"]["indexWriteUnits"] * ITEMS == pytest.approx(consumed["indexes"], abs=0.1)


def test_a_sample_comes_from_real_segments_and_a_plan_of_an_encrypted_table_knows_it(orders: Any) -> None:
    sampled = plan("--sample", "30")
    assert sampled["looked"]["items"] == 30
    assert not sampled["looked"]["full"]
    encrypt_all(orders)
    assert plan("--full")["states"] == {"toEncrypt": 0, "encrypted": ITEMS, "deferred": 0, "nothing": 0, "failing": 0}
