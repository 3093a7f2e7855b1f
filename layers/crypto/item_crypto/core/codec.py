"""DynamoDB values to bytes and back, exactly.

What is encrypted is JSON with one member, named for the attribute, in DynamoDB JSON::

    {"history":{"L":[{"M":{"type":{"S":"human"},"sent":{"N":"1767340800"}}}]}}

UTF-8, no white space, binary as base64, numbers as text in one canonical spelling; gzip-compressed (RFC 1952) where
that is smaller. A reader tells the two apart by gzip's magic bytes, which no JSON text begins with. Every type
survives: DynamoDB JSON names it, and nothing passes through a float.

A *value* in this package is what boto3's client gives and takes: ``{"S": "…"}``, ``{"B": b"…"}``, ``{"M": {…}}``.
"""

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
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

MAX_DEPTH: Final = 31
"""Lists and maps within one another that an attribute may have.

The documentation says 32 levels (Service quotas, "Nested attribute depth") and counts the item itself: DynamoDB Local
3.3.0 takes 31 lists or maps around a value, and refuses a 32nd, be it empty.
"""

MAX_NAME_SIZE: Final = 65_535
"""Bytes of an attribute's name at any depth (Naming rules); DynamoDB Local refuses an empty one."""

_MAX_READ_DEPTH: Final = 32  # What was encrypted when the documentation was taken by its word stays readable.
_LISTS: Final = ("L", "SS", "NS", "BS")
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_DIGITS: Final = 38
_MAX_EXPONENT: Final = 125  # 9.99…E+125 and 1E-130 are the largest and smallest magnitudes (Naming rules, "Number").
_MIN_EXPONENT: Final = -130
_EXACT: Final = Context(prec=_MAX_DIGITS)
_MAX_PLAIN: Final = 40  # Characters of a fraction that is still spelled without an exponent.
# Most numbers, in their one spelling: with 19 digits on either side of the point they are within every limit.
_PLAINLY_CANONICAL: Final = re.compile(r"(?:-(?!0\Z))?(?:0|[1-9]\d{0,18})(?:\.\d{0,18}[1-9])?", re.ASCII)
_NUMBER: Final = re.compile(r"([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)


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
    return value_from_json(_member(name, data))


def decode_new_value(name: str, data: bytes) -> Value:
    """Return the value in ``data``, which somebody else encoded, if DynamoDB would take it in the clear.

    What was encrypted once has to be read for ever; what is new has to be one that can be decrypted back.

    Raises:
        UnsupportedValue: as for :func:`decode_value`, or DynamoDB would refuse it.
        ItemTooLarge: it has over 400 KB. Of what has far more, no more than the JSON is looked at.
    """
    document = _member(name, data)
    if _has_at_least(document, MAX_ITEM_SIZE + 1):
        raise ItemTooLarge("the value is larger than an item may be")
    value = value_from_json(document, MAX_DEPTH)
    if not _is_named(value):
        raise UnsupportedValue("the name of a member is empty or too long")
    if (size := value_size(value)) > MAX_ITEM_SIZE:
        raise ItemTooLarge("the value is larger than an item may be", size)
    return value


def _member(name: str, data: bytes) -> Any:
    """Return the DynamoDB JSON in ``data``, unchecked."""
    text = _inflate(data) if data.startswith(_GZIP_MAGIC) else data
    try:
        document = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnsupportedValue("the content is not JSON") from None
    if not isinstance(document, dict) or list(document) != [name]:
        raise UnsupportedValue("the content belongs to another attribute")
    return document[name]


def _has_at_least(document: Any, size: int) -> bool:
    """Tell whether a value has ``size`` bytes for certain, by no more than counting in its unchecked DynamoDB JSON.

    To check, convert and measure hundreds of thousands of small values takes seconds; to count them does not.
    """
    waiting = [document]
    while waiting and size > 0:
        match waiting.pop():
            case {"L": list(members)}:
                size -= 3 + len(members)
                waiting += members
            case {"M": dict(members)}:
                size -= 3 + len(members)
                waiting += members.values()
            case {"SS": list(members)} | {"NS": list(members)} | {"BS": list(members)}:
                size -= len(members) - 1  # They differ, so one at most is empty.
            case {"S": str(text)}:
                size -= len(text)
            case {"N": _} | {"BOOL": _} | {"NULL": _}:
                size -= 1
    return size <= 0


def _is_named(value: Value) -> bool:
    """Tell whether the members of all maps in ``value`` have names that DynamoDB takes."""
    kind, content = next(iter(value.items()))
    if kind == "L":
        return all(map(_is_named, content))
    return kind != "M" or (
        all(1 <= len(name.encode()) <= MAX_NAME_SIZE for name in content) and all(map(_is_named, content.values()))
    )


def value_from_json(document: object, levels: int = _MAX_READ_DEPTH) -> dict[str, Any]:
    """Return a checked value from its DynamoDB JSON, in which binary is base64 text.

    Args:
        document: the DynamoDB JSON.
        levels: how many lists and maps it may have within one another.

    Raises:
        UnsupportedValue: it is no DynamoDB value.
    """
    try:
        value = from_json(document)
    except (AttributeError, TypeError, ValueError, RecursionError):
        raise UnsupportedValue("not a DynamoDB value") from None
    check_value(value, levels)
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
    """Return ``value`` for JSON: binary as base64 text, numbers in their canonical spelling."""
    return _mapped(value, lambda data: base64.b64encode(bytes(data)).decode())


def from_json(document: Any) -> dict[str, Any]:
    """Return ``document`` with base64 text as binary and numbers in their canonical spelling, unchecked.

    Raises:
        AttributeError, TypeError, ValueError: it has not the shape of a DynamoDB value.
    """
    if not isinstance(document, dict):
        raise TypeError("not a DynamoDB value")
    return _mapped(document, lambda text: base64.b64decode(text, validate=True))


def _mapped(value: Value, binary: Callable[[Any], Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind in _LISTS and not isinstance(content, list):
        # A text or an object can be gone through as well, and would come out as a list that nobody wrote.
        raise TypeError("not a list")
    match kind:
        case "N":
            content = canonical_number(content)
        case "NS":
            content = [canonical_number(member) for member in content]
        case "B":
            content = binary(content)
        case "BS":
            content = [binary(member) for member in content]
        case "L":
            content = [_mapped(member, binary) for member in content]
        case "M":
            content = {name: _mapped(member, binary) for name, member in content.items()}
    return {kind: content}


def canonical(value: Value) -> dict[str, Any]:
    """Return ``value`` with its numbers in their canonical spelling, unchecked."""
    return _mapped(value, bytes)


def is_same(one: Value | None, other: Value | None) -> bool:
    """Tell whether two values are one to DynamoDB: sets have no order, and numbers more than one spelling."""
    return one is other or (one is not None and other is not None and _unordered(one) == _unordered(other))


def _unordered(value: Value) -> tuple[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, canonical_number(content)
        case "NS":
            return kind, frozenset(map(canonical_number, content))
        case "SS" | "BS":
            return kind, frozenset(content)
        case "L":
            return kind, [_unordered(member) for member in content]
        case "M":
            return kind, {name: _unordered(member) for name, member in content.items()}
    return kind, content


def check_value(value: object, levels: int = MAX_DEPTH) -> None:
    """Check that ``value`` is one that DynamoDB can hold.

    Args:
        value: the value.
        levels: how many lists and maps it may have within one another.

    Raises:
        UnsupportedValue: it is not; the message names the rule and never quotes the value.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise UnsupportedValue("a value has one type code and one content")
    kind, content = next(iter(value.items()))
    if kind in ("L", "M") and levels == 0:
        raise UnsupportedValue(f"nested deeper than {MAX_DEPTH} levels")
    check = _CHECKS.get(kind)
    if check is not None:
        if not check(content):
            raise UnsupportedValue(f"malformed content of type {kind}")
    elif kind == "L" and isinstance(content, list):
        for member in content:
            check_value(member, levels - 1)
    elif kind == "M" and isinstance(content, Mapping) and all(map(_is_text, content)):
        for member in content.values():
            check_value(member, levels - 1)
    else:
        raise UnsupportedValue("unknown type code")


def check_new_value(value: object) -> None:
    """Check that DynamoDB would take ``value`` in the clear: what is stored anew has to be able to go back.

    Raises:
        UnsupportedValue: it would not.
    """
    check_value(value)
    if isinstance(value, Mapping) and not _is_named(value):
        raise UnsupportedValue("the name of a member is empty or too long")


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as DynamoDB sees it: no zeros at either end of its digits, none at all for zero."""

    is_negative: bool
    digits: str
    exponent: int  # Of ten, by which the digits are multiplied.


def _number(text: object) -> _Number | None:
    """Return the number in ``text``, or None where it is none; by its text alone, however long the text is."""
    match = _NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups("")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return _Number(False, "", 0)
    zeros = len(digits) - len(significant)
    return _Number(sign == "-", significant, int(exponent or 0) - len(fraction) + zeros)


def is_number(text: object) -> bool:
    """Tell whether DynamoDB can hold ``text`` as a number without rounding it: 38 digits, 1E-130 to 9.9…E+125."""
    if _is_plainly_canonical(text):
        return True
    number = _number(text)
    if number is None or not number.digits:
        return number is not None
    magnitude = number.exponent + len(number.digits) - 1
    return len(number.digits) <= _MAX_DIGITS and _MIN_EXPONENT <= magnitude <= _MAX_EXPONENT


def canonical_number(text: str) -> str:
    """Return the one spelling that a number is stored and shown in; ``text`` itself where it is no number.

    Plain digits, where an integer has at most 38 of them and a fraction is not longer than 40 characters; else
    Decimal's spelling with an exponent, ``1E+125``. So no value takes far more text than DynamoDB's size of it, and
    boto3's Decimal context, which takes trailing zeros for digits, raises no ``decimal.Rounded``.
    """
    if _is_plainly_canonical(text) or not is_number(text):
        return text
    plain = plain_number(text)
    if len(plain.lstrip("-")) <= (_MAX_PLAIN if "." in plain else _MAX_DIGITS):
        return plain
    return str(Decimal(plain).normalize(_EXACT))


def _is_plainly_canonical(text: object) -> bool:
    """Tell at little cost whether ``text`` is a number in its one spelling; where it does not, ask the others."""
    return isinstance(text, str) and _PLAINLY_CANONICAL.fullmatch(text) is not None


def plain_number(text: str) -> str:
    """Return the one spelling of a number without an exponent: ``1``, ``1.0`` and ``1E0`` all give ``1``."""
    number = _number(text)
    if number is None or not number.digits:
        return "0"
    sign, digits, exponent = "-" if number.is_negative else "", number.digits, number.exponent
    if exponent >= 0:
        return f"{sign}{digits}{'0' * exponent}"
    digits = digits.rjust(1 - exponent, "0")
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


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
    "NS": lambda content: _is_set(content, is_number, canonical_number),
    "BS": lambda content: _is_set(content, _is_binary, bytes),
}


def item_size(item: Item) -> int:
    """Return the size of ``item`` in bytes by DynamoDB's rules (Developer Guide, "Item sizes and formats")."""
    return len("".join(item).encode("utf-8", "surrogatepass")) + sum(map(value_size, item.values()))


def value_size(value: Value) -> int:
    """Return the size of ``value`` in bytes by DynamoDB's rules, without its attribute's name.

    Lists and maps take three bytes and one more for each member, numbers a byte for two significant digits and one
    more. DynamoDB calls that approximate; DynamoDB Local counts pairs of digits from the decimal point on, so that
    ``1.5`` takes three bytes and ``15`` two, and one more byte below zero. So does this.
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
    number = _number(text)
    if number is None:
        return len(text)  # It is refused later.
    digits = len(number.digits) + number.exponent % 2  # To the end of its last pair: DynamoDB counts by the hundred.
    return 1 + (digits + 1) // 2 + number.is_negative


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
