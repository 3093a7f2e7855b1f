"""Items of about a size, from real sessions where they are given. Pure, save for the file that is read.

About 6 KB is what a session has by itself. Smaller ones keep their first messages and the beginning of their texts,
larger ones get the messages of other sessions. So they compress as sessions do; where there are few sessions, they
repeat themselves, and compress better than real ones would.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from benchmarks.contenders import ATTRIBUTES
from item_crypto.core.codec import item_size

KB: Final = 1024
SIZES: Final = (1, 6, 50, 300)
"""Sizes of items, in KB, about."""

_APART: Final = 37  # Sessions that stand together are of one kind, and compress together as no conversation does.


def items_of(sessions: Sequence[dict[str, Any]], kilobytes: int, count: int) -> list[dict[str, Any]]:
    """Return ``count`` items of about ``kilobytes`` in DynamoDB JSON, each under a key of its own.

    Args:
        sessions: sessions, numbers as Decimal; those that lack an attribute to encrypt are passed over.
        kilobytes: how large an item is to be.
        count: how many.
    """
    whole = [session for session in sessions if all(session.get(name) for name in ATTRIBUTES)]
    typed = [{name: TypeSerializer().serialize(value) for name, value in session.items()} for session in whole]
    apart = max(1, len(typed) // count)  # From all over the file: what stands together is alike.
    return [_numbered(_item(typed, number * apart % len(typed), kilobytes * KB), number) for number in range(count)]


def _numbered(item: dict[str, Any], number: int) -> dict[str, Any]:
    return item | {"sessionId": {"S": f"dlg-{number:06}"}, "userId": {"S": f"user-{number % 100:02}"}}


def _item(sessions: Sequence[dict[str, Any]], start: int, size: int) -> dict[str, Any]:
    item, count = sessions[start], len(sessions)
    if item_size(item) > 1.5 * size:
        return _smaller(item, size)
    if item_size(item) > 0.65 * size:
        return item
    messages = list(item["history"]["L"])
    others = cycle([sessions[(start + 1 + number * _APART) % count] for number in range(count)])
    following = (message for other in others for message in other["history"]["L"])
    while item_size(item) < 0.85 * size:
        messages += islice(following, max(1, len(messages) // 8))
        item = _with(item, messages)
    return item


def _smaller(item: dict[str, Any], size: int) -> dict[str, Any]:
    """Return the item with as many messages as fit; with one, and all texts cut alike, where not even that does."""
    messages = item["history"]["L"]
    fit = bisect_right(range(1, len(messages)), size, key=lambda count: item_size(_with(item, messages[:count])))
    shorter = _with(item, messages[: max(1, fit)])
    if item_size(shorter) <= size:
        return shorter
    longest = max(_lengths(shorter))
    fit = bisect_right(range(longest), size, key=lambda length: item_size(_cut(shorter, length)))
    return _cut(shorter, max(0, fit - 1))


def _with(item: dict[str, Any], messages: Sequence[Any]) -> dict[str, Any]:
    return item | {"history": {"L": list(messages)}}


def _cut(item: dict[str, Any], length: int) -> dict[str, Any]:
    return {name: _cut_value(value, length) if name in ATTRIBUTES else value for name, value in item.items()}


def _cut_value(value: dict[str, Any], length: int) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "S":
        return {kind: content[:length]}
    if kind == "L":
        return {kind: [_cut_value(member, length) for member in content]}
    if kind == "M":
        return {kind: {name: _cut_value(member, length) for name, member in content.items()}}
    return value


def _lengths(value: Any) -> list[int]:
    if isinstance(value, str):
        return [len(value)]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [0, *(length for member in members for length in _lengths(member))]
