"""What a request asks for, as its route and the parameters of its path say. Pure."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

_OPERATIONS: Final = {
    "GET /session": "list",
    "GET /session/{sessionId}": "read",
    "PUT /session/{sessionId}": "replace",
    "DELETE /session/{sessionId}": "delete",
}


def operation(event: Mapping[str, Any]) -> str:
    """Return what audit lines call the operation that ``event`` (HTTP API, payload 2.0) asks for."""
    return _OPERATIONS.get(event.get("routeKey", ""), "unknown")


def session_id(parameter: str) -> str:
    """Return the session id in a path parameter that :func:`http_api.requests.routable` encoded."""
    return unquote(parameter)
