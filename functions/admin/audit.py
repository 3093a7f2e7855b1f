"""One audit line for each request: who, what, what came of it, and the setting's version before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from encryptor_runtime.switch import SwitchState, VersionConflict
from encryptor_runtime.telemetry import Telemetry
from http_api.audit import failure, log_problem


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
    before: SwitchState | None = None
    after: SwitchState | None = None
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
        log_problem(telemetry, error)
        raise
    telemetry.audit(line.who, line.operation, None, line.result, **line.facts())


def _failure(error: Exception) -> tuple[str, dict[str, Any]]:
    match error:
        case VersionConflict():
            return "conflict", {"status": 409}
        case _:
            return failure(error)
