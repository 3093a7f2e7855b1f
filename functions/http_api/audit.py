"""One audit line for each request: who, what, which item, attributes, result; and what needs a person, in the log.

Requests are counted by route and errors by class. Both are small sets: the API's own routes, the code's own classes.

Lambda ends a function whose time is over without a word. So a request that is still under way a second before that has
its line by then: nobody knows what will come of it. If it ends after all, a second line says how.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer
from typing import Any, Final

from encryptor_runtime.telemetry import Telemetry
from http_api.errors import Refused
from item_crypto.core.codec import Item
from item_crypto.errors import DecryptionFailed, ItemCryptoError, SystemicError, TransientError

NO_ROUTE: Final = "none"
"""Stands for a request that came by none of the API's routes."""

_RESERVE: Final = 1.0  # Seconds of the invocation's time with which its line has to be written.
_OUT_OF_TIME: Final = {"reason": "out-of-time"}


@dataclass
class AuditLine:
    """What is known of a request so far; it is filled in while the request is served.

    Attributes:
        operation: what is asked for.
        who: who asks.
        key: the item's key, or None for a request that got to no single item.
        attributes: the attributes that were read or written.
        result: what came of it, if nothing goes wrong.
        facts: what else a function has to say, never a value.
        request_id: the id that the answer carries; None where there is none.
    """

    operation: str
    who: str = "unknown"
    key: Item | None = None
    attributes: Sequence[str] = ()
    result: str = "done"
    facts: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None


@contextmanager
def audited(
    telemetry: Telemetry,
    operation: str,
    seconds_left: float,
    route: str = NO_ROUTE,
    request_id: str | None = None,
) -> Iterator[AuditLine]:
    """Write the audit line of what happens within, also where that raises; then also log what needs a person.

    Args:
        telemetry: where to.
        operation: what is asked for.
        seconds_left: time that remains of the invocation.
        route: one of the API's own routes, such as ``GET /session``; never what a caller made up.
        request_id: the id that the answer carries; None where there is none.
    """
    line = AuditLine(operation, request_id=request_id)
    telemetry.count_by("Requests", "route", route)
    try:
        with told_in_time(seconds_left, lambda: _write(telemetry, replace(line, result="unknown"), _OUT_OF_TIME)):
            yield line
    except Exception as error:
        line.result, facts = _failure(error)
        telemetry.count_by("Errors", "class", type(error).__name__)
        _write(telemetry, line, facts)
        _log_problem(telemetry, error)
        raise
    _write(telemetry, line, {})


@contextmanager
def told_in_time(seconds_left: float, tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell``, in a thread of its own, where what happens within is still under way as its time runs out."""
    late = Timer(max(0.0, seconds_left - _RESERVE), tell)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


def audit_failed_start(
    telemetry: Telemetry, operation: str, request_id: str | None, error: ItemCryptoError | None
) -> None:
    """Write the audit line of a request that a function could not even look at, since it cannot start.

    Args:
        telemetry: where to.
        operation: what is asked for.
        request_id: the id that the answer carries; None where there is none.
        error: why; None where the function is still starting when its time is over.
    """
    result, facts = ("unknown", _OUT_OF_TIME) if error is None else ("failed", {"reason": error.reason})
    _write(telemetry, AuditLine(operation, result=result, request_id=request_id), facts)


def _write(telemetry: Telemetry, line: AuditLine, facts: Mapping[str, Any]) -> None:
    ids = {} if line.request_id is None else {"requestId": line.request_id}
    telemetry.audit(line.who, line.operation, line.key, line.result, line.attributes, **ids, **line.facts, **facts)


def _failure(error: Exception) -> tuple[str, dict[str, Any]]:
    match error:
        case Refused():
            return error.result, {"status": error.status, **_reason(error)}
        case TransientError() | SystemicError():
            return "failed", {"reason": error.reason, **_service(error)}
        case DecryptionFailed():
            return "failed", {"reason": error.reason, "detail": error.detail}
        case ItemCryptoError():
            return "failed", {"reason": error.reason}
        case _:
            return "failed", {"reason": "unexpected"}


def _log_problem(telemetry: Telemetry, error: Exception) -> None:
    match error:
        case SystemicError():
            telemetry.problem("a service refuses", **_service(error))
        case Refused() | ItemCryptoError():
            pass  # The audit line says it all.
        case _:
            # A surprise is told by its type and place: its text may quote a value.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            telemetry.problem("an unexpected error", error=type(error).__name__, place=place)


def _reason(error: Refused) -> dict[str, str]:
    return {"reason": error.members["reason"]} if "reason" in error.members else {}


def _service(error: TransientError | SystemicError) -> dict[str, str]:
    # Not "service": that is the logger's own field, which tells stacks apart.
    return {"failedService": error.service, "code": error.code}
