"""What each error becomes: a status, a sentence, and nothing that quotes a request. Pure."""

from typing import Any

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from encryptor_runtime.switch import VersionConflict
from http_api.errors import Refused
from http_api.responses import NOT_CONFIGURED, problem, refusal, try_again
from item_crypto.errors import ConfigurationError, TransientError


def error_response(error: Exception) -> dict[str, Any]:
    """Return the response (payload 2.0) that stands for ``error``."""
    match error:
        case Refused() | RequestValidationError():
            return refusal(error)
        case VersionConflict():
            message = "The setting is not, or no longer, at the version given; read it again."
            return problem(409, message, version=error.current.version)
        case TransientError():
            return try_again("Try again in a moment, after reading the setting.")
        case ConfigurationError():
            return problem(500, NOT_CONFIGURED)
        case _:
            return problem(500, "Something went wrong; read the setting to see how it is.")
