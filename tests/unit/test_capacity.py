"""What a sweep may take of a table, by what DescribeTable tells, and what requests consumed."""

from typing import Any

import pytest

from migrator import capacity


def provisioned(read: int, write: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


ON_DEMAND = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}, **provisioned(0, 0)}
WARM = {"WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}}


@pytest.mark.parametrize(
    ("described", "units"),
    [
        (provisioned(100, 20), {"read": 50, "write": 10}),
        ({**provisioned(100, 20), **WARM}, {"read": 50, "write": 10}),
        ({"BillingModeSummary": {"BillingMode": "PROVISIONED"}, **provisioned(4, 2)}, {"read": 2, "write": 1}),
        (
            {**provisioned(100, 20), "GlobalSecondaryIndexes": [{"IndexName": "byUserId", **provisioned(5, 6)}]},
            {"read": 50, "write": 10, "write byUserId": 3},
        ),
        (ON_DEMAND, {}),
        ({**ON_DEMAND, **WARM}, {"read": 6000, "write": 2000}),
        (
            {**ON_DEMAND, **WARM, "OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 100}},
            {"read": 6000, "write": 50},
        ),
        (
            {**ON_DEMAND, "GlobalSecondaryIndexes": [{"IndexName": "byUserId", **WARM}]},
            {"write byUserId": 2000},
        ),
        ({}, {}),
    ],
    ids=[
        "provisioned",
        "provisioned, and warm for more",
        "provisioned again",
        "with an index",
        "on demand, as DynamoDB Local tells",
        "on demand, warm",
        "on demand, with a ceiling",
        "an index on demand",
        "nothing told",
    ],
)
def test_a_sweep_takes_half_of_what_is_known_to_be_there(described: dict[str, Any], units: dict[str, float]) -> None:
    assert capacity.of_table(described) == units


@pytest.mark.parametrize(
    ("operation", "answers", "units"),
    [
        ("Scan", [{"TableName": "t", "CapacityUnits": 12.5}], {"read": 12.5}),
        ("BatchGetItem", [{"CapacityUnits": 1.0}, {"CapacityUnits": 2.0}], {"read": 3.0}),
        (
            "UpdateItem",
            [
                {
                    "CapacityUnits": 7.0,
                    "Table": {"CapacityUnits": 5.0},
                    "GlobalSecondaryIndexes": {"byUserId": {"CapacityUnits": 2.0}},
                }
            ],
            {"write": 5.0, "write byUserId": 2.0},
        ),
        ("GetItem", [], {}),
    ],
)
def test_what_was_consumed_is_told_apart_by_table_and_index(
    operation: str, answers: list[dict[str, Any]], units: dict[str, float]
) -> None:
    assert capacity.consumed(operation, answers) == units
