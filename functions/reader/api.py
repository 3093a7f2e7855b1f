"""The routes of the HTTP API, and through them its OpenAPI document (``python -m reader.openapi``)."""

from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from http_api.errors import BadRequest
from http_api.requests import JSON
from http_api.routes import Router
from reader.application import Reader
from reader.json_values import parse_object, to_json_object, to_value
from reader.models import Problem, Session, SessionChanges, SessionPage
from reader.pages import from_token, to_token
from reader.sessions import session_key

OPERATIONS: Final = {
    "GET /session": "list",
    "GET /session/{sessionId}": "read",
    "PUT /session/{sessionId}": "replace",
    "DELETE /session/{sessionId}": "delete",
}
"""What audit lines call them."""

app: Router[Reader] = Router(parse_object)


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
def get_session(session_id: _SessionId) -> Response[str]:
    """Return one of the caller's sessions in the clear."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, session_id)
    session = parts.sessions.read(key)
    shared = parts.settings.shared
    line.attributes = [name for name in (*shared.attributes, *shared.earlier_attributes) if name in session]
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
def put_session(session_id: _SessionId, changes: Annotated[SessionChanges, Body()]) -> Response[str]:
    """Create one of the caller's sessions, or replace some of its fields."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, session_id)
    line.attributes = list(changes)
    if not changes:
        raise BadRequest("body", "needs a name, a history or a configuration")
    values = {name: to_value(content, name) for name, content in changes.items()}
    session, created = parts.sessions.replace(key, values)
    line.result = "created" if created else "replaced"
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
    parts, user = app.call.parts, app.call.line.who
    start = None if next_token is None else from_token(user, next_token)
    sessions, last_key = parts.sessions.page(user, limit, start)
    page: dict[str, Any] = {"sessions": {"L": [{"M": session} for session in sessions]}}
    if last_key is not None:
        page["nextToken"] = {"S": to_token(user, last_key)}
    return Response(200, JSON, to_json_object(page))


@app.delete(
    "/session/<sessionId>",
    summary="Delete a session",
    description="Deletes one of the caller's sessions.",
    operation_id="deleteSession",
    responses={204: _shows("The session is gone."), **_ABSENT, **_REFUSALS},
)
def delete_session(session_id: _SessionId) -> Response[None]:
    """Delete one of the caller's sessions."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, session_id)
    parts.sessions.delete(key)
    return Response(204)
