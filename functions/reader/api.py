"""The routes of the HTTP API, and through them its OpenAPI document (``python -m reader.openapi``).

Errors leave the router as they are; ``reader.answer`` maps them, all in one place.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from http_api.errors import BadRequest
from http_api.requests import JSON
from http_api.routes import router
from reader.audit import AuditLine
from reader.json_values import parse_object, to_json_object, to_value
from reader.models import Problem, Session, SessionChanges, SessionPage
from reader.pages import from_token, to_token
from reader.requests import session_id
from reader.sessions import Sessions, session_key

app = router(parse_object)


@dataclass(frozen=True)
class Call:
    """What a route works with: the caller, the sessions, and the audit line to fill in."""

    user: str
    sessions: Sessions
    line: AuditLine
    attributes: tuple[str, ...]


def _call() -> Call:
    call: Call = app.context["call"]
    return call


def _shows(description: str, model: type | None = None) -> Any:
    return {"description": description, "content": {JSON: {"model": model}} if model else {}}


_REFUSALS: Final = {
    400: _shows("The request is malformed; `field` says where.", Problem),
    401: _shows("The request carries no usable identity.", Problem),
    403: _shows("The identity may not use this API.", Problem),
    500: _shows("The session could not be decrypted, or something went wrong.", Problem),
    503: _shows("Try again after the seconds in `Retry-After`.", Problem),
}
_ABSENT: Final = {404: _shows("The caller has no such session.", Problem)}
_SessionId = Annotated[str, Path(alias="sessionId", description="The session's id, 1 to 2048 bytes of UTF-8.")]


@app.get(
    "/session/<sessionId>",
    summary="Read a session",
    description="Returns one of the caller's sessions in the clear, whatever form it is stored in.",
    operation_id="getSession",
    responses={200: _shows("The session.", Session), **_ABSENT, **_REFUSALS},
)
def get_session(session_id_: _SessionId) -> Response[str]:
    """Return one of the caller's sessions in the clear."""
    call = _call()
    call.line.key = key = session_key(call.user, session_id(session_id_))
    session = call.sessions.read(call.user, key)
    call.line.attributes = [name for name in call.attributes if name in session]
    return Response(200, JSON, to_json_object(session))


@app.put(
    "/session/<sessionId>",
    summary="Create or change a session",
    description="Replaces the fields that the body has, and leaves all others as they were.",
    operation_id="putSession",
    responses={
        200: _shows("The session as it is now.", Session),
        201: _shows("The session that was created.", Session),
        413: _shows("The session would be larger than 400 KB.", Problem),
        415: _shows("The body is not announced as JSON.", Problem),
        **_REFUSALS,
    },
)
def put_session(session_id_: _SessionId, changes: Annotated[SessionChanges, Body()]) -> Response[str]:
    """Create one of the caller's sessions, or replace some of its fields."""
    call = _call()
    call.line.key = key = session_key(call.user, session_id(session_id_))
    call.line.attributes = list(changes)
    if not changes:
        raise BadRequest("body", "needs a name, a history or a configuration")
    values = {name: to_value(content, name) for name, content in changes.items()}
    session, created = call.sessions.replace(call.user, key, values)
    call.line.result = "created" if created else "replaced"
    return Response(201 if created else 200, JSON, to_json_object(session))


@app.get(
    "/session",
    summary="List sessions",
    description="Lists the caller's sessions, the newest first, without decrypting any. A session shows up, and "
    "disappears, within seconds of being written: the list is eventually consistent.",
    operation_id="listSessions",
    responses={200: _shows("A page of sessions.", SessionPage), **_REFUSALS},
)
def list_sessions(
    limit: Annotated[int, Query(ge=1, le=100, description="How many sessions at most.")] = 50,
    next_token: Annotated[str | None, Query(alias="nextToken", description="The token of the page before.")] = None,
) -> Response[str]:
    """Return a page of the caller's sessions."""
    call = _call()
    start = None if next_token is None else from_token(call.user, next_token)
    sessions, last_key = call.sessions.page(call.user, limit, start)
    page: dict[str, Any] = {"sessions": {"L": [{"M": session} for session in sessions]}}
    if last_key is not None:
        page["nextToken"] = {"S": to_token(call.user, last_key)}
    return Response(200, JSON, to_json_object(page))


@app.delete(
    "/session/<sessionId>",
    summary="Delete a session",
    description="Deletes one of the caller's sessions.",
    operation_id="deleteSession",
    responses={204: _shows("The session is gone."), **_ABSENT, **_REFUSALS},
)
def delete_session(session_id_: _SessionId) -> Response[None]:
    """Delete one of the caller's sessions."""
    call = _call()
    call.line.key = key = session_key(call.user, session_id(session_id_))
    call.sessions.delete(key)
    return Response(204)
