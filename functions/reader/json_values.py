"""Plain JSON to DynamoDB values and back, without a float in between.

::

    0.1, 1e-1     →  {"N": "0.1"}     →  0.1       numbers are text all the way, in one canonical spelling
    "a", true     →  {"S": "a"}, …    →  "a", true
    null          →  {"NULL": True}   →  null
    […], {…}      →  {"L": …}, …      →  […], {…}
                     {"B": …}         →  "…"       base64 text
                     {"SS": …}, …     →  […]       sets of strings, numbers and binary

Refused, with the place named, is what DynamoDB could not hold: NaN and infinities (which JSON does not have, but some
encoders write), more than 38 significant digits, magnitudes outside 1E-130 to 9.99…E+125, nesting over 31 levels,
text that is not Unicode, empty names of members. The conversion stops as soon as what it made is over 400 KB by
DynamoDB's size rules: what a caller may cost is bounded before it is spent.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from http_api import json_object
from http_api.errors import MAX_PLACE, BadRequest
from item_crypto.core.codec import (
    MAX_DEPTH,
    MAX_ITEM_SIZE,
    MAX_NAME_SIZE,
    Item,
    Value,
    canonical,
    canonical_number,
    is_number,
    value_size,
)
from item_crypto.errors import ItemTooLarge

_text: Final = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the JSON text spells it."""

    text: str = field(repr=False)


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object in ``text``: dict, list, str, bool, None and, for every number, :class:`Number`.

    Raises:
        BadRequest: as for :func:`http_api.json_object.parse_object`.
    """
    return json_object.parse_object(text, Number)


def to_value(content: object, name: str) -> dict[str, Any]:
    """Return the DynamoDB value for ``content``, as :func:`parse_object` gives it, of the field ``name``.

    Raises:
        BadRequest: DynamoDB cannot hold it; the field is named by its place, as in ``history[3].metadata.score``.
        ItemTooLarge: it is over 400 KB.
    """
    try:
        return _Conversion().value(content, 0)
    except _Unusable as error:
        raise BadRequest((name + "".join(reversed(error.steps)))[:MAX_PLACE], error.rule) from None


@dataclass(frozen=True, slots=True)
class Texts:
    """The JSON text of a value, twice, made in one go.

    Attributes:
        shown: as it is shown: members of maps and sets in the order in which they came.
        ordered: with members of maps and sets, which have no order in DynamoDB, in one order.
    """

    shown: str = field(repr=False)
    ordered: str = field(repr=False)


def to_json_text(value: Value) -> str:
    """Return the JSON text of a DynamoDB value."""
    return _texts(value)[0]


def to_json_object(item: Item) -> str:
    """Return the JSON text of an item, or of a map's content."""
    return _texts_of_members(item)[0]


def to_json_texts(item: Item) -> Texts:
    """Return both JSON texts of an item."""
    return Texts(*_texts_of_members(item))


def _texts(value: Value) -> tuple[str, str]:
    """Return the text of a value as it is shown, and ordered: the very same one, where it has no order."""
    kind, content = next(iter(value.items()))
    match kind:
        case "S":
            text = _text(content)
        case "N":
            text = canonical_number(content)  # Of the spellings that DynamoDB allows, JSON does not know all.
        case "BOOL":
            text = "true" if content else "false"
        case "NULL":
            text = "null"
        case "B":
            text = _text(base64.b64encode(bytes(content)).decode())
        case "M":
            return _texts_of_members(content)
        case "L":
            members = [_texts(member) for member in content]
            return (
                f"[{','.join([shown for shown, _ in members])}]",
                f"[{','.join([ordered for _, ordered in members])}]",
            )
        case _:  # The sets: SS, NS and BS.
            sets = content, sorted(canonical(value)[kind])
            shown, ordered = (",".join([_texts({kind[0]: member})[0] for member in members]) for members in sets)
            return f"[{shown}]", f"[{ordered}]"
    return text, text


def _texts_of_members(item: Item) -> tuple[str, str]:
    members = []
    for name, value in item.items():
        spelled = _text(name)
        shown, ordered = _texts(value)
        members.append((name, f"{spelled}:{shown}", f"{spelled}:{ordered}"))
    shown = ",".join([member[1] for member in members])
    members.sort(key=itemgetter(0))
    return f"{{{shown}}}", f"{{{','.join([member[2] for member in members])}}}"


class _Unusable(Exception):
    """Something that DynamoDB cannot hold; ``steps`` lead to it, the last one first."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.steps: list[str] = []


class _Conversion:
    """The conversion of one field, and how many bytes it has made so far."""

    def __init__(self) -> None:
        self._size = 0

    def value(self, content: object, depth: int) -> dict[str, Any]:
        match content:
            case None:
                return self._sized({"NULL": True})
            case bool():
                return self._sized({"BOOL": content})
            case str():
                return self._sized({"S": _unicode(content)})
            case Number(text):
                if not is_number(text):
                    raise _Unusable("a number needs at most 38 digits and a magnitude from 1E-130 to 9.99E+125")
                return self._sized({"N": canonical_number(text)})
        if depth == MAX_DEPTH:
            raise _Unusable(f"nested deeper than {MAX_DEPTH} levels")
        match content:
            case list():
                self._take(value_size({"L": []}) + len(content))
                return {"L": [self._member(member, depth, f"[{index}]") for index, member in enumerate(content)]}
            case Mapping():
                self._take(value_size({"M": {}}) + len(content))
                return {"M": {self._name(name): self._member(content[name], depth, f".{name}") for name in content}}
            case _:
                raise TypeError(type(content).__name__)

    def _member(self, content: object, depth: int, step: str) -> dict[str, Any]:
        try:
            return self.value(content, depth + 1)
        except _Unusable as error:
            error.steps.append(step)
            raise

    def _name(self, name: str) -> str:
        size = len(_unicode(name).encode())
        if not 1 <= size <= MAX_NAME_SIZE:
            raise _Unusable(f"the name of a member needs 1 to {MAX_NAME_SIZE} bytes")
        self._take(size)
        return name

    def _sized(self, value: dict[str, Any]) -> dict[str, Any]:
        self._take(value_size(value))
        return value

    def _take(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ITEM_SIZE:
            raise ItemTooLarge(f"a field has over {MAX_ITEM_SIZE} bytes", self._size)


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unusable("text must be Unicode, without lone surrogates") from None
    return text
