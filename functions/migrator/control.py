"""Lambda entry point for the operator: one command in, one answer out.

Invoked by the operator's commands and by the schedules, under IAM. ``by`` is what the caller says of itself, for the
audit line; who invoked the function is in CloudTrail.
"""

from typing import Any, Final

from item_crypto.errors import ItemCryptoError
from migrator.application import Application, application
from migrator.commands import Commands
from migrator.requests import Refused

SCHEDULE: Final = "schedule"
"""What the schedules say of themselves."""

_MEANT: Final = ("forbidden-by-setting",)  # Whoever switched encryption off wants no sweep that encrypts.


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry out a command; what the caller can mend is an answer with ``error``, not an exception.

    Raises:
        ItemCryptoError: a service does not answer, or the function cannot start.
    """
    return handle(event, context, application())


def handle(event: dict[str, Any], context: Any, parts: Application) -> dict[str, Any]:
    """Carry out a command with ``parts``; else as :func:`lambda_handler`."""
    telemetry = parts.runtime.telemetry
    parts.runtime.begin(context)
    command = str(event.get("command"))
    by = str(event.get("by") or "unknown")
    result = "failed"
    try:
        answer = Commands(parts, lambda: context.get_remaining_time_in_millis() / 1000).run(command, event)
        result = "done"
    except Refused as refused:
        result = f"refused: {refused.code}"
        if by == SCHEDULE and refused.code not in _MEANT:
            # Nobody reads the answer to a schedule.
            telemetry.count("ScheduledSweepsRefused")
        return {"error": {"code": refused.code, "message": refused.message}}
    except ItemCryptoError as error:
        result = f"failed: {error.reason}"
        raise
    else:
        return answer
    finally:
        telemetry.audit(by, f"control:{command}"[:60], None, result)
        telemetry.kms(parts.runtime.meter.drain())
        telemetry.flush()
