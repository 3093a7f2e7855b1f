"""What each error becomes: a status, a sentence, and nothing that quotes a request or an item. Pure."""

from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from http_api.errors import Refused
from http_api.responses import NOT_CONFIGURED, problem, refusal, try_again
from item_crypto.errors import ConfigurationError, ItemTooLarge, TransientError
from reader.access import is_undecryptable

UNDECRYPTABLE: Final = "The session could not be decrypted."
"""All that a caller learns of a failed decryption; the audit line has the detail."""


def error_response(error: Exception) -> dict[str, Any]:
    """Return the response (payload 2.0) that stands for ``error``."""
    match error:
        case Refused() | RequestValidationError():
            return refusal(error)
        case ItemTooLarge():
            return problem(413, "The session would be larger than 400 KB.")
        case TransientError():
            return try_again("Try again in a moment.")
        case ConfigurationError():
            return problem(500, NOT_CONFIGURED)
        case _ if is_undecryptable(error):
            return problem(500, UNDECRYPTABLE)
        case _:
            return problem(500, "Something went wrong; the request was not served.")
