"""A contender re-writes a table, several times: what an item takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from benchmarks.contenders import ATTRIBUTES
from benchmarks.entries import Entry
from benchmarks.parties import TABLE, Kms, Worker, contender, create_table, engine, fill, stored, warm_up
from benchmarks.spread import Spread
from dynamodb_stream_encryptor.planning.units import read_units, write_units
from item_crypto.core.codec import item_size

Items = Sequence[dict[str, Any]]

_WARM_UP: Final = 1
"""Rounds of each size before those that count: connections are opened, and what is new to engine and client is."""


def measure(
    entry: Entry, items: Mapping[int, Items], rounds: int, kms: Kms, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Have ``entry`` re-write a table so many times for each size, and return its part of results.json's ``writes``.

    Where what it makes of an item is larger than DynamoDB stores, that is the result.

    Args:
        entry: the contender.
        items: the items by their size in KB; each size has a table of its own.
        rounds: rounds that count.
        kms: the KMS stand-in.
        say: told what is measured.

    Raises:
        RuntimeError: its process ended.
        ValueError: what it stored is not what it was given, encrypted.
    """
    found = {}
    with engine() as (url, dynamodb), contender(entry, url, kms.url) as worker:
        warm_up(dynamodb)
        for size, of_size in items.items():
            say(f"{entry.name}, {size} KB: {len(of_size)} items, {rounds} rounds")
            create_table(dynamodb)
            found[str(size)] = _measured(worker, dynamodb, of_size, rounds, kms)
            dynamodb.delete_table(TableName=TABLE)
    return found


def _measured(worker: Worker, dynamodb: Any, items: Items, rounds: int, kms: Kms) -> dict[str, Any]:
    taken: list[dict[str, Any]] = []
    for number in range(_WARM_UP + rounds):
        fill(dynamodb, items)
        worker.ask(do="prepare")
        calls = kms.calls()
        one = worker.ask(do="rewrite")
        if one.get("tooLarge"):
            return {"items": len(items), "tooLarge": True}
        one["kmsCalls"] = kms.calls() - calls
        if one["items"] != len(items):
            raise ValueError(f"{one['items']} items of {len(items)} were written")
        if number >= _WARM_UP:
            taken.append(one)
    written = stored(dynamodb)
    check_encrypted(items, written)
    worker.ask(do="check", originals=list(items[:3]))
    return summed_up(items, written, taken)


def check_encrypted(items: Items, written: Items) -> None:
    """Raise ValueError where a configured attribute of an item still has its value, or an item is gone."""
    by_key = {item["sessionId"]["S"]: item for item in written}
    for item in items:
        found = by_key[item["sessionId"]["S"]]
        if any(found.get(name) == item[name] for name in ATTRIBUTES if name in item):
            raise ValueError(f"{item['sessionId']['S']} is still in plaintext")


def summed_up(items: Items, written: Items, taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what an item took: processor milliseconds, calls, bytes, units. Pure."""
    before = {item["sessionId"]["S"]: item_size(item) for item in items}
    after = {item["sessionId"]["S"]: item_size(item) for item in written}
    count = len(items)
    return {
        "items": count,
        "itemsPerSecond": Spread.of([count / one["seconds"] for one in taken]).as_json(),
        "cpuMilliseconds": Spread.of([1000 * one["processorSeconds"] / count for one in taken]).as_json(),
        "kmsCalls": sum(one["kmsCalls"] for one in taken) / count / len(taken),
        "dynamodbRequests": round(sum(one["requests"] for one in taken) / count / len(taken), 4),
        "plainBytes": sum(before.values()) / count,
        "storedBytes": sum(after.values()) / count,
        "writeUnits": sum(write_units(max(before[key], after[key])) for key in before) / count,
        "readUnits": sum(read_units(size) for size in before.values()) / count,
    }
