"""What a sweep may take of the table's capacity. Pure.

What others consume is not told beforehand: they are seen by their throttles and ours. So a part is left to them from
the start.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

SHARE: Final = 0.5
"""Of the capacity of the table and of each index, what a sweep takes at most."""

READ: Final = "read"
"""Read units of the table."""

WRITE: Final = "write"
"""Write units of the table; of an index, with its name behind a blank."""


def of_table(described: Mapping[str, Any]) -> dict[str, float]:
    """Return how many units a second a sweep may take, by what they are units of.

    Of provisioned capacity, where the table has that. A table that is paid for by the request may have a ceiling of its
    own (``OnDemandThroughput``), and serves at once what it is warm for (``WarmThroughput``); beyond that it grows, and
    throttles meanwhile.

    Args:
        described: the table, as DescribeTable tells. What that does not tell has no limit here.
    """
    on_demand = (described.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"
    units: dict[str, float] = {}
    for place, suffix in _places(described):
        for name, numbers in ((READ, _reads(place, on_demand)), (WRITE, _writes(place, on_demand))):
            known = [number for number in numbers if number is not None and number > 0]  # -1 stands for no ceiling.
            if known and (name == WRITE or not suffix):  # No sweep reads an index.
                units[f"{name}{suffix}"] = SHARE * min(known)
    return units


def consumed(operation: str, answers: Iterator[Mapping[str, Any]] | list[Mapping[str, Any]]) -> dict[str, float]:
    """Return what a request consumed, by what they are units of, given its ``ConsumedCapacity`` by index.

    Args:
        operation: DynamoDB's name of it.
        answers: for each table.
    """
    name = WRITE if operation in ("UpdateItem", "BatchExecuteStatement") else READ
    units: dict[str, float] = {}
    for answer in answers:
        of_the_table = (answer.get("Table") or answer).get("CapacityUnits", 0.0)
        units[name] = units.get(name, 0.0) + float(of_the_table)
        for index, of_index in (answer.get("GlobalSecondaryIndexes") or {}).items():
            units[f"{name} {index}"] = units.get(f"{name} {index}", 0.0) + float(of_index.get("CapacityUnits", 0.0))
    return units


def _places(described: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield described, ""
    for index in described.get("GlobalSecondaryIndexes") or ():
        yield index, f" {index['IndexName']}"


def _reads(place: Mapping[str, Any], on_demand: bool) -> tuple[int | None, ...]:
    if not on_demand:
        return ((place.get("ProvisionedThroughput") or {}).get("ReadCapacityUnits"),)
    return (
        (place.get("OnDemandThroughput") or {}).get("MaxReadRequestUnits"),
        (place.get("WarmThroughput") or {}).get("ReadUnitsPerSecond"),
    )


def _writes(place: Mapping[str, Any], on_demand: bool) -> tuple[int | None, ...]:
    if not on_demand:
        return ((place.get("ProvisionedThroughput") or {}).get("WriteCapacityUnits"),)
    return (
        (place.get("OnDemandThroughput") or {}).get("MaxWriteRequestUnits"),
        (place.get("WarmThroughput") or {}).get("WriteUnitsPerSecond"),
    )
