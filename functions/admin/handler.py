"""Lambda entry point for the admin routes of the HTTP API (payload 2.0)."""

from typing import Any, Final

from admin.application import application
from admin.commands import OPERATIONS, app
from admin.errors import SENTENCES
from admin.identity import permitted
from http_api.function import Function

_FUNCTION: Final = Function(
    name="admin",
    compose=application,
    routes=app,
    operations=OPERATIONS,
    identify=lambda event, operation, parts: permitted(event, operation, parts.settings),
    sentences=SENTENCES,
)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of an administrator, or of whoever looks."""
    return _FUNCTION.serve(event, context)
