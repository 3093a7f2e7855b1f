"""The routes of the HTTP API, and through them its OpenAPI document (``python -m local.openapi``)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from http_api.errors import BadRequest
from http_api.openapi import REFUSALS, Problem, shows
from http_api.requests import JSON
from http_api.routes import Router
from http_api.session_key import new_session_key, session_key
from item_crypto.core.codec import Item
from item_crypto.core.stored_form import ENCRYPTED_PREFIX, View
from reader.access import telling_of_keys
from reader.application import Reader
from reader.entity_tags import condition, entity_tag
from reader.errors import NotShownEncrypted
from reader.json_values import parse_object, to_json_object, to_json_texts, to_value
from reader.messages import ATTRIBUTES
from reader.models import Session, SessionChanges, SessionInForm, SessionPage
from reader.pages import from_token, to_token

OPERATIONS: Final = {
    "GET /session": "list",
    "GET /session/{sessionId}": "read",
    "PUT /session/{sessionId}": "replace",
    "DELETE /session/{sessionId}": "delete",
}
"""What audit lines call them."""

app: Router[Reader] = Router(parse_object)


_COMPARED: Final = (
    "A session of more than about 140 attributes may have too many to compare in one write: then the answer is 400, "
    "and nothing is done."
)

CONDITIONS: Final = {
    "putSession": {
        "If-Match": "Tags of what the session must hold, as `ETag` gave them in either form, or `*`: else nothing is "
        f"written, and the answer is 412. {_COMPARED}",
        "If-None-Match": "`*`: only if there is no such session; else the answer is 412.",
    },
    "deleteSession": {
        "If-Match": f"Tags of what the session must hold, or `*`: else it stays, and the answer is 412. {_COMPARED}"
    },
}
"""The headers that operations honour, for the OpenAPI document."""

_TAG: Final = "A strong tag of the session as it is shown: in the clear, whatever form it is stored in; or encrypted."
_REFUSALS: Final = {**REFUSALS, 500: shows("The session could not be decrypted, or something went wrong.", Problem)}
_UNMET: Final = {412: shows("The session is not what If-Match or If-None-Match says.", Problem)}
_ABSENT: Final = {404: shows("The caller has no such session.", Problem)}
_SessionId = Annotated[str, Path(alias="sessionId", description="The session's id, 1 to 2048 bytes of UTF-8.")]
_Form = Annotated[
    Literal["encrypted"] | None,
    Query(
        description="Show values as they are stored, encrypted, with a tag of that. Values that are not stored "
        "encrypted come in the clear, and `form` in the answer says so."
    ),
]


@app.get(
    "/session/<sessionId>",
    summary="Read a session",
    description="Returns one of the caller's sessions in the clear, whatever form it is stored in; or encrypted.",
    operation_id="getSession",
    responses={
        200: shows("The session.", Session | SessionInForm, ETag=_TAG),
        409: shows("It is not shown encrypted: each tenant has a key of its own.", Problem),
        **_ABSENT,
        **_REFUSALS,
    },
)
def get_session(session_id: _SessionId, form: _Form = None) -> Response[str]:
    """Return one of the caller's sessions, in the clear or encrypted."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, session_id)
    view = _view(form)
    with telling_of_keys(parts.runtime, line):
        session = parts.sessions.read(key, view)
    shared = parts.settings.shared
    names = (*shared.attributes, *shared.earlier_attributes)
    line.attributes = [shown for name in names for shown in (name, ENCRYPTED_PREFIX + name) if shown in session]
    return _shown(200, session, view)


@app.put(
    "/session/<sessionId>",
    summary="Create or change a session",
    description="Replaces the fields that the body has, and leaves all others as they were. Without a condition the "
    "last writer wins, field by field.",
    operation_id="putSession",
    responses={
        200: shows("The session as it is now.", Session | SessionInForm, ETag=_TAG),
        201: shows("The session that was created.", Session | SessionInForm, ETag=_TAG),
        409: shows(
            "Values are not taken or shown encrypted: encryption is off, messages are signed, or each tenant has a key "
            "of its own. Or nothing is stored any more, since that key was destroyed on purpose.",
            Problem,
        ),
        413: shows("The session would be larger than 400 KB, or the body is larger than 3 MB.", Problem),
        415: shows("The body is not announced as JSON.", Problem),
        **_UNMET,
        **_REFUSALS,
    },
)
def put_session(
    session_id: _SessionId, changes: Annotated[SessionChanges, Body()], form: _Form = None
) -> Response[str]:
    """Create one of the caller's sessions, or replace some of its fields."""
    parts, line = app.call.parts, app.call.line
    line.key = key = new_session_key(line.who, session_id)
    line.attributes = list(changes)
    if not changes:
        raise BadRequest("body", "needs a name, a history or a configuration")
    view = _view(form)
    check = condition(_headers(), may_create=True)
    values = {name: to_value(content, name) for name, content in changes.items() if name not in ATTRIBUTES}
    session, created = parts.sessions.replace(key, values, check, _ciphertexts(changes), view)
    line.result = "created" if created else "replaced"
    return _shown(201 if created else 200, session, view)


@app.get(
    "/session",
    summary="List sessions",
    description="Lists the caller's sessions, the newest first, without decrypting any. A session shows up, and "
    "disappears, within seconds of being written: the list is eventually consistent.",
    operation_id="listSessions",
    responses={200: shows("A page of sessions.", SessionPage), **_REFUSALS},
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
    responses={204: shows("The session is gone."), **_ABSENT, **_UNMET, **_REFUSALS},
)
def delete_session(session_id: _SessionId) -> Response[None]:
    """Delete one of the caller's sessions."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, session_id)
    parts.sessions.delete(key, condition(_headers()))
    return Response(204)


def _ciphertexts(changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the messages among ``changes``, as they were sent, by the attribute whose value each holds."""
    for field, name in ATTRIBUTES.items():
        if field in changes and name in changes:
            raise BadRequest(field, f"must not be given beside {name}")
    return {name: changes[field] for field, name in ATTRIBUTES.items() if field in changes}


def _headers() -> Mapping[str, str]:
    return {name.lower(): value for name, value in app.current_event.headers.items()}


def _view(form: str | None) -> View:
    view = View.CLEAR if form is None else View.ENCRYPTED
    if view is View.ENCRYPTED:
        branch_keys = app.call.parts.settings.shared.branch_keys
        if branch_keys is not None and branch_keys.writes:
            raise NotShownEncrypted
        app.call.line.facts["form"] = view.value
    return view


def _shown(status: int, session: Item, view: View) -> Response[str]:
    texts = to_json_texts(session)
    body = texts.shown
    if view is View.ENCRYPTED:
        in_the_clear = any(name in session for name in app.call.parts.settings.shared.attributes)
        body = f'{{"form":"{"plaintext" if in_the_clear else "encrypted"}","session":{body}}}'
    return Response(status, JSON, body, headers={"ETag": entity_tag(texts, view)})
