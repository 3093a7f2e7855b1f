"""The administrators' routes, ``/admin/api/*``: each is one command of the control function, or reads one metric.

They exist where an issuer of tokens is configured: a signature knows no groups. Every one of them, to look included,
is for the administrators' group; who acts is the token's user.
"""

import json
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import Field

from admin.api import OPERATIONS as OF_THE_SETTING
from admin.api import Change, app, check_confirmed
from admin.control import WORK_SECONDS, Command
from admin.models import (
    BranchKeys,
    Cancel,
    ChangedSetting,
    Config,
    DeadLetters,
    Discard,
    Discarded,
    Evidence,
    MadeBranchKey,
    OneSweep,
    OneSweepInDetail,
    OneTenant,
    Part,
    RecentActions,
    Redrive,
    Redriven,
    Refusal,
    RotatedBranchKey,
    SetRate,
    Shred,
    Shredded,
    Start,
    Status,
    Window,
)
from admin.window import MAX_HOURS
from http_api.errors import BadRequest
from http_api.openapi import REFUSALS, Problem, shows
from http_api.requests import JSON

__all__ = ["OPERATIONS", "app"]

_ROOT: Final = "/admin/api"
_WINDOW: Final = "plaintext-window"

OPERATIONS: Final = {
    **OF_THE_SETTING,
    f"GET {_ROOT}/status": "admin:status",
    f"GET {_ROOT}/config": "admin:config",
    f"PUT {_ROOT}/config": "admin:set-config",
    f"POST {_ROOT}/sweeps": "admin:start",
    f"GET {_ROOT}/sweeps/{{sweepId}}": "admin:sweep",
    f"POST {_ROOT}/sweeps/{{sweepId}}/pause": "admin:pause",
    f"POST {_ROOT}/sweeps/{{sweepId}}/resume": "admin:resume",
    f"POST {_ROOT}/sweeps/{{sweepId}}/cancel": "admin:cancel",
    f"PUT {_ROOT}/sweeps/{{sweepId}}/rate": "admin:set-rate",
    f"GET {_ROOT}/failures": "admin:failures",
    f"POST {_ROOT}/failures/redrive": "admin:redrive",
    f"POST {_ROOT}/failures/{{letterId}}/discard": "admin:discard",
    f"GET {_ROOT}/{_WINDOW}": f"admin:{_WINDOW}",
    f"GET {_ROOT}/actions": "admin:actions",
    f"GET {_ROOT}/report": "admin:report",
    f"GET {_ROOT}/tenants": "admin:branch-keys",
    f"POST {_ROOT}/tenants/make": "admin:make-branch-key",
    f"POST {_ROOT}/tenants/rotate": "admin:rotate-branch-key",
    f"POST {_ROOT}/tenants/shred": "admin:shred-tenant",
}
"""What audit lines call every operation of the function."""

_REFUSED: Final = shows("The control function does not do it as things are; `code` says why.", Refusal)
_AUTOMATIC: Final = "auto"  # The control function's word for no ceiling.
_FILES: Final = ("name", "json", "sha256", "html")
_READING: Final = {**REFUSALS, 400: shows("The request is malformed; `field` says where.", Refusal)}
_CHANGING: Final = {
    **_READING,
    409: _REFUSED,
    413: shows("The body is larger than 3 MB.", Problem),
    415: shows("The body is not announced as JSON.", Problem),
}
_NO_SWEEP: Final = {404: shows("There is no such sweep.", Refusal)}
_NO_KEY: Final = {404: shows("The tenant has no branch key.", Refusal)}
_NO_LETTER: Final = {404: shows("There is no such message in the failure queue.", Refusal)}


class ChangeForPart(Change):
    """What the setting is to be, for all or for a part."""

    part: Annotated[Part | None, Field(description="The items to switch it on for; left out: all.")] = None


_SweepId = Annotated[str, Path(alias="sweepId", max_length=100, description="The sweep's id.")]
_LetterId = Annotated[str, Path(alias="letterId", max_length=200, description="The message's id.")]


