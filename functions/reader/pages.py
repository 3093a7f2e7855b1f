"""Tokens that lead from one page of a user's list to the next.

A token is base64url text of a digest and the place in the index where the next page starts::

    HMAC-SHA256(key: user id, place) ‖ place as JSON, without the user id

The user id is left out and comes from the caller's identity again, so a token never leads into somebody else's list.
The digest makes a damaged token, or one that was given to somebody else, an error and not a surprising page. It is no
secret: whoever forges a token for themselves starts their own list elsewhere, which is theirs to read.
"""

import base64
import binascii
import hmac
import json
from typing import Any, Final

from http_api.errors import BadRequest
from item_crypto.core.codec import Item, to_json, value_from_json
from item_crypto.errors import UnsupportedValue
from reader.settings import USER_ID

_DIGEST: Final = "sha256"
_DIGEST_SIZE: Final = 32


def to_token(user: str, last_key: Item) -> str:
    """Return the token for what comes after ``last_key``, as a query of the index gives it."""
    place = {name: to_json(value) for name, value in last_key.items() if name != USER_ID}
    content = json.dumps(place, separators=(",", ":")).encode()
    return _text(_digest(user, content) + content)


def from_token(user: str, token: str) -> dict[str, Any]:
    """Return the key to start after, from a token that was given to ``user``.

    Raises:
        BadRequest: it is no such token.
    """
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused() from None
    digest, content = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    # Base64 has more than one spelling of some bytes; only the one that was given out is accepted.
    if not hmac.compare_digest(digest, _digest(user, content)) or _text(data) != token:
        raise _refused()
    try:
        place = json.loads(content)
        key = {name: value_from_json(value) for name, value in place.items()}
    except (ValueError, AttributeError, RecursionError, UnsupportedValue):
        raise _refused() from None
    return {**key, USER_ID: {"S": user}}


def _digest(user: str, content: bytes) -> bytes:
    return hmac.digest(user.encode(), content, _DIGEST)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _refused() -> BadRequest:
    return BadRequest("nextToken", "not a token that this list gave to you")
