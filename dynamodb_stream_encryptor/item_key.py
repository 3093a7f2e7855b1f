"""An item's key as an operator types it.

::

    {"sessionId": "dlg-1", "userId": "alice"}                   plain: text is S, a number is N
    {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}     DynamoDB JSON: S, N, or B as base64 text

Numbers keep the digits that were typed.

And as a person reads it, in a list of many, where each key has one text and no other key has it::

    sessionId=dlg-1 userId=alice                text stands bare where nothing else can be meant
    sessionId="7" orderId=7                     text that looks like a number, or has spaces, is quoted as in JSON
    device={"B": "AAE="}                        binary as in DynamoDB JSON
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from dynamodb_stream_encryptor.errors import UsageError

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BARE: Final = re.compile(rf"(?!{_NUMBER.pattern}$)(?=.*[^\W\d])[\w.:/@+-]+")
"""Text that needs no quotes: it has a letter, and nobody takes it for a number."""


def key_text(key: Any) -> str:
    """Return a key in DynamoDB JSON for a person; what is none, as JSON."""
    if not isinstance(key, Mapping) or not key:
        return json.dumps(key, ensure_ascii=False)
    return " ".join(f"{_text(str(name))}={_part_text(part)}" for name, part in key.items())


def _part_text(part: Any) -> str:
    match part:
        case {"S": str(text)} if len(part) == 1:
            return _text(text)
        case {"N": str(digits)} if len(part) == 1 and _NUMBER.fullmatch(digits):
            return digits
        case _:
            return json.dumps(part, ensure_ascii=False)


def _text(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def read_key(text: str) -> dict[str, dict[str, str]]:
    """Return the key in DynamoDB JSON.

    Raises:
        UsageError: it is not a key.
    """
    try:
        document = json.loads(text, parse_int=_Number, parse_float=_Number, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"KEY is not JSON (character {error.pos + 1}). In a shell, put it into single quotes: "
            """'{"sessionId": "dlg-1", "userId": "alice"}'."""
        ) from None
    except RecursionError:
        raise UsageError("KEY is not an item key.") from None
    if not isinstance(document, dict) or not 1 <= len(document) <= 2:
        raise UsageError("KEY must be a JSON object with the table's key attributes, one or two.")
    return {name: _part(name, part) for name, part in document.items()}


class _Number(str):
    """The digits of a JSON number."""

    __slots__ = ()


def _part(name: str, part: Any) -> dict[str, str]:
    match part:
        case _Number():
            return {"N": str(part)}
        case str():
            return {"S": part}
        case {"S": str(text)} if len(part) == 1 and not isinstance(text, _Number):
            return {"S": text}
        case {"N": str(text)} if len(part) == 1:
            return {"N": str(text)}
        case {"B": str(text)} if len(part) == 1 and _is_base64(text):
            return {"B": text}
        case _:
            raise UsageError(f'KEY: {name} must be text, a number, or one of {{"S": …}}, {{"N": …}}, {{"B": base64}}.')


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise UsageError("KEY: a member is given twice.")
    return document
