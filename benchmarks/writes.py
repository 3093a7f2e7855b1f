"""Contenders re-write their tables in turn, several times: what an item takes."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
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


@dataclass
class _Party:
    """A contender with its engine and its table; ``taken`` is what its rounds that count took."""

    worker: Worker
    dynamodb: Any
    taken: list[dict[str, Any]] = field(default_factory=list)
    too_large: bool = False


def measure(
    entries: Sequence[Entry],
    items: Mapping[int, Items],
    rounds: int,
    kms: Kms,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Have contenders re-write their tables so many times for each size, and return results.json's ``writes``.

    They take turns, a round each, so that what slows the machine for a while is in the figures of all. Where what one
    makes of an item is larger than DynamoDB stores, that is its result.

    Args:
        entries: the contenders; each has an engine of its own.
        items: the items by their size in KB; each size has a table of its own.
        rounds: rounds that count.
        kms: the KMS stand-in.
        say: told what is measured.

    Raises:
        RuntimeError: a contender's process ended.
        ValueError: what one stored is not what it was given, encrypted.
    """
    found: dict[str, Any] = {entry.name: {} for entry in entries}
    with ExitStack() as running:
        parties = {}
        for entry in entries:
            say(f"starting {entry.name}")
            url, dynamodb = running.enter_context(engine())
            parties[entry.name] = _Party(running.enter_context(contender(entry, url, kms.url)), dynamodb)
            warm_up(dynamodb)
        for size, of_size in items.items():
            for party in parties.values():
                create_table(party.dynamodb)
                party.taken, party.too_large = [], False
            for number in range(_WARM_UP + rounds):
                say(f"{size} KB: {len(of_size)} items, round {number} of {rounds}")
                for party in parties.values():
                    if not party.too_large:
                        _one_round(party, of_size, kms, counts=number >= _WARM_UP)
            for name, party in parties.items():
                found[name][str(size)] = _result(party, of_size)
                party.dynamodb.delete_table(TableName=TABLE)
    return found


def _one_round(party: _Party, items: Items, kms: Kms, counts: bool) -> None:
    fill(party.dynamodb, items)
    party.worker.ask(do="prepare")
    calls = kms.calls()
    one = party.worker.ask(do="rewrite")
    if one.get("tooLarge"):
        party.too_large = True
        return
    one["kmsCalls"] = kms.calls() - calls
    if one["items"] != len(items):
        raise ValueError(f"{one['items']} items of {len(items)} were written")
    if counts:
        party.taken.append(one)


def _result(party: _Party, items: Items) -> dict[str, Any]:
    if party.too_large:
        return {"items": len(items), "tooLarge": True}
    written = stored(party.dynamodb)
    check_encrypted(items, written)
    party.worker.ask(do="check", originals=list(items[:3]))
    return summed_up(items, written, party.taken)


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
