"""The key of a user's session, from what a request says. Pure."""

from typing import Final

from http_api.errors import BadRequest
from http_api.settings import SESSION_ID, USER_ID
from item_crypto.core.codec import Value

_MAX_BYTES: Final = 2048  # Of a hash key (DynamoDB, "Service quotas").
_DOT_SEGMENTS: Final = (".", "..")  # In any spelling: RFC 3986, section 5.2.4, and the WHATWG's URL standard.


def session_key(user: str, session_id: str) -> dict[str, Value]:
    """Return the key of a user's session.

    Raises:
        BadRequest: the id is empty, over 2048 bytes, or not Unicode.
    """
    try:
        size = len(session_id.encode())
    except UnicodeEncodeError:
        size = 0
    if not 1 <= size <= _MAX_BYTES:
        raise BadRequest(SESSION_ID, f"must be text of 1 to {_MAX_BYTES} bytes")
    return {SESSION_ID: {"S": session_id}, USER_ID: {"S": user}}


def new_session_key(user: str, session_id: str) -> dict[str, Value]:
    """Return the key of a user's session that may have to be created.

    Raises:
        BadRequest: as for :func:`session_key`, or no client could ask for it by that id.
    """
    if session_id in _DOT_SEGMENTS:
        raise BadRequest(SESSION_ID, "must not be a dot segment, which clients take out of a path")
    return session_key(user, session_id)
