"""One audit line for each request: who, what, what came of it, and the setting's version before and after."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from admin.errors import Refused
from item_crypto.errors import ItemCryptoError, SystemicError, TransientError
from item_crypto.switch import Setting, VersionConflict
from item_crypto.telemetry import Telemetry


@dataclass
class AuditLine:
    """What is known of a request so far; it is filled in while the request is served.

    Attributes:
        operation: what is asked for.
        who: who asks.
        before: the setting as it was found.
        after: the setting as it is left; None where that is not known.
        result: what came of it, if nothing goes wrong.
    """

    operation: str
    who: str = "unknown"
    before: Setting | None = None
    after: Setting | None = None
    result: str = "done"

    def facts(self) -> dict[str, Any]:
        """Return the versions, and what they say."""
        facts: dict[str, Any] = {}
        for name, setting in (("Before", self.before), ("After", self.after)):
            facts[f"version{name}"] = setting.version if setting else None
            facts[f"enabled{name}"] = setting.enabled if setting else None
        return facts


@contextmanager
def audited(telemetry: Telemetry, operation: str) -> Iterator[AuditLine]:
    """Write the audit line of what happens within, also where that raises; then also log what needs a person."""
    line = AuditLine(operation)
    try:
        yield line
    except Exception as error:
        if isinstance(error, VersionConflict):
            line.before = line.after = error.current
        result, details = _failure(error)
        telemetry.audit(line.who, line.operation, None, result, **line.facts(), **details)
        _log(telemetry, error)
        raise
    telemetry.audit(line.who, line.operation, None, line.result, **line.facts())


def _failure(error: Exception) -> tuple[str, dict[str, Any]]:
    match error:
        case Refused():
            return error.result, {"status": error.status}
        case RequestValidationError():
            return "refused", {"status": 400}
        case VersionConflict():
            return "conflict", {"status": 409}
        case TransientError() | SystemicError():
            return "failed", {"reason": error.reason, "service": error.service, "code": error.code}
        case _:
            return "failed", {"reason": "unexpected"}


def _log(telemetry: Telemetry, error: Exception) -> None:
    match error:
        case SystemicError():
            telemetry.problem("a service refuses", service=error.service, code=error.code)
        case Refused() | RequestValidationError() | ItemCryptoError():
            pass  # The audit line says it all.
        case _:
            # A surprise is told by its type and place: its text may quote a value.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            telemetry.problem("an unexpected error", error=type(error).__name__, place=place)
