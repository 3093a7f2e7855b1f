"""What refusals and failures become: a status, a sentence, and nothing that quotes a request or an item. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from http_api.errors import MAX_PLACE, BadRequest, Refused

NOT_CONFIGURED: Final = "The service is not configured correctly; its log says why."

_SECURITY_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_RETRY_AFTER: Final = 1  # seconds: KMS, DynamoDB and SQS throttle by the second.


def secured(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``response`` (payload 2.0) with the headers that every response has."""
    return {**response, "headers": {**response["headers"], **_SECURITY_HEADERS}}


def problem(status: int, message: str, **more: Any) -> dict[str, Any]:
    """Return the response that tells a caller ``message``, and ``more`` members of its body."""
    body = json.dumps({"statusCode": status, "message": message, **more})
    headers = {"Content-Type": "application/json"}
    return secured({"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False})


def refusal(error: Refused | RequestValidationError) -> dict[str, Any]:
    """Return the response to a request that is refused."""
    if isinstance(error, RequestValidationError):
        error = _bad_request(error)
    more = {} if error.field is None else {"field": error.field}
    return problem(error.status, error.message, **more)


def try_again(message: str) -> dict[str, Any]:
    """Return the response to a request that may succeed in a moment."""
    response = problem(503, message)
    response["headers"]["Retry-After"] = str(_RETRY_AFTER)
    return response


def _bad_request(error: RequestValidationError) -> BadRequest:
    # Pydantic's errors hold the input; of each only the place and the rule are taken.
    first = error.errors()[0]
    source, *steps = first["loc"]
    return BadRequest((".".join(map(str, steps)) or str(source))[:MAX_PLACE], str(first["msg"]).lower())
