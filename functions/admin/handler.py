"""Lambda entry point for the admin routes of the HTTP API (payload 2.0)."""

from typing import Any

from admin.answer import answer
from admin.application import application
from admin.responses import error_response
from encryptor_runtime.telemetry import Telemetry
from item_crypto.errors import ItemCryptoError


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; every error has an answer of its own."""
    try:
        parts = application()
    except ItemCryptoError as error:
        # Such an error names settings, never their values.
        problem = {"reason": error.reason, "detail": str(error)}
        Telemetry("admin", key_arn="").problem("the function cannot start", **problem)
        return error_response(error)
    parts.telemetry.begin(context)
    try:
        return answer(event, context, parts)
    finally:
        parts.telemetry.flush()