@app.get(
    f"{_ROOT}/status",
    summary="How things stand",
    description="The setting, the newest sweeps, the queues, the stream's mapping, the key, the table's recovery.",
    operation_id="adminStatus",
    responses={200: shows("How things stand.", Status), **_READING},
)
def status() -> Response[str]:
    """Return how things stand."""
    return _shown(_asked(Command.STATUS))


# The setting


@app.get(
    f"{_ROOT}/config",
    summary="The setting and its history",
    description="Whether new writes are encrypted, and who changed that when.",
    operation_id="adminConfig",
    responses={200: shows("The setting and its history.", Config), **_READING},
)
def config() -> Response[str]:
    """Return the setting and its history."""
    return _shown(_asked(Command.CONFIG))


@app.put(
    f"{_ROOT}/config",
    summary="Change the setting",
    description="Switches encryption on, for all or for a part, or off, if the setting is still at the version given. "
    "Where it is switched on for all, an `encrypt` sweep follows; where for listed keys, their items are encrypted. "
    "What leaves items without encryption has to be confirmed.",
    operation_id="adminSetConfig",
    responses={200: shows("The setting as it is now.", ChangedSetting), **_CHANGING},
)
def set_config(change: Annotated[ChangeForPart, Body()]) -> Response[str]:
    """Change the setting."""
    check_confirmed(change)
    given: dict[str, Any] = {"enabled": change.enabled, "version": change.version, "confirm": change.confirm}
    if change.part is None:
        return _shown(_asked(Command.SET_CONFIG, **given))
    part = change.part.model_dump(exclude_none=True)
    # The audit line says how many keys, and not which: they can name persons.
    size = {"buckets": change.part.buckets, "listedKeys": change.part.keys and len(change.part.keys)}
    return _shown(_asked(Command.SET_CONFIG, line=given | size, **given, part=part))


# Sweeps


@app.post(
    f"{_ROOT}/sweeps",
    summary="Start a sweep",
    description="Starts a pass over the table. To decrypt has to be confirmed, and needs the setting to be off.",
    operation_id="adminStart",
    responses={200: shows("The sweep that was started.", OneSweep), **_CHANGING},
)
def start(request: Annotated[Start, Body()]) -> Response[str]:
    """Start a sweep."""
    if request.goal == "decrypt" and request.confirm != "decrypt":
        raise BadRequest("confirm", '"decrypt" is required: the table is in plaintext after it')
    given = request.model_dump(by_alias=True, exclude={"confirm"})
    return _shown(_asked(Command.START, **given))


@app.get(
    f"{_ROOT}/sweeps/<sweepId>",
    summary="Show a sweep",
    description="How far a sweep has come, by segment.",
    operation_id="adminSweep",
    responses={200: shows("The sweep.", OneSweepInDetail), **_NO_SWEEP, **_READING},
)
def sweep(sweep_id: _SweepId) -> Response[str]:
    """Return how far a sweep has come."""
    return _shown(_asked(Command.SWEEP, sweep=sweep_id))


@app.post(
    f"{_ROOT}/sweeps/<sweepId>/pause",
    summary="Pause a sweep",
    description="Pages in hand are finished.",
    operation_id="adminPause",
    responses={200: shows("The sweep as it is now.", OneSweep), **_NO_SWEEP, **_CHANGING},
)
def pause(sweep_id: _SweepId) -> Response[str]:
    """Pause a sweep."""
    return _shown(_asked(Command.PAUSE, sweep=sweep_id))


@app.post(
    f"{_ROOT}/sweeps/<sweepId>/resume",
    summary="Resume a sweep",
    description="Carries on a sweep that is paused, or one that runs but whose messages were lost.",
    operation_id="adminResume",
    responses={200: shows("The sweep as it is now.", OneSweep), **_NO_SWEEP, **_CHANGING},
)
def resume(sweep_id: _SweepId) -> Response[str]:
    """Resume a sweep."""
    return _shown(_asked(Command.RESUME, sweep=sweep_id))


