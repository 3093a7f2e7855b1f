"""A part of the items: those of listed keys, or those whose keys fall into the first of many buckets. Pure.

An item's bucket is told by its key alone, so that everybody who asks agrees, today and after a restart::

    key      {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
    text     9:sessionId,5:dlg-1,6:userId,5:alice,          netstrings, in the order of the attributes' names
    bucket   the first 8 bytes of the text's SHA-256, as a big-endian number, modulo 10,000

The values are written as the encryption context has them: a number in its one plain spelling, binary as base64 text.
A netstring is the length in bytes of UTF-8, a colon, the text and a comma (cr.yp.to/proto/netstrings.txt). A part of N
buckets has the items of the buckets 0 to N - 1, so that a part that grows keeps every item that it had. docs/canary.md
has test vectors.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from item_crypto.core.codec import Item, key_from_json, to_json
from item_crypto.core.context import PURPOSE, encryption_context
from item_crypto.core.key import KeyId, key_id, key_of
from item_crypto.errors import UnsupportedValue

ALL_BUCKETS: Final = 10_000
"""Into how many buckets the keys fall: one is a hundredth of a per cent."""

MAX_KEYS: Final = 100
"""How many keys can be listed."""

MAX_KEYS_SIZE: Final = 32_768
"""How many bytes their names and values can have: the setting is read every few seconds, and kept for each version."""


@dataclass(frozen=True)
class Buckets:
    """The items of the first buckets.

    Attributes:
        number: how many buckets, 1 to 9,999.

    Raises:
        UnsupportedValue: it is another number; all of them are no part.
    """

    number: int

    def __post_init__(self) -> None:
        """Check the number."""
        if isinstance(self.number, bool) or not isinstance(self.number, int) or not 1 <= self.number < ALL_BUCKETS:
            raise UnsupportedValue("a part has 1 to 9,999 buckets")

    def has(self, item: Item, names: Sequence[str]) -> bool:
        """Tell whether ``item`` is in the part, given the names of its key attributes.

        Raises:
            ContextUnusable: one of them is missing, empty or of another type than S, N or B.
        """
        return bucket(item, names) < self.number

    def as_json(self) -> dict[str, int]:
        """Return how large the part is."""
        return {"buckets": self.number, "of": ALL_BUCKETS}


@dataclass(frozen=True)
class ListedKeys:
    """The items of some keys.

    Attributes:
        keys: what identifies each, sorted. Not shown by ``repr``: keys can name persons.
    """

    keys: tuple[KeyId, ...] = field(repr=False)

    @classmethod
    def of(cls, keys: Iterable[Item]) -> "ListedKeys":
        """Return the part of ``keys``; one that is given twice counts once.

        Raises:
            UnsupportedValue: there is none, there are more than 100, or they have more than 32 KB.
        """
        found = sorted({key_id(key) for key in keys}, key=repr)
        if not 1 <= len(found) <= MAX_KEYS:
            raise UnsupportedValue("a part has 1 to 100 keys")
        if sum(_size(name) + _size(content) for key in found for name, _, content in key) > MAX_KEYS_SIZE:
            raise UnsupportedValue("the keys of a part are larger than 32 KB")
        return cls(tuple(found))

    @property
    def items(self) -> list[dict[str, Any]]:
        """The keys, in boto3's client style."""
        return [{name: {kind: content} for name, kind, content in key} for key in self.keys]

    def has(self, item: Item, names: Sequence[str]) -> bool:
        """Tell whether ``item`` is in the part, else as for :class:`Buckets`."""
        encryption_context(item, names, PURPOSE)  # Raises where the key cannot be told.
        return key_id(key_of(item, names)) in self.keys

    def as_json(self) -> dict[str, int]:
        """Return how large the part is; the keys themselves are not for everybody who may see the setting."""
        return {"keys": len(self.keys)}


Part: TypeAlias = Buckets | ListedKeys


def bucket(item: Item, names: Sequence[str]) -> int:
    """Return the bucket of ``item``, 0 to 9,999, given the names of its key attributes.

    Raises:
        ContextUnusable: one of them is missing, empty or of another type than S, N or B.
    """
    context = encryption_context(item, names, PURPOSE)
    text = b"".join(_netstring(name) + _netstring(context[name]) for name in sorted(names))
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % ALL_BUCKETS


def covers(outer: Part | None, inner: Part | None) -> bool:
    """Tell whether every item of ``inner`` is one of ``outer`` for certain; None stands for all items."""
    match outer, inner:
        case None, _:
            return True
        case Buckets(number), Buckets(other):
            return number >= other
        case ListedKeys(keys), ListedKeys(others):
            return set(keys) >= set(others)
    return False


def read_part(document: object) -> Part:
    """Return the part that JSON names: ``{"buckets": 100}``, or ``{"keys": […]}`` in DynamoDB JSON.

    Raises:
        UnsupportedValue: it names none.
    """
    match document:
        case {"buckets": int(number), **others} if not others:
            return Buckets(number)
        case {"keys": list(keys), **others} if not others and len(keys) <= MAX_KEYS:
            return ListedKeys.of(map(key_from_json, keys))
    raise UnsupportedValue("neither a number of buckets nor a list of keys")


def in_words(document: Mapping[str, Any]) -> str:
    """Return in words what ``as_json`` shows of a part; what it does not know is a part all the same."""
    match document:
        case {"buckets": int(number)}:
            percent = f"{number * 100 / ALL_BUCKETS:.2f}".rstrip("0").rstrip(".")
            return f"{percent}% of the keys"
        case {"keys": int(number)}:
            return f"{number} listed key{'' if number == 1 else 's'}"
    return "a part"


def keys_as_json(part: Part | None) -> list[Mapping[str, Any]] | None:
    """Return the listed keys in DynamoDB JSON, for whoever may see keys; None where none are listed."""
    if not isinstance(part, ListedKeys):
        return None
    return [{name: to_json(value) for name, value in key.items()} for key in part.items]


def _netstring(text: str) -> bytes:
    data = text.encode()
    return b"%d:%b," % (len(data), data)


def _size(content: str | bytes) -> int:
    # A name may be no UTF-8: whoever knows the table's keys says that it is none of theirs.
    return len(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
