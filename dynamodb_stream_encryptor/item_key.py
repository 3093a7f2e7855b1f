"""An item's key as an operator types it.

::

    {"sessionId": "dlg-1", "userId": "alice"}                   plain: text is S, a number is N
    {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}     DynamoDB JSON: S, N, or B as base64 text

Numbers keep the digits that were typed.
"""

import base64
import binascii
import json
from typing import Any

from dynamodb_stream_encryptor.errors import UsageError


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
