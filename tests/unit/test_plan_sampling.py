"""Items of a table, read slowly, evenly and a page at a time."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from dynamodb_stream_encryptor.errors import Unreachable
from dynamodb_stream_encryptor.planning.sampling import DEFAULT_READ_UNITS, Reader, allowed_units
from dynamodb_stream_encryptor.planning.table import read_table

TABLE = read_table(
    {
        "TableName": "t",
        "TableArn": "arn:aws:dynamodb:us-east-1:111122223333:table/t",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "ItemCount": 0,
    },
    "us-east-1",
)


class FakeDynamoDB:
    """A table whose items are the numbers below a bound, spread over segments by their remainder."""

    def __init__(self, items: int, units: float = 0.5) -> None:
        self.items = items
        self.units = units
        self.requests: list[dict[str, Any]] = []

    def scan(self, **asked: Any) -> dict[str, Any]:
        self.requests.append(asked)
        assert not asked["ConsistentRead"]
        step = asked.get("TotalSegments", 1)
        start = asked.get("Segment", 0)
        if "ExclusiveStartKey" in asked:
            start = int(asked["ExclusiveStartKey"]["id"]["N"]) + step
        numbers = list(range(start, self.items, step)[: asked["Limit"] + 1])
        page = numbers[: asked["Limit"]]
        last = {"LastEvaluatedKey": {"id": {"N": str(page[-1])}}} if len(numbers) > len(page) else {}
        return {
            "Items": [{"id": {"N": str(number)}} for number in page],
            "ConsumedCapacity": {"CapacityUnits": self.units},
            **last,
        }


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def reader(dynamodb: FakeDynamoDB, items: int, units: float = 1e9, clock: Clock | None = None) -> Reader:
    clock = clock or Clock()
    return Reader(dynamodb, replace(TABLE, items=items), units, clock, clock.sleep)


def numbers(pages: Any) -> list[int]:
    return [int(item["id"]["N"]) for page in pages for item in page]


@given(st.integers(0, 3000), st.integers(1, 500), st.integers(0, 2**32))
def test_a_sample_has_as_many_different_items_as_were_asked_for_or_all(items, size, seed):
    found = numbers(reader(FakeDynamoDB(items), items).sample(size, random.Random(seed)))
    assert len(found) == len(set(found))
    assert len(found) == min(items, size)


@pytest.mark.parametrize("known", [0, 50, 400, 1000, 5000])
def test_a_sample_of_a_table_whose_count_is_wrong_is_never_more_and_never_nothing(known):
    found = numbers(reader(FakeDynamoDB(1000), known).sample(100, random.Random(1)))
    assert 0 < len(found) <= 100
    assert len(found) == len(set(found))


def test_a_table_that_is_nearly_empty_against_its_count_is_read_all_the_same():
    dynamodb = FakeDynamoDB(3)
    assert sorted(numbers(reader(dynamodb, 10_000_000).sample(100, random.Random(1)))) == [0, 1, 2]
    assert len(dynamodb.requests) < 100


def test_a_sample_is_even_over_the_table():
    """GIVEN 1,000 samples of 20 of 1,000 items THEN each tenth of the table has about a tenth of them."""
    seen: Counter[int] = Counter()
    chance = random.Random(7)
    for _ in range(1000):
        seen += Counter(number // 100 for number in numbers(reader(FakeDynamoDB(1000), 1000).sample(20, chance)))
    assert all(1700 < seen[tenth] < 2300 for tenth in range(10))


def test_no_more_than_the_limit_is_asked_for():
    dynamodb = FakeDynamoDB(100_000)
    numbers(reader(dynamodb, 100_000).sample(105, random.Random(3)))
    assert sum(asked["Limit"] for asked in dynamodb.requests) == 105


@given(st.integers(0, 5000))
def test_all_of_a_table_is_read_once(items):
    of_table = reader(FakeDynamoDB(items), 0)
    assert numbers(of_table.all()) == list(range(items))
    assert of_table.is_complete


def test_a_sample_is_not_said_to_be_complete():
    of_table = reader(FakeDynamoDB(1000), 1000)
    numbers(of_table.sample(10, random.Random(1)))
    assert not of_table.is_complete


@given(st.floats(1, 100), st.floats(0.5, 200))
def test_read_units_are_taken_no_faster_than_allowed(allowed, units):
    """GIVEN pages of so many units THEN all but the last page were paid for in time by the end."""
    clock = Clock()
    of_table = reader(FakeDynamoDB(5_000, units), 0, allowed, clock)
    numbers(of_table.all())
    assert of_table.units - units <= allowed * clock.now + 1e-6


def test_only_little_of_a_provisioned_table_is_taken():
    assert allowed_units(replace(TABLE, mode="provisioned", read_capacity=100), None) == 10
    assert allowed_units(replace(TABLE, mode="provisioned", read_capacity=5), None) == 1
    assert allowed_units(replace(TABLE, mode="provisioned", read_capacity=100_000), None) == DEFAULT_READ_UNITS
    assert allowed_units(TABLE, None) == DEFAULT_READ_UNITS
    assert allowed_units(TABLE, 7.0) == 7.0


def test_a_refusal_is_told_in_words():
    class Denied(FakeDynamoDB):
        def scan(self, **asked: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")

    with pytest.raises(Unreachable, match="denies permission while reading the table t"):
        numbers(reader(Denied(1), 1).all())
