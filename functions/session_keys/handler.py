"""Lambda entry point for the data keys of sessions, behind the HTTP API (payload 2.0)."""

from typing import Any, Final

from http_api.function import Function
from http_api.users import caller
from session_keys.api import OPERATIONS, app
from session_keys.application import session_keys

_FUNCTION: Final = Function(
    name="session_keys",
    compose=session_keys,
    routes=app,
    operations=OPERATIONS,
    identify=lambda event, _operation, parts: caller(event, parts.settings.users),
)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of a user."""
    return _FUNCTION.serve(event, context)
