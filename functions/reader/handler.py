"""Lambda entry point for the HTTP API (payload 2.0)."""

from typing import Any, Final

from http_api.function import Function
from http_api.users import caller
from reader.api import OPERATIONS, app
from reader.application import reader
from reader.errors import SENTENCES

_FUNCTION: Final = Function(
    name="reader",
    compose=reader,
    routes=app,
    operations=OPERATIONS,
    identify=lambda event, _operation, parts: caller(event, parts.settings.users),
    sentences=SENTENCES,
)


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of a user."""
    return _FUNCTION.serve(event, context)
