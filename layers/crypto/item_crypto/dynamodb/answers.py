"""What DynamoDB answers to a request for the table: what concerns the item, what the service, and what is not known."""

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ProxyConnectionError,
)

from item_crypto.errors import InvalidRequest, ItemTooLarge, OutcomeUnknown, TransientError
from item_crypto.service_errors import error_code, translated

A = TypeVar("A")

FIRST_WAIT: Final = 0.05
"""Seconds, which double with each attempt, with full jitter."""

_ATTEMPTS: Final = 3
_NOT_SENT: Final = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


class ConditionFailed(Exception):
    """Somebody wrote the item after it was read."""


class _Answered(translated):
    """Tells what concerns the item from what concerns the service."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ClientError | BotoCoreError):
            code = error_code(error) if isinstance(error, ClientError) else ""
            # From None: a validation error's text may quote the item.
            if code == "ConditionalCheckFailedException":
                raise ConditionFailed from None
            if code == "ItemCollectionSizeLimitExceededException" or (
                is_malformed(error) and "size" in str(error).lower()
            ):
                raise ItemTooLarge("DynamoDB refuses the item for its size") from None
            if is_malformed(error):
                raise InvalidRequest("DynamoDB refuses the request as malformed") from None
        super().__exit__(kind, error, trace)


answered: Final = _Answered("dynamodb")
"""Raises what boto3 raises within as what it means, ConditionFailed among them."""


class _AnsweredOnce(_Answered):
    """Tells also whether a write that was sent may have taken effect."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ClientError) and _failed_inside(error):
            raise OutcomeUnknown("dynamodb", error_code(error)) from None
        try:
            super().__exit__(kind, error, trace)
        except TransientError as transient:
            if isinstance(error, BotoCoreError) and not isinstance(error, _NOT_SENT):
                raise OutcomeUnknown("dynamodb", transient.code) from None
            raise


_answered_once: Final = _AnsweredOnce("dynamodb")


def sent_once(
    write: Callable[[], A],
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> A:
    """Return the answer to ``write``, which is sent again only where DynamoDB itself said that it did nothing.

    Args:
        write: sends a request once.
        sleep: waits a number of seconds.
        jitter: returns a number from 0 to 1.

    Raises:
        ConditionFailed: a condition of the write does not hold.
        OutcomeUnknown: it was sent, and may have taken effect.
        TransientError: it did not: DynamoDB could not be reached, or throttled it and did so again.
        ItemTooLarge, InvalidRequest, SystemicError: it was refused.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _answered_once:
                return write()
        except OutcomeUnknown:
            raise
        except TransientError:
            if attempt == _ATTEMPTS:
                raise
            sleep(FIRST_WAIT * 2**attempt * jitter())
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def _failed_inside(error: ClientError) -> bool:
    """Tell whether DynamoDB failed at work, and so may have done it (Developer Guide, "Error handling")."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 or error_code(error) in (
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
    )


def is_malformed(error: ClientError | BotoCoreError) -> bool:
    """Tell whether a request was refused for what it says, by DynamoDB or before it was sent."""
    if isinstance(error, ClientError):
        return error_code(error) in ("ValidationException", "SerializationException")
    return isinstance(error, ParamValidationError)
