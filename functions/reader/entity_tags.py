"""Entity tags and the conditions that name them (RFC 9110, sections 8.8 and 13). Pure.

::

    GET  →  ETag: "Fh0…"                  what the session held
    GET  ?form=encrypted  →  ETag: "q2…"  the same, by its ciphertexts
    PUT, DELETE  If-Match: "Fh0…"         only if it still holds that
    PUT  If-None-Match: *                 only if there is none

A tag is a hash of the session in the clear, so it is the same in whatever form the session is stored, and our own
re-encryption changes none. Whoever decrypts by themselves is shown ciphertexts: that tag is a hash of these and of all
else, and our own re-encryption changes it. A condition takes either. Members of maps and sets have no order in
DynamoDB, and none in the tag. It is for the session's owner alone: the hash of a short content tells the content, so
it is neither logged nor stored.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from http_api.errors import BadRequest
from item_crypto.core.codec import Item
from item_crypto.core.stored_form import View
from item_crypto.reconcile import Check
from reader.errors import PreconditionFailed
from reader.json_values import Texts, to_json_texts

_ANY: Final = "*"
_DOMAINS: Final = {View.CLEAR: "", View.ENCRYPTED: "encrypted:"}  # JSON begins with a brace: no tag is of both.
_LIST: Final = re.compile(r'(?:(?:W/)?"[^"]*"(?:\s*,\s*|$))+')
_TAG: Final = re.compile(r'(?:W/)?"[^"]*"')


def entity_tag(session: Texts, view: View = View.CLEAR) -> str:
    """Return the strong tag of a session's texts as it is shown in ``view``, quotes included."""
    digest = hashlib.sha256((_DOMAINS[view] + session.ordered).encode("utf-8", "surrogatepass")).digest()
    return f'"{base64.urlsafe_b64encode(digest).decode().rstrip("=")}"'


def condition(headers: Mapping[str, str], may_create: bool = False) -> Check | None:
    """Return what checks the conditions in ``headers`` (names in lower case), or None where there is none.

    Args:
        headers: the request's headers.
        may_create: whether the request may create a session, and so may ask to do nothing else.

    Raises:
        BadRequest: a condition is malformed, or none that the request may have.
    """
    given, none = headers.get("if-match"), headers.get("if-none-match")
    if none is not None and (not may_create or none.strip() != _ANY):
        raise BadRequest("If-None-Match", "only * is known, for a PUT that creates")
    tags = None if given is None else _tags(given.strip())
    if tags is None and none is None:
        return None

    def check(session: Callable[[View], Item] | None) -> None:
        if none is not None and session is not None:
            raise PreconditionFailed
        if tags is not None and (session is None or not (_ANY in tags or _is_one(session, tags))):
            raise PreconditionFailed

    return check


def _is_one(session: Callable[[View], Item], tags: frozenset[str]) -> bool:
    # By its ciphertexts first: as a rule, nothing has to be decrypted for that.
    return any(entity_tag(to_json_texts(session(view)), view) in tags for view in (View.ENCRYPTED, View.CLEAR))


def _tags(text: str) -> frozenset[str]:
    if text == _ANY:
        return frozenset({_ANY})
    if not _LIST.fullmatch(text):
        raise BadRequest("If-Match", "must be *, or tags in double quotes")
    return frozenset(_TAG.findall(text))  # A weak one, W/"…", equals no tag of ours: If-Match compares strongly.
