"""DynamoDB values to bytes and back, exactly.

What is encrypted is JSON with one member, named for the attribute, in DynamoDB JSON::

    {"history":{"L":[{"M":{"type":{"S":"human"},"sent":{"N":"1767340800"}}}]}}

UTF-8, no white space, binary as base64, numbers as the strings DynamoDB uses; gzip-compressed (RFC 1952) where that
is smaller. A reader tells the two apart by gzip's magic bytes, which no JSON text begins with. Every type survives:
DynamoDB JSON names it, and nothing passes through a float.

A *value* in this package is what boto3's client gives and takes: ``{"S": "…"}``, ``{"B": b"…"}``, ``{"M": {…}}``.
"""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from item_crypto.errors import ItemTooLarge, UnsupportedValue

Value = Mapping[str, Any]
"""One attribute value as boto3's client gives it: one type code and its content."""

Item = Mapping[str, Value]
"""An item, or a key, as boto3's client gives it: attribute names and their values."""

MAX_ITEM_SIZE: Final = 400 * 1024
"""DynamoDB's limit of an item in bytes, attribute names included (Service quotas, "Items")."""

MAX_INFLATED_SIZE: Final = 4 * 1024 * 1024
"""Where inflation stops, in bytes: ten items' worth, so that a small message cannot fill the memory."""

MAX_DEPTH: Final = 32
"""Levels of lists and maps that DynamoDB allows (Service quotas, "Nested attribute depth")."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_DIGITS: Final = 38
_MAX_EXPONENT: Final = 125  # 9.99…E+125 and 1E-130 are the largest and smallest magnitudes (Naming rules, "Number").
_MIN_EXPONENT: Final = -130
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def encode_value(name: str, value: Value) -> bytes:
    """Return the bytes to encrypt for attribute ``name`` with ``value``.

    Raises:
        UnsupportedValue: ``value`` is not one that DynamoDB can hold.
        ItemTooLarge: its text is longer than :func:`decode_value` would inflate.
    """
    check_value(value)
    text = json.dumps({name: to_json(value)}, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MAX_INFLATED_SIZE:
        # Numbers can be far longer in text than in DynamoDB's size. What could not be read back is not encrypted.
        raise ItemTooLarge("the value is too long to be decrypted again", len(text))
    packed = gzip.compress(text, compresslevel=6, mtime=0)
    return packed if len(packed) < len(text) else text


def decode_value(name: str, data: bytes) -> Value:
    """Return the value in ``data``, made by :func:`encode_value` for the attribute ``name``.

    Raises:
        UnsupportedValue: the bytes are of another attribute, inflate to over 4 MiB, or hold no DynamoDB value.
    """
    text = _inflate(data) if data.startswith(_GZIP_MAGIC) else data
    try:
        document = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnsupportedValue("the content is not JSON") from None
    if not isinstance(document, dict) or list(document) != [name]:
        raise UnsupportedValue("the content belongs to another attribute")
    return value_from_json(document[name])


def value_from_json(document: object) -> dict[str, Any]:
    """Return a checked value from its DynamoDB JSON, in which binary is base64 text.

    Raises:
        UnsupportedValue: it is no DynamoDB value.
    """
    try:
        value = from_json(document)
    except (AttributeError, TypeError, ValueError, RecursionError):
        raise UnsupportedValue("not a DynamoDB value") from None
    check_value(value)
    return value


def key_from_json(document: object) -> dict[str, dict[str, Any]]:
    """Return an item key from DynamoDB JSON, as stream records and queue messages carry it.

    Raises:
        UnsupportedValue: it is no map of one or two values of the types S, N and B.
    """
    if not isinstance(document, dict) or not 1 <= len(document) <= 2:
        raise UnsupportedValue("not an item key")
    key = {str(name): value_from_json(part) for name, part in document.items()}
    if any(next(iter(value)) not in "SNB" for value in key.values()):
        raise UnsupportedValue("not an item key")
    return key


def to_json(value: Value) -> dict[str, Any]:
    """Return ``value`` with binary as base64 text, so that JSON can hold it."""
    return _map_binary(value, lambda data: base64.b64encode(bytes(data)).decode())


def from_json(document: Any) -> dict[str, Any]:
    """Return ``document`` with base64 text as binary: the inverse of :func:`to_json`, unchecked.

    Raises:
        AttributeError, TypeError, ValueError: it has not the shape of a DynamoDB value.
    """
    if not isinstance(document, dict):
        raise TypeError("not a DynamoDB value")
    return _map_binary(document, lambda text: base64.b64decode(text, validate=True))


def _map_binary(value: Value, convert: Callable[[Any], Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        content = convert(content)
    elif kind == "BS":
        content = [convert(member) for member in content]
    elif kind == "L":
        content = [_map_binary(member, convert) for member in content]
    elif kind == "M":
        content = {name: _map_binary(member, convert) for name, member in content.items()}
    return {kind: content}


def check_value(value: object, depth: int = 0) -> None:
    """Check that ``value`` is one that DynamoDB can hold.

    Raises:
        UnsupportedValue: it is not; the message names the rule and never quotes the value.
    """
    if depth > MAX_DEPTH:
        raise UnsupportedValue(f"nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, Mapping) or len(value) != 1:
        raise UnsupportedValue("a value has one type code and one content")
    kind, content = next(iter(value.items()))
    check = _CHECKS.get(kind)
    if check is not None:
        if not check(content):
            raise UnsupportedValue(f"malformed content of type {kind}")
    elif kind == "L" and isinstance(content, list):
        for member in content:
            check_value(member, depth + 1)
    elif kind == "M" and isinstance(content, Mapping) and all(map(_is_text, content)):
        for member in content.values():
            check_value(member, depth + 1)
    else:
        raise UnsupportedValue("unknown type code")


def is_number(text: object) -> bool:
    """Tell whether DynamoDB can hold ``text`` as a number without rounding it: 38 digits, 1E-130 to 9.9…E+125."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        return False
    number = Decimal(text)
    if number.is_zero():
        return True
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return len(digits) <= _MAX_DIGITS and _MIN_EXPONENT <= number.adjusted() <= _MAX_EXPONENT


