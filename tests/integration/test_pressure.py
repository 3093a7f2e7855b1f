"""What is heard of clients while they work: throttles of the table and of KMS, units consumed, and nothing else."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from migrator.pressure import Pressed, Pressure
from tests.tables import create_table

Key = dict[str, Any]
KEY: Key = {"id": {"S": "1"}}


class Answers:
    """What the service says of a request, told as botocore tells it: of each attempt."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def of(self, operation: str, answer: dict[str, Any], **asked: Any) -> None:
        context: dict[str, Any] = {}
        service = self._client.meta.service_model.service_id.hyphenize()
        model = self._client.meta.service_model.operation_model(operation)
        self._client.meta.events.emit(
            f"before-parameter-build.{service}.{operation}", params=asked, model=model, context=context
        )
        self._client.meta.events.emit(
            f"response-received.{service}.{operation}", parsed_response=answer, context=context, exception=None
        )


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any]]:
    with mock_aws():
        dynamodb, kms = boto3.client("dynamodb"), boto3.client("kms")
        for name in ("mine", "control"):
            create_table(dynamodb, name, "id")
        yield dynamodb, kms


def error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": ""}}


def test_what_is_consumed_of_the_table_is_asked_for_and_added_up(clients: tuple[Any, Any]) -> None:
    dynamodb, kms = clients
    pressure = Pressure([dynamodb], kms, "mine")
    for table in ("mine", "control"):
        dynamodb.update_item(
            TableName=table, Key=KEY, UpdateExpression="SET b = :b", ExpressionAttributeValues={":b": {"S": "x"}}
        )

    answer = dynamodb.scan(TableName="mine", ConsistentRead=True)

    assert answer["ConsumedCapacity"]["CapacityUnits"] > 0
    assert "ConsumedCapacity" not in dynamodb.get_item(TableName="control", Key=KEY)
    pressed = pressure.drain()
    assert set(pressed.units) == {"read", "write"}
    assert (pressed.table_throttles, pressed.kms_throttles) == (0, 0)
    assert pressure.drain() == Pressed()


@pytest.mark.parametrize(
    ("answer", "throttles"),
    [
        (error("ProvisionedThroughputExceededException"), 1),
        (error("ThrottlingException"), 1),
        (error("RequestLimitExceeded"), 1),
        (error("ConditionalCheckFailedException"), 0),
        (error("InternalServerError"), 0),
        ({"UnprocessedKeys": {"mine": {"Keys": [KEY]}}}, 1),
        ({"UnprocessedKeys": {}}, 0),
    ],
)
def test_a_refusal_counts_where_it_is_a_throttle_of_the_table(
    clients: tuple[Any, Any], answer: dict[str, Any], throttles: int
) -> None:
    dynamodb, kms = clients
    pressure, answers = Pressure([dynamodb], kms, "mine"), Answers(dynamodb)

    answers.of("BatchGetItem", answer, RequestItems={"mine": {"Keys": [KEY]}})
    answers.of("BatchGetItem", answer, RequestItems={"control": {"Keys": [KEY]}})
    answers.of("UpdateItem", answer, TableName="control", Key=KEY)
    answers.of("TransactWriteItems", answer, TransactItems=[])

    assert pressure.drain() == Pressed(throttles, 0)


@pytest.mark.parametrize(
    ("codes", "throttles"),
    [
        ([None, None], 0),
        ([None, "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"], 3),
        (["ConditionalCheckFailed", "TransactionConflict", "InternalServerError"], 0),
    ],
)
def test_of_statements_that_are_told_of_together_each_throttled_one_counts(
    clients: tuple[Any, Any], codes: list[str | None], throttles: int
) -> None:
    dynamodb, kms = clients
    pressure, answers = Pressure([dynamodb], kms, "mine"), Answers(dynamodb)
    told = [{"TableName": "mine"} | (error(code) if code else {}) for code in codes]
    consumed = [{"TableName": "mine", "CapacityUnits": 7.0, "Table": {"CapacityUnits": 7.0}}]

    answers.of("BatchExecuteStatement", {"Responses": told, "ConsumedCapacity": consumed}, Statements=[{}])

    assert pressure.drain() == Pressed(throttles, 0, {"write": 7.0})


def test_a_request_of_statements_that_is_throttled_counts_once(clients: tuple[Any, Any]) -> None:
    dynamodb, kms = clients
    pressure, answers = Pressure([dynamodb], kms, "mine"), Answers(dynamodb)

    answers.of("BatchExecuteStatement", error("ThrottlingException"), Statements=[{}, {}])

    assert pressure.drain() == Pressed(1, 0)


def test_every_client_is_listened_to(clients: tuple[Any, Any]) -> None:
    dynamodb, kms = clients
    single = boto3.client("dynamodb")
    pressure = Pressure([dynamodb, single], kms, "mine")
    for client in (dynamodb, single):
        Answers(client).of("UpdateItem", error("ThrottlingException"), TableName="mine", Key=KEY)
    assert pressure.drain() == Pressed(2, 0)


@pytest.mark.parametrize(("code", "throttles"), [("ThrottlingException", 1), ("DisabledException", 0)])
def test_a_refusal_of_kms_counts_where_it_is_a_throttle(clients: tuple[Any, Any], code: str, throttles: int) -> None:
    dynamodb, kms = clients
    pressure = Pressure([dynamodb], kms, "mine")
    Answers(kms).of("GenerateDataKey", error(code), KeyId="k")
    assert pressure.drain() == Pressed(0, throttles)


def test_a_connection_that_broke_says_nothing(clients: tuple[Any, Any]) -> None:
    dynamodb, kms = clients
    pressure = Pressure([dynamodb], kms, "mine")
    Answers(dynamodb).of("Scan", None, TableName="mine")  # type: ignore[arg-type]
    assert pressure.drain() == Pressed()
