"""Which errors of AWS pass, and which last: one table for every service that is called.

Sources: "Common errors" and "Errors" of the services' API references. What is not listed is taken to last, since
to retry it for one item would hide it, and to report it as the batch's failure loses nothing.

Whoever calls a service does so within :class:`translated`::

    with translated("sqs"):
        sqs.send_message(…)
"""

from types import TracebackType
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from item_crypto.errors import ItemCryptoError, SystemicError, TransientError

_TRANSIENT: Final = frozenset(
    {
        "DependencyTimeout",
        "DependencyTimeoutException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KMSInternal",
        "KMSInternalException",
        "KeyUnavailable",
        "KeyUnavailableException",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class translated:  # noqa: N801 - a context manager, named as it reads
    """Raises what boto3 raises within as TransientError or SystemicError of ``service``.

    Args:
        service: ``kms``, ``dynamodb``, ``sqs``, ``lambda``, …: what the error is to name.
    """

    def __init__(self, service: str) -> None:
        self._service = service

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, ClientError | BotoCoreError):
            # From None: the text of a service's error may quote what it was asked.
            raise from_boto(self._service, error) from None


def from_code(service: str, code: str, status: int = 0) -> ItemCryptoError:
    """Return the error for what ``service`` answered: its error code and HTTP status."""
    if code in _TRANSIENT or status >= 500 or code in ("500", "502", "503", "504"):
        return TransientError(service, code)
    return SystemicError(service, code)


def from_boto(service: str, error: ClientError | BotoCoreError) -> ItemCryptoError:
    """Return the error for what boto3 raised. Time-outs and broken connections are transient."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return from_code(service, error_code(error), status)
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return TransientError(service, type(error).__name__)
    return SystemicError(service, type(error).__name__)


def error_code(error: ClientError) -> str:
    """Return the service's error code."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))
