"""What each error becomes: a status, a sentence, and nothing that quotes a request or an item. Pure."""

import json
from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from item_crypto.errors import ConfigurationError, ItemTooLarge, TransientError
from reader.access import is_undecryptable
from reader.errors import BadRequest, Refused
from reader.json_values import MAX_PLACE

SECURITY_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

UNDECRYPTABLE: Final = "The session could not be decrypted."
"""All that a caller learns of a failed decryption; the audit line has the detail."""

_RETRY_AFTER: Final = 1  # seconds: KMS and DynamoDB throttle by the second.


def error_response(error: Exception) -> dict[str, Any]:
    """Return the response (payload 2.0) that stands for ``error``."""
    headers = {"Content-Type": "application/json", **SECURITY_HEADERS}
    field = None
    match error:
        case RequestValidationError():
            return error_response(_bad_request(error))
        case Refused():
            status, message, field = error.status, error.message, error.field
        case ItemTooLarge():
            status, message = 413, "The session would be larger than 400 KB."
        case TransientError():
            status, message = 503, "Try again in a moment."
            headers["Retry-After"] = str(_RETRY_AFTER)
        case ConfigurationError():
            status, message = 500, "The service is not configured correctly; its log says why."
        case _ if is_undecryptable(error):
            status, message = 500, UNDECRYPTABLE
        case _:
            status, message = 500, "Something went wrong; the request was not served."
    body = {"statusCode": status, "message": message} | ({"field": field} if field is not None else {})
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}


def _bad_request(error: RequestValidationError) -> BadRequest:
    # Pydantic's errors hold the input; of each only the place and the rule are taken.
    first = error.errors()[0]
    source, *steps = first["loc"]
    return BadRequest((".".join(map(str, steps)) or str(source))[:MAX_PLACE], str(first["msg"]).lower())
