"""Lambda entry point for the operator: one command in, one answer out.

Invoked by the operator's commands, by the schedules and by the admin function for its administrators, under IAM.
``by`` is what the caller says of itself, and ``via`` by which way it came, for the audit line; who invoked the function
is in CloudTrail.
"""

from collections.abc import Mapping
from typing import Any, Final

from encryptor_runtime.actions import Action
from item_crypto.errors import ItemCryptoError
from migrator import recorded, requests
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
    by, via = requests.by(event), requests.via(event)
    result = "failed"
    try:
        answer = Commands(parts, lambda: context.get_remaining_time_in_millis() / 1000).run(command, event)
        result = "done"
    except Refused as refused:
        result = f"refused: {refused.code}"
        if by == SCHEDULE and via is None and refused.code not in _MEANT:
            # Nobody reads the answer to a schedule.
            telemetry.count("ScheduledSweepsRefused")
        answer = {"error": {"code": refused.code, "message": refused.message, **refused.members}}
        _keep(parts, event, answer, result)
        return answer
    except Exception as error:
        result = f"failed: {error.reason}" if isinstance(error, ItemCryptoError) else "failed"
        _keep(parts, event, {}, result)
        raise
    else:
        _keep(parts, event, answer, result)
        return answer
    finally:
        telemetry.audit(by, f"control:{command}"[:60], None, result, via=via)
        telemetry.kms(parts.runtime.meter.drain())
        telemetry.flush()


def _keep(parts: Application, event: Mapping[str, Any], answer: Mapping[str, Any], result: str) -> None:
    """Keep a command that changes or reveals something among the recent actions.

    What was done is done, and audited: a row that cannot be written changes neither, and is a line of the log.
    """
    command = str(event.get("command"))
    detail = recorded.detail(command, event, answer)
    if detail is None:
        return
    action = Action(parts.now(), requests.by(event), requests.via(event), command, result, detail)
    try:
        parts.actions.keep(action)
        parts.actions.trim()
    except ItemCryptoError as error:
        telemetry = parts.runtime.telemetry
        telemetry.problem("a command is not among the recent actions", operation=command, reason=error.reason)
