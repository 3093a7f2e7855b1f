"""Lambda entry point for the HTTP API (payload 2.0)."""

from typing import Any

from item_crypto.errors import ItemCryptoError
from reader.access import invocation
from reader.answer import answer
from reader.application import log_failed_start, reader
from reader.responses import error_response


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of a user; every error has an answer of its own."""
    try:
        parts = reader()
    except ItemCryptoError as error:
        log_failed_start("reader", error)
        return error_response(error)
    with invocation(parts.runtime, context):
        return answer(event, context, parts)
