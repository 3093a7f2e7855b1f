"""The request as the router needs it. Pure.

API Gateway has matched the route already, and says so in ``routeKey`` and ``pathParameters``. Its ``rawPath`` is
percent-decoded, so that an id with a slash in it would match no route a second time, and carries the prefix of a
custom domain; so the path is put together anew, with parameters percent-encoded.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from reader.errors import BadRequest, NotJson

_JSON: Final = "application/json"
_OPERATIONS: Final = {
    "GET /session": "list",
    "GET /session/{sessionId}": "read",
    "PUT /session/{sessionId}": "replace",
    "DELETE /session/{sessionId}": "delete",
}


def operation(event: Mapping[str, Any]) -> str:
    """Return what audit lines call the operation that ``event`` (HTTP API, payload 2.0) asks for."""
    return _OPERATIONS.get(event.get("routeKey", ""), "unknown")


def routable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``event`` with a path that the router matches and a body that is JSON text.

    Raises:
        BadRequest: a path parameter or the body is not UTF-8 text.
        NotJson: the body is announced as something else than JSON.
    """
    headers = event.get("headers") or {}
    if event.get("body") and headers.get("content-type", _JSON).partition(";")[0].strip().lower() != _JSON:
        raise NotJson
    return {
        **event,
        "rawPath": _path(event),
        "headers": {**headers, "content-type": _JSON},
        "body": _body(event),
        "isBase64Encoded": False,
    }


def session_id(parameter: str) -> str:
    """Return the session id in a path parameter that :func:`routable` encoded."""
    return unquote(parameter)


def _path(event: Mapping[str, Any]) -> str:
    path: str = event["routeKey"].partition(" ")[2]
    for name, text in (event.get("pathParameters") or {}).items():
        try:
            path = path.replace(f"{{{name}}}", quote(text, safe=""))
        except UnicodeEncodeError:
            raise BadRequest(name, "must be Unicode text") from None
    stage = event["requestContext"]["stage"]
    return path if stage == "$default" else f"/{stage}{path}"


def _body(event: Mapping[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest("body", "must be UTF-8 text") from None