@app.post(
    f"{_ROOT}/sweeps/<sweepId>/cancel",
    summary="Cancel a sweep",
    description="Ends a sweep for good; what it wrote stays. It has to be confirmed.",
    operation_id="adminCancel",
    responses={200: shows("The sweep as it is now.", OneSweep), **_NO_SWEEP, **_CHANGING},
)
def cancel(sweep_id: _SweepId, confirmed: Annotated[Cancel, Body()]) -> Response[str]:  # noqa: ARG001 - the word is all
    """Cancel a sweep."""
    return _shown(_asked(Command.CANCEL, sweep=sweep_id))


@app.put(
    f"{_ROOT}/sweeps/<sweepId>/rate",
    summary="Change how fast a sweep may go",
    description="Sets or takes away the ceiling of a sweep that runs or is paused. It finds its own rate below that.",
    operation_id="adminSetRate",
    responses={200: shows("The sweep as it is now.", OneSweep), **_NO_SWEEP, **_CHANGING},
)
def set_rate(sweep_id: _SweepId, request: Annotated[SetRate, Body()]) -> Response[str]:
    """Change the ceiling of a sweep."""
    return _shown(_asked(Command.SET_RATE, sweep=sweep_id, rate=_AUTOMATIC if request.rate is None else request.rate))


# Dead letters


@app.get(
    f"{_ROOT}/failures",
    summary="Show dead letters",
    description="Some messages of the failure queue: keys of items and reasons, never a value.",
    operation_id="adminFailures",
    responses={200: shows("Some dead letters, and about how many there are.", DeadLetters), **_READING},
)
def failures(
    most: Annotated[int, Query(alias="max", ge=1, le=100, description="Dead letters at most.")] = 50,
) -> Response[str]:
    """Return some dead letters."""
    return _shown(_asked(Command.FAILURES, max=most))


@app.post(
    f"{_ROOT}/failures/redrive",
    summary="Redrive dead letters",
    description=f"Tries dead letters again for some {WORK_SECONDS} seconds; what is settled is deleted. Where the time "
    "was used up, a note says so: redrive again.",
    operation_id="adminRedrive",
    responses={200: shows("What came of it.", Redriven), **_CHANGING},
)
def redrive(request: Annotated[Redrive, Body()]) -> Response[str]:
    """Try dead letters again."""
    return _shown(_asked(Command.REDRIVE, max=request.max, within=WORK_SECONDS))


@app.post(
    f"{_ROOT}/failures/<letterId>/discard",
    summary="Discard a dead letter",
    description="Deletes a message of the failure queue for good. It has to be confirmed, with a reason.",
    operation_id="adminDiscard",
    responses={200: shows("It is gone.", Discarded), **_NO_LETTER, **_CHANGING},
)
def discard(letter_id: _LetterId, request: Annotated[Discard, Body()]) -> Response[str]:
    """Delete a dead letter."""
    return _shown(_asked(Command.DISCARD, id=letter_id, reason=request.reason))


# A key for each tenant


@app.get(
    f"{_ROOT}/tenants",
    summary="Branch keys",
    description="The branch keys of tenants, and tombstones of those that were destroyed, some at a time; or the one "
    "of a tenant. No key is shown.",
    operation_id="adminBranchKeys",
    responses={200: shows("Some branch keys.", BranchKeys), 409: _REFUSED, **_READING},
)
def branch_keys(
    tenant: Annotated[str | None, Query(max_length=3000, description="Only that of this tenant.")] = None,
    after: Annotated[str | None, Query(max_length=300, description="The `after` of the answer before.")] = None,
) -> Response[str]:
    """Return some branch keys."""
    return _shown(_asked(Command.BRANCH_KEYS, tenant=tenant, after=after))


@app.post(
    f"{_ROOT}/tenants/make",
    summary="Make a branch key",
    description="Makes the branch key of a tenant, if there is none and it was not destroyed.",
    operation_id="adminMakeBranchKey",
    responses={200: shows("It is there.", MadeBranchKey), **_CHANGING},
)
def make_branch_key(request: Annotated[OneTenant, Body()]) -> Response[str]:
    """Make a branch key."""
    return _shown(_asked(Command.MAKE_BRANCH_KEY, tenant=request.tenant))


