"""What each error becomes: a status, a sentence, and nothing that quotes a request. Pure."""

import json
from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from admin.errors import BadRequest, Refused
from item_crypto.errors import ConfigurationError, TransientError
from item_crypto.switch import VersionConflict

SECURITY_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_RETRY_AFTER: Final = 1  # seconds: DynamoDB and SQS throttle by the second.
_MAX_PLACE: Final = 200  # Characters of a field's name: an unknown field's is the caller's, and has no bound.


def error_response(error: Exception) -> dict[str, Any]:
    """Return the response (payload 2.0) that stands for ``error``."""
    headers = {"Content-Type": "application/json", **SECURITY_HEADERS}
    more: dict[str, Any] = {}
    match error:
        case RequestValidationError():
            return error_response(_bad_request(error))
        case Refused():
            status, message = error.status, error.message
            more = {} if error.field is None else {"field": error.field}
        case VersionConflict():
            status, message = 409, "The setting is not, or no longer, at the version given; read it again."
            more = {"version": error.current.version}
        case TransientError():
            status, message = 503, "Try again in a moment, after reading the setting."
            headers["Retry-After"] = str(_RETRY_AFTER)
        case ConfigurationError():
            status, message = 500, "The service is not configured correctly; its log says why."
        case _:
            status, message = 500, "Something went wrong; read the setting to see how it is."
    body = json.dumps({"statusCode": status, "message": message, **more})
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _bad_request(error: RequestValidationError) -> BadRequest:
    # Pydantic's errors hold the input; of each only the place and the rule are taken.
    first = error.errors()[0]
    source, *steps = first["loc"]
    return BadRequest((".".join(map(str, steps)) or str(source))[:_MAX_PLACE], str(first["msg"]).lower())
