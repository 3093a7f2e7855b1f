"""One audit line for each request: who, what, which item, attributes, result."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from encryptor_runtime.telemetry import Telemetry
from http_api.audit import failure, log_problem
from item_crypto.core.codec import Item
from item_crypto.errors import DecryptionFailed, ItemCryptoError, SystemicError, TransientError


@dataclass
class AuditLine:
    """What is known of a request so far; it is filled in while the request is served.

    Attributes:
        operation: what is asked for.
        who: who asks.
        key: the item's key, or None for a request that got to no single item.
        attributes: the attributes that were read or written.
        result: what came of it, if nothing goes wrong.
    """

    operation: str
    who: str = "unknown"
    key: Item | None = None
    attributes: Sequence[str] = ()
    result: str = "done"


@contextmanager
def audited(telemetry: Telemetry, operation: str) -> Iterator[AuditLine]:
    """Write the audit line of what happens within, also where that raises; then also log what needs a person."""
    line = AuditLine(operation)
    try:
        yield line
    except Exception as error:
        result, details = _failure(error)
        telemetry.audit(line.who, line.operation, line.key, result, line.attributes, **details)
        log_problem(telemetry, error)
        raise
    telemetry.audit(line.who, line.operation, line.key, line.result, line.attributes)


def _failure(error: Exception) -> tuple[str, dict[str, Any]]:
    match error:
        case DecryptionFailed():
            return "failed", {"reason": error.reason, "detail": error.detail}
        case TransientError() | SystemicError():
            return failure(error)
        case ItemCryptoError():
            return "failed", {"reason": error.reason}
        case _:
            return failure(error)
