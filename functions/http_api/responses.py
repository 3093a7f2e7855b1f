"""What errors become: a status, a sentence, and nothing that quotes a request or an item. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from http_api.errors import Refused
from item_crypto.errors import ConfigurationError, OutcomeUnknown, TransientError

Sentences: TypeAlias = Mapping[type[Exception], tuple[int, str]]
"""The status and the sentence for each class of errors; of an error's classes the closest one counts."""

UNEXPECTED: Final = (500, "Something went wrong; the request was not served.")

_SENTENCES: Final[Sentences] = {
    OutcomeUnknown: (503, "Whether it took effect is not known: look before you try again."),
    TransientError: (503, "Try again in a moment."),
    ConfigurationError: (500, "The service is not configured correctly; its log says why."),
    Exception: UNEXPECTED,
}
_SECURITY_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_RETRY_AFTER: Final = "1"  # second: AWS throttles by the second.


def secured(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``response`` (payload 2.0) with the headers that every response has."""
    return {**response, "headers": {**response["headers"], **_SECURITY_HEADERS}}


def error_response(error: Exception, sentences: Sentences) -> dict[str, Any]:
    """Return the response (payload 2.0) that stands for ``error``.

    Args:
        error: what went wrong. A refusal has a status and a sentence of its own.
        sentences: what the function says where it is not what all functions say.
    """
    if isinstance(error, Refused):
        return _problem(error.status, error.message, error.members)
    known = {**_SENTENCES, **sentences}
    status, message = next(known[kind] for kind in type(error).__mro__ if kind in known)
    in_doubt = isinstance(error, OutcomeUnknown)
    return _problem(status, message, {"outcome": "unknown"} if in_doubt else {}, may_repeat=not in_doubt)


def _problem(status: int, message: str, members: Mapping[str, Any], may_repeat: bool = True) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if status == 503 and may_repeat:
        headers["Retry-After"] = _RETRY_AFTER
    body = json.dumps({"statusCode": status, "message": message, **members})
    return secured({"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False})
