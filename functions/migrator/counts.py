"""The counts of a ``verify`` sweep, by name, and sorted out again. Pure.

Whoever only shows them needs nothing that reads messages::

    plaintext, mixed, encrypted, …       items, by state; where encryption is on for a part, those of the part
    outside.plaintext, …                 items outside of the part, by state
    attribute.plaintext.history          items, by where the attribute ``history`` is
    stray.encrypted_history              items with a ciphertext that no listed attribute is behind
    values, values.decrypted             ciphertexts, and those that were decrypted
    encoding.base64, encoding.binary     ciphertexts, by how they are stored
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

VALUES: Final = "values"
DECRYPTED: Final = "values.decrypted"
OTHER_NAMES: Final = "other names"
"""Stands for the names of strays past the first: a table may have any, and counts are bounded."""

OUTSIDE: Final = "outside."
ATTRIBUTE: Final = "attribute."
STRAY: Final = "stray."
ENCODING: Final = "encoding."
MOST_STRAYS: Final = 20
LONGEST_STRAY: Final = 255


class Place(Enum):
    """Where an attribute of an item is."""

    PLAINTEXT = "plaintext"
    ENCRYPTED = "encrypted"
    ABSENT = "absent"


@dataclass(frozen=True)
class Census:
    """A verification's counts, sorted out.

    Attributes:
        items: items by state; whatever else was counted too.
        outside: items outside of the part by state, where encryption is on for a part.
        attributes: items by place, for each attribute.
        strays: items by the name of a ciphertext that no listed attribute is behind.
        values: how many ciphertexts there are.
        decrypted: how many of them were decrypted.
        encodings: how many of them are stored in which encoding.
    """

    items: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strays: Mapping[str, int] = field(default_factory=dict)
    values: int = 0
    decrypted: int = 0
    encodings: Mapping[str, int] = field(default_factory=dict)


def census(counts: Mapping[str, int]) -> Census:
    """Return ``counts`` sorted out."""
    items: dict[str, int] = {}
    outside: dict[str, int] = {}
    attributes: dict[str, dict[str, int]] = {}
    stray: dict[str, int] = {}
    encoding: dict[str, int] = {}
    for name, number in counts.items():
        if name.startswith(ATTRIBUTE):
            place, attribute = name.removeprefix(ATTRIBUTE).split(".", 1)
            attributes.setdefault(attribute, {each.value: 0 for each in Place})[place] = number
        elif name.startswith(STRAY):
            stray[name.removeprefix(STRAY)] = number
        elif name.startswith(ENCODING):
            encoding[name.removeprefix(ENCODING)] = number
        elif name.startswith(OUTSIDE):
            outside[name.removeprefix(OUTSIDE)] = number
        elif name not in (VALUES, DECRYPTED):
            items[name] = number
    return Census(items, outside, attributes, stray, counts.get(VALUES, 0), counts.get(DECRYPTED, 0), encoding)