def _is_binary(content: object) -> bool:
    return isinstance(content, bytes | bytearray)


def _is_text(content: object) -> bool:
    """Tell whether ``content`` is text that UTF-8 can hold: no half of a surrogate pair."""
    if not isinstance(content, str):
        return False
    try:
        content.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_set(content: object, is_member: Callable[[object], bool], identity: Callable[[Any], object]) -> bool:
    if not isinstance(content, list) or not content or not all(map(is_member, content)):
        return False
    return len({identity(member) for member in content}) == len(content)


_CHECKS: Final[Mapping[str, Callable[[object], bool]]] = {
    "S": _is_text,
    "N": is_number,
    "B": _is_binary,
    "BOOL": lambda content: isinstance(content, bool),
    "NULL": lambda content: content is True,
    "SS": lambda content: _is_set(content, _is_text, str),
    "NS": lambda content: _is_set(content, is_number, Decimal),
    "BS": lambda content: _is_set(content, _is_binary, bytes),
}


def item_size(item: Item) -> int:
    """Return the size of ``item`` in bytes by DynamoDB's rules (Developer Guide, "Item sizes and formats")."""
    return len("".join(item).encode("utf-8", "surrogatepass")) + sum(map(value_size, item.values()))


def value_size(value: Value) -> int:
    """Return the size of ``value`` in bytes by DynamoDB's rules, without its attribute's name.

    Numbers take about a byte for two significant digits and one more; lists and maps three bytes and one more for
    each member. DynamoDB calls its own figure for numbers approximate, so this one is an upper estimate.
    """
    kind, content = next(iter(value.items()))
    match kind:
        case "S":
            return len(content.encode("utf-8", "surrogatepass"))  # Total: sizes are asked for before checks.
        case "N":
            return _number_size(content)
        case "B":
            return len(content)
        case "SS":
            return len("".join(content).encode("utf-8", "surrogatepass"))
        case "NS":
            return sum(_number_size(member) for member in content)
        case "BS":
            return sum(len(member) for member in content)
        case "L":
            return 3 + sum(1 + value_size(member) for member in content)
        case "M":
            names = "".join(content)
            return 3 + len(names.encode("utf-8", "surrogatepass")) + sum(1 + value_size(v) for v in content.values())
        case _:
            return 1


def _number_size(text: str) -> int:
    number = Decimal(text)
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    return (digits + 1) // 2 + 1 + (1 if number.is_signed() else 0)


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        text = inflater.decompress(data, MAX_INFLATED_SIZE)
    except zlib.error:
        raise UnsupportedValue("the content does not inflate") from None
    if not inflater.eof or inflater.unused_data:
        raise UnsupportedValue("the content inflates to too much, or is cut short")
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a member is given twice")
    return document


def _refuse_constant(_name: str) -> Any:
    raise ValueError("not a JSON number")


def decode_base64(text: object) -> bytes | None:
    """Return the bytes of strict base64 text, or None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