@app.post(
    f"{_ROOT}/tenants/rotate",
    summary="Rotate a branch key",
    description="Gives a branch key a new version, which writes use from then on.",
    operation_id="adminRotateBranchKey",
    responses={200: shows("It has a new version.", RotatedBranchKey), **_NO_KEY, **_CHANGING},
)
def rotate_branch_key(request: Annotated[OneTenant, Body()]) -> Response[str]:
    """Rotate a branch key."""
    return _shown(_asked(Command.ROTATE_BRANCH_KEY, tenant=request.tenant))


@app.post(
    f"{_ROOT}/tenants/shred",
    summary="Shred a tenant",
    description=f"Looks at the tenant's items for some {WORK_SECONDS} seconds, and destroys its branch key where all "
    "were looked at and none would stay readable: for good. While `shredded` is false, ask again with the answer's "
    "`cursor`. It has to be confirmed by the tenant's name.",
    operation_id="adminShredTenant",
    responses={200: shows("How far it is.", Shredded), **_NO_KEY, **_CHANGING},
)
def shred_tenant(request: Annotated[Shred, Body()]) -> Response[str]:
    """Look at a tenant's items, and destroy its branch key."""
    fields = {"tenant": request.tenant, "confirm": request.confirm, "cursor": request.cursor}
    return _shown(_asked(Command.SHRED_TENANT, {"tenant": request.tenant}, **fields, within=WORK_SECONDS))


# Looking back


@app.get(
    f"{_ROOT}/{_WINDOW}",
    summary="The plaintext window",
    description="How long items stayed in plaintext, over time.",
    operation_id="adminPlaintextWindow",
    responses={200: shows("The plaintext window.", Window), **_READING},
)
def plaintext_window(
    hours: Annotated[int, Query(ge=1, le=MAX_HOURS, description="How far to look back.")] = 24,
) -> Response[str]:
    """Return the plaintext window over time."""
    app.call.line.facts = {"asked": {"hours": hours}}
    period, points = app.call.parts.window.points(hours)
    return _shown({"periodSeconds": period, "points": points})


@app.get(
    f"{_ROOT}/actions",
    summary="Recent administrative actions",
    description="What was done, or refused, last: from here, by operators and by schedules.",
    operation_id="adminActions",
    responses={200: shows("Recent actions, the newest first.", RecentActions), **_READING},
)
def actions(
    limit: Annotated[int, Query(ge=1, le=500, description="Actions at most.")] = 50,
) -> Response[str]:
    """Return recent administrative actions."""
    return _shown(_asked(Command.ACTIONS, max=limit))


@app.get(
    f"{_ROOT}/report",
    summary="The evidence",
    description="The compliance report of a verification, as a document or as files.",
    operation_id="adminReport",
    responses={
        200: shows("The evidence.", Evidence),
        404: shows("There is no such sweep.", Refusal),
        409: _REFUSED,
        **_READING,
    },
)
def report(
    sweep_id: Annotated[str | None, Query(alias="sweep", max_length=100, description="The verification.")] = None,
    form: Annotated[
        Literal["files"] | None,
        Query(description="`files`: as the two files that it is kept as, `name`, `json`, its `sha256`, and `html`."),
    ] = None,
) -> Response[str]:
    """Return the compliance report."""
    answer = _asked(Command.REPORT, sweep=sweep_id, html=form and True)
    return _shown(answer["report"] if form is None else {name: answer[name] for name in _FILES})


def _asked(command: Command, line: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Have the control function carry out ``command`` for the token's user.

    The audit line has what was asked for: ``line`` where it is given, else all of ``fields``.
    """
    call = app.call
    call.line.facts = {"asked": {name: value for name, value in (line or fields).items() if value is not None}}
    return call.parts.control.ask(command, call.line.who, **fields)


def _shown(document: dict[str, Any]) -> Response[str]:
    return Response(200, JSON, json.dumps(document))
