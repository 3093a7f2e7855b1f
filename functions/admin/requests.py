"""The request as the router needs it. Pure.

API Gateway has matched the route already and says so in ``routeKey``; its ``rawPath`` may carry the prefix of a custom
domain, so the path is taken from the route.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from admin.errors import BadRequest, NotJson

READ: Final = "read-config"
CHANGE: Final = "change-config"
PATH: Final = "/session/encryption/config"

_JSON: Final = "application/json"
_OPERATIONS: Final = {f"GET {PATH}": READ, f"PUT {PATH}": CHANGE}


def operation(event: Mapping[str, Any]) -> str:
    """Return what audit lines call the operation that ``event`` (HTTP API, payload 2.0) asks for."""
    return _OPERATIONS.get(event.get("routeKey", ""), "unknown")


def routable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``event`` with a path that the router matches and a body that is JSON text.

    Raises:
        BadRequest: the body is not UTF-8 text.
        NotJson: the body is announced as something else than JSON.
    """
    headers = event.get("headers") or {}
    if event.get("body") and headers.get("content-type", _JSON).partition(";")[0].strip().lower() != _JSON:
        raise NotJson
    path, stage = event["routeKey"].partition(" ")[2], event["requestContext"]["stage"]
    return {
        **event,
        "rawPath": path if stage == "$default" else f"/{stage}{path}",
        "headers": {**headers, "content-type": _JSON},
        "body": _body(event),
        "isBase64Encoded": False,
    }


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


def _body(event: Mapping[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest("body", "must be UTF-8 text") from None
