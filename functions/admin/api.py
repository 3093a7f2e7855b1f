"""The routes: show the setting, change it."""

import json
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from admin.application import Application
from admin.errors import Conflict
from admin.identity import READ
from admin.models import ShownPart
from encryptor_runtime.actions import Action
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import SwitchState, VersionConflict
from encryptor_runtime.switch_and_sweep import CONFIRMATION, switch_and_sweep
from http_api.errors import BadRequest
from http_api.openapi import REFUSALS, Answer, Problem, shows
from http_api.requests import JSON
from http_api.routes import Router
from item_crypto.core.part import in_words
from item_crypto.errors import ItemCryptoError

_PATH: Final = "/session/encryption/config"

OPERATIONS: Final = {f"GET {_PATH}": READ, f"PUT {_PATH}": "change-config"}
"""What audit lines call them."""

app: Router[Application] = Router()


class Change(BaseModel):
    """What the setting is to be, seen from one version of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool
    version: Annotated[int, Field(ge=0, description="The version that the caller has seen.")]
    confirm: Annotated[Literal["switch-off"] | None, Field(description="Required to switch off.")] = None


class Setting(Answer):
    """Whether sessions are encrypted, and since when."""

    enabled: bool
    part: Annotated[ShownPart | None, Field(description="The part that it is on for; null: for all, or off.")]
    version: int
    changed_by: str | None
    changed_at: Annotated[str | None, Field(description="ISO 8601.")]


class OtherVersion(Problem):
    """The setting is at another version than the caller has seen."""

    version: Annotated[int, Field(description="The version that it is at.")]


_RESPONSES: Final = {200: shows("The setting as it is now.", Setting), **REFUSALS}


@app.get(
    _PATH,
    summary="Show the setting",
    description="Tells whether new writes are encrypted.",
    operation_id="getEncryptionConfig",
    responses=_RESPONSES,
)
def get_config() -> Response[str]:
    """Return the setting as it is now."""
    call = app.call
    setting = call.parts.switch.read_now()
    call.line.facts = _versions(setting, setting)
    return _shown(setting)


@app.put(
    _PATH,
    summary="Change the setting",
    description="Switches encryption on or off for all sessions, for administrators, if the setting is still at the "
    "version given.",
    operation_id="putEncryptionConfig",
    responses={
        **_RESPONSES,
        409: shows("Somebody else changed the setting first.", OtherVersion),
        413: shows("The body is larger than 3 MB.", Problem),
        415: shows("The body is not announced as JSON.", Problem),
    },
)
def put_config(change: Annotated[Change, Body()]) -> Response[str]:
    """Change the setting, if it is still at the version that the caller has seen.

    Asking for what the setting already says, at its version, is no change: it makes no version and stops no sweep.
    Where that is "on", it makes sure once more that the sweep follows.
    """
    check_confirmed(change)
    parts, line = app.call.parts, app.call.line
    before = parts.switch.read_now()
    line.facts = _versions(before, None)
    try:
        queue = WorkQueue(parts.sqs, parts.settings.work_queue_url)
        after = switch_and_sweep(parts.switch, queue, change.enabled, line.who, change.version)
    except VersionConflict as conflict:
        line.facts = _versions(conflict.current, conflict.current)
        _keep(change, "refused: conflict")
        raise Conflict(conflict.current.version) from conflict
    except ItemCryptoError as error:
        _keep(change, f"failed: {error.reason}")
        raise
    line.facts, line.result = _versions(before, after), "unchanged" if after == before else "changed"
    _keep(change, "done")
    return _shown(after)


def check_confirmed(change: Change) -> None:
    """Check that switching off is meant.

    Raises:
        BadRequest: it is not confirmed.
    """
    if not change.enabled and change.confirm != CONFIRMATION:
        raise BadRequest("confirm", f'"{CONFIRMATION}" is required: new writes stay in plaintext from then on')


def _keep(change: Change, result: str) -> None:
    """Keep the change among the recent actions; where that fails, the change is what it is, and the log says so."""
    parts, who = app.call.parts, app.call.line.who
    detail = {"enabled": change.enabled, "version": change.version}
    try:
        parts.actions.keep(Action(parts.now(), who, "config-api", "set-config", result, detail))
    except ItemCryptoError as error:
        parts.telemetry.problem("a change is not among the recent actions", reason=error.reason)


def _versions(before: SwitchState, after: SwitchState | None) -> dict[str, Any]:
    """Return what the audit line says of the setting as it was found and as it is left; None where that is unknown."""
    parts = {"partBefore": before.part, "partAfter": after and after.part}
    return {
        "versionBefore": before.version,
        "enabledBefore": before.enabled,
        "versionAfter": after and after.version,
        "enabledAfter": after and after.enabled,
        **{name: in_words(part.as_json()) for name, part in parts.items() if part is not None},
    }


def _shown(setting: SwitchState) -> Response[str]:
    return Response(200, JSON, json.dumps(setting.as_json()))
