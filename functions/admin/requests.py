"""What a request asks for: its operation, and the JSON object in its body. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from http_api.errors import BadRequest

READ: Final = "read-config"
CHANGE: Final = "change-config"
PATH: Final = "/session/encryption/config"

_OPERATIONS: Final = {f"GET {PATH}": READ, f"PUT {PATH}": CHANGE}


def operation(event: Mapping[str, Any]) -> str:
    """Return what audit lines call the operation that ``event`` (HTTP API, payload 2.0) asks for."""
    return _OPERATIONS.get(event.get("routeKey", ""), "unknown")


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object in ``text``.

    Raises:
        BadRequest: it is none, or a member is given twice: parsers differ on which one counts.
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        # From None: the error holds the whole text. A ValueError of another kind is a number of thousands of digits.
        raise BadRequest("body", "not readable as JSON") from None
    if not isinstance(document, dict):
        raise BadRequest("body", "must be an object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise BadRequest("body", "a member is given twice")
    return document
