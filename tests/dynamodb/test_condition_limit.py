"""How many attributes a write can rest on: what DynamoDB refuses is refused before it is sent, and nothing else is."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from item_crypto.core.change import Change
from item_crypto.dynamodb.table import Table
from item_crypto.errors import ConditionTooLong

KEY: dict[str, Any] = {"id": {"S": "wide"}}
MOST = 150  # Comparisons with an AND between each two are 299 of the 300 operators that DynamoDB takes.


@pytest.fixture
def wide(database: None) -> tuple[Any, dict[str, Any]]:
    """A table with an item of many attributes."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="wide",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = KEY | {f"attribute{number}": {"N": str(number)} for number in range(300)}
    dynamodb.put_item(TableName="wide", Item=item)
    return dynamodb, item


def some(item: dict[str, Any], number: int) -> dict[str, Any]:
    return dict(list(item.items())[:number])


def test_as_many_attributes_as_dynamodb_takes_when_a_write_rests_on_them_then_it_is_made(wide: Any) -> None:
    dynamodb, item = wide
    guards = some(item, MOST)
    assert Table(dynamodb, "wide").apply(Change(KEY, guards, {"more": {"S": "x"}}, ()))
    assert Table(dynamodb, "wide").delete(KEY, guards)


def test_one_attribute_more_when_a_write_rests_on_them_then_it_is_refused_as_dynamodb_would(wide: Any) -> None:
    dynamodb, item = wide
    guards = some(item, MOST + 1)
    names = {f"#{number}": name for number, name in enumerate(guards)}
    with pytest.raises(ClientError, match="operators"):
        dynamodb.delete_item(
            TableName="wide",
            Key=KEY,
            ConditionExpression=" AND ".join(f"{name} = :{name[1:]}" for name in names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{number}": value for number, value in enumerate(guards.values())},
        )

    with pytest.raises(ConditionTooLong):
        Table(dynamodb, "wide").delete(KEY, guards)
    with pytest.raises(ConditionTooLong):
        Table(dynamodb, "wide").apply(Change(KEY, guards, {"more": {"S": "x"}}, ()))
    assert dynamodb.get_item(TableName="wide", Key=KEY)["Item"] == item


def test_absences_that_fill_an_expression_when_a_write_rests_on_them_then_it_is_refused_as_dynamodb_would(
    wide: Any,
) -> None:
    dynamodb, _ = wide
    fitting, too_long = ({f"absent{number}": None for number in range(many)} for many in (130, 140))
    assert Table(dynamodb, "wide").apply(Change(KEY, fitting, {"more": {"S": "x"}}, ()))

    names = {f"#{number}": name for number, name in enumerate(too_long)}
    condition = " AND ".join(f"attribute_not_exists({name})" for name in names)
    with pytest.raises(ClientError, match="size"):
        dynamodb.delete_item(TableName="wide", Key=KEY, ConditionExpression=condition, ExpressionAttributeNames=names)
    with pytest.raises(ConditionTooLong):
        Table(dynamodb, "wide").apply(Change(KEY, too_long, {"more": {"S": "x"}}, ()))
