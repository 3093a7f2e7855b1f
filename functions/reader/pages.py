"""Tokens that lead from one page of a user's list to the next.

A token is base64url text of a digest and the place in the index where the next page starts::

    HMAC-SHA256(key: user id, place) ‖ place: for each key attribute but the user id its name, type and content,
                                              each as two bytes of length and so many bytes

A place is at most a session id of 2048 bytes and a time of 1024, whatever they consist of: so a token has at most
4.2 KB of the 10 KB that API Gateway takes for request line and headers. As JSON, an id of control characters has six
times its bytes, and a list could not go on after it.

The user id is left out and comes from the caller's identity again, so a token never leads into somebody else's list.
The digest makes a damaged token, or one that was given to somebody else, an error and not a surprising page. It is no
secret: whoever forges a token for themselves starts their own list elsewhere, which is theirs to read.
"""

import base64
import binascii
import hmac
import struct
from collections.abc import Iterator
from typing import Any, Final

from http_api.errors import BadRequest
from http_api.settings import USER_ID
from item_crypto.core.codec import Item, Value, check_value
from item_crypto.errors import UnsupportedValue

_DIGEST: Final = "sha256"
_DIGEST_SIZE: Final = 32
_LENGTH: Final = struct.Struct(">H")
_MAX_TOKEN: Final = 8 * 1024  # Characters: no token of ours has so many, and nothing longer is looked into.


def to_token(user: str, last_key: Item) -> str:
    """Return the token for what comes after ``last_key``, as a query of the index gives it."""
    content = b"".join(_packed(name, value) for name, value in last_key.items() if name != USER_ID)
    return _text(_digest(user, content) + content)


def from_token(user: str, token: str) -> dict[str, Any]:
    """Return the key to start after, from a token that was given to ``user``.

    Raises:
        BadRequest: it is no such token.
    """
    if len(token) > _MAX_TOKEN:
        raise _refused()
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused() from None
    digest, content = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    # Base64 has more than one spelling of some bytes; only the one that was given out is accepted.
    if not hmac.compare_digest(digest, _digest(user, content)) or _text(data) != token:
        raise _refused()
    try:
        key = dict(_unpacked(content))
        for value in key.values():
            check_value(value)
    except (ValueError, UnsupportedValue):
        raise _refused() from None
    return {**key, USER_ID: {"S": user}}


def _packed(name: str, value: Value) -> bytes:
    ((kind, content),) = value.items()
    parts = (name.encode(), kind.encode(), content if kind == "B" else content.encode())
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def _unpacked(content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    parts = list(_parts(content))
    for name, kind, part in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if kind not in (b"S", b"N", b"B"):
            raise ValueError("not the type of a key")
        yield name.decode(), {kind.decode(): part if kind == b"B" else part.decode()}


def _parts(content: bytes) -> Iterator[bytes]:
    while content:
        start = _LENGTH.size
        end = start + int.from_bytes(content[:start])
        if len(content) < end:
            raise ValueError("cut short")
        yield content[start:end]
        content = content[end:]


def _digest(user: str, content: bytes) -> bytes:
    return hmac.digest(user.encode(), content, _DIGEST)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _refused() -> BadRequest:
    return BadRequest("nextToken", "not a token that this list gave to you")
