"""A body read strictly: one JSON object, no member twice. Pure."""

import json
from collections.abc import Callable
from typing import Any

from http_api.errors import MAX_PLACE, BadRequest
from item_crypto.core.codec import MAX_DEPTH


def parse_object(text: str, number: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """Return the JSON object in ``text``.

    Args:
        text: what the caller sent.
        number: makes something of a number's text, ``NaN`` and infinities included; int and float where None.

    Raises:
        BadRequest: it is no JSON object, or a member is given twice: parsers differ on which one counts.
    """
    try:
        document = json.loads(
            text, parse_int=number, parse_float=number, parse_constant=number, object_pairs_hook=_unique
        )
    # From None: these errors hold the whole text.
    except json.JSONDecodeError as error:
        raise BadRequest("body", f"not JSON, from character {error.pos} on") from None
    except ValueError:
        raise BadRequest("body", "a number has thousands of digits") from None
    except RecursionError:
        raise BadRequest("body", f"nested deeper than {MAX_DEPTH} levels") from None
    if not isinstance(document, dict):
        raise BadRequest("body", "must be an object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, content in pairs:
        if name in document:
            raise BadRequest(name[:MAX_PLACE], "given twice")
        document[name] = content
    return document
