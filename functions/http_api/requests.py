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

from http_api.errors import BadRequest, NotJson

JSON: Final = "application/json"


def routable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``event`` with a path that the router matches and a body that is JSON text.

    Raises:
        BadRequest: the body is not UTF-8 text.
        NotJson: the body is announced as something else than JSON.
    """
    headers = event.get("headers") or {}
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


def _body(event: Mapping[str, Any]) -> str | None:
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest("body", "must be UTF-8 text") from None
