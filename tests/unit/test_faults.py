"""The tests' own faults: a fault that does nothing would let every test of a failure pass."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.faults import MOMENTS, FunctionFaults, Moment, failing, interrupting
from tests.scene import CLIENT, TABLE
from tests.tables import create_table

ITEM = {"id": {"S": "1"}}


@pytest.fixture
def dynamodb(aws: None) -> Any:
    client = boto3.client("dynamodb", **CLIENT)
    create_table(client, TABLE, "id")
    return client


def put(client: Any, item: Any = ITEM) -> None:
    client.put_item(TableName=TABLE, Item=item)


def count(client: Any) -> int:
    return int(client.scan(TableName=TABLE)["Count"])


@pytest.mark.parametrize("moment", MOMENTS)
def test_call_when_a_code_is_to_be_answered_then_it_is_until_the_block_ends(dynamodb: Any, moment: Moment) -> None:
    with (
        failing(dynamodb, "dynamodb.PutItem", "Odd", status=500, message="why", moment=moment, More=1),
        pytest.raises(ClientError) as raised,
    ):
        put(dynamodb)

    assert raised.value.response["Error"] == {"Code": "Odd", "Message": "why"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert raised.value.response["More"] == 1  # type: ignore[typeddict-item]
    assert count(dynamodb) == (moment == "after")
    put(dynamodb)


@pytest.mark.parametrize("moment", MOMENTS)
def test_call_when_an_error_is_to_be_raised_then_it_is(dynamodb: Any, moment: Moment) -> None:
    lost = ReadTimeoutError(endpoint_url="x")

    with failing(dynamodb, "dynamodb", lost, moment=moment), pytest.raises(ReadTimeoutError):
        put(dynamodb)

    assert count(dynamodb) == (moment == "after")


def test_calls_when_some_are_to_fail_then_these_and_no_more_of_them(dynamodb: Any) -> None:
    with failing(dynamodb, "dynamodb.PutItem", "Odd", when=lambda asked: asked["Item"] == ITEM, times=2):
        put(dynamodb, {"id": {"S": "2"}})
        for _ in range(2):
            with pytest.raises(ClientError):
                put(dynamodb)
        put(dynamodb)

    assert count(dynamodb) == 2


@pytest.mark.parametrize("moment", MOMENTS)
def test_call_when_it_is_interrupted_then_once_at_its_moment(dynamodb: Any, moment: Moment) -> None:
    found: list[int] = []

    with interrupting(dynamodb, "dynamodb.PutItem", lambda: found.append(count(dynamodb)), moment=moment):
        put(dynamodb)
        put(dynamodb)

    assert found == [int(moment == "after")]


@pytest.fixture
def _default_session() -> Iterator[None]:
    boto3.setup_default_session()
    yield
    boto3.setup_default_session()


@pytest.mark.usefixtures("_default_session")
def test_function_when_it_fails_then_it_started_anew_and_its_clients_work_again_afterwards(dynamodb: Any) -> None:
    clients: list[Any] = []
    faults = FunctionFaults(lambda: clients.append(boto3.client("dynamodb")))

    with faults.failing("dynamodb.PutItem", "Odd"), pytest.raises(ClientError):
        put(clients[-1])
    put(clients[-1])

    with faults.interrupting("dynamodb.PutItem", lambda: put(dynamodb, {"id": {"S": "2"}})):
        put(clients[-1])
    assert count(dynamodb) == 2
