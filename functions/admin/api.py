"""The routes: show the setting, change it.

Errors leave the router as they are; ``admin.answer`` maps them, all in one place.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from admin.application import Application
from admin.audit import AuditLine
from admin.requests import PATH, parse_object
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import SwitchState, VersionConflict
from encryptor_runtime.switch_and_sweep import CONFIRMATION, switch_and_sweep
from http_api.errors import BadRequest
from http_api.requests import JSON
from http_api.routes import router

app = router(parse_object)


@dataclass(frozen=True)
class Call:
    """What a route works with: the parts, and the audit line to fill in."""

    parts: Application
    line: AuditLine


class Change(BaseModel):
    """What the setting is to be, seen from one version of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool
    version: Annotated[int, Field(ge=0, description="The version that the caller has seen.")]
    confirm: Annotated[Literal["switch-off"] | None, Field(description="Required to switch off.")] = None


@app.get(PATH)
def get_config() -> Response[str]:
    """Return the setting as it is now."""
    call: Call = app.context["call"]
    setting = call.parts.switch.read_now()
    call.line.before = call.line.after = setting
    return _shown(setting)


@app.put(PATH)
def put_config(change: Annotated[Change, Body()]) -> Response[str]:
    """Change the setting, if it is still at the version that the caller has seen.

    Asking for what the setting already says, at its version, is no change: it makes no version, queues no sweep and
    stops none that runs.
    """
    call: Call = app.context["call"]
    if not change.enabled and change.confirm != CONFIRMATION:
        raise BadRequest("confirm", f'"{CONFIRMATION}" is required: new writes stay in plaintext from then on')
    parts, line = call.parts, call.line
    line.before = before = parts.switch.read_now()
    if before.version != change.version:
        raise VersionConflict(before)
    if before.enabled == change.enabled:
        line.after, line.result = before, "unchanged"
        return _shown(before)
    queue = WorkQueue(parts.sqs, parts.settings.work_queue_url)
    # The version is checked again, as one with the change: somebody else may be first even now.
    line.after = after = switch_and_sweep(parts.switch, queue, change.enabled, line.who, change.version)
    line.result = "changed"
    return _shown(after)


def _shown(setting: SwitchState) -> Response[str]:
    return Response(200, JSON, json.dumps(setting.as_json()))
