"""The request as the router needs it. Pure.

API Gateway has matched the route already, and says so in ``routeKey`` and ``pathParameters``. Its ``rawPath`` is
percent-decoded, so that an id with a slash in it would match no route a second time, and carries the prefix of a
custom domain. So the router is shown the route's template, and takes the parameters from the event::

    routeKey  GET /session/{sessionId}      →   rawPath  /session/{sessionId}
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from http_api.errors import BadRequest, BodyTooLarge, NotJson

JSON: Final = "application/json"

MAX_BODY: Final = 3 * 1024 * 1024
"""Bytes of a request's body: an item of 400 KB in any spelling that an encoder gives it, every character escaped.

API Gateway lets 10 MB through, and Lambda 6: as JSON of small values they would take half a minute and a gigabyte.
"""


def routable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``event`` with a path that the router matches and a body that is JSON text.

    Raises:
        BodyTooLarge: the body is over 3 MB; it is not looked into.
        BadRequest: the body is not UTF-8 text.
        NotJson: the body is announced as something else than JSON.
    """
    headers = event.get("headers") or {}
    if _is_too_large(event):
        raise BodyTooLarge
    if event.get("body") and headers.get("content-type", JSON).partition(";")[0].strip().lower() != JSON:
        raise NotJson
    return {
        **event,
        "rawPath": _path(event),
        "headers": {**headers, "content-type": JSON},
        "body": _body(event),
        "isBase64Encoded": False,
    }


def _path(event: Mapping[str, Any]) -> str:
    template: str = event["routeKey"].partition(" ")[2]
    stage = event["requestContext"]["stage"]
    return template if stage == "$default" else f"/{stage}{template}"


def _is_too_large(event: Mapping[str, Any]) -> bool:
    body: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return len(body) > (MAX_BODY + 2) // 3 * 4
    return len(body) > MAX_BODY or len(body.encode("utf-8", "surrogatepass")) > MAX_BODY


def _body(event: Mapping[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest("body", "must be UTF-8 text") from None
