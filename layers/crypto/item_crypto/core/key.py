"""Item keys: what tells one item from another."""

from collections.abc import Iterable, Sequence
from typing import Any

from item_crypto.core.codec import Item, canonical_number

KeyId = tuple[tuple[str, str, str | bytes], ...]
"""A key in a form that can be compared: two spellings of one number are one key."""


def key_id(key: Item) -> KeyId:
    """Return what identifies ``key``."""
    parts = []
    for name, value in sorted(key.items()):
        kind, content = next(iter(value.items()))
        parts.append((name, kind, canonical_number(content) if kind == "N" else content))
    return tuple(parts)


def distinct(keys: Iterable[Item]) -> dict[KeyId, Item]:
    """Return each of ``keys`` once, by what identifies it."""
    return {key_id(key): key for key in keys}


def key_of(item: Item, names: Sequence[str]) -> dict[str, Any]:
    """Return the key of ``item``, given the names of the key attributes."""
    return {name: item[name] for name in names}
