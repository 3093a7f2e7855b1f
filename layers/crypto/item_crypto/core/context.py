"""The encryption context: what binds a ciphertext to its item.

The context is the item's key attributes and a purpose, as text::

    {"userId": "user-24", "sessionId": "dlg-35143226", "purpose": "session-encryption"}

It is authenticated, not secret: it stands in the message's header, and KMS and CloudTrail see it in plain text. It
holds no table name, so that a table restored under another name can still be decrypted.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from item_crypto.core.codec import Item, is_number, plain_number
from item_crypto.errors import ContextUnusable

PURPOSE: Final = "purpose"
"""The member that tells what the ciphertext is for; IAM policies are bound to it."""

RESERVED_PREFIX: Final = "aws-crypto-"
"""Names with this prefix belong to the AWS Encryption SDK (its developer guide, "Encryption context")."""


_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # Half of a pair: text that UTF-8 cannot hold.


def encryption_context(key: Item, attributes: Sequence[str], purpose: str) -> dict[str, str]:
    """Return the context of the item that ``key`` names.

    Args:
        key: the item, or its key, in boto3's client style.
        attributes: the names of the key attributes that make the context.
        purpose: the text of the member ``purpose``.

    Raises:
        ContextUnusable: an attribute is missing, empty, of another type than S, N or B, or has a reserved name.
    """
    for name in attributes:
        if name == PURPOSE or name.startswith(RESERVED_PREFIX):
            # It would be lost from the context, or taken for the SDK's own, and the item no longer be bound.
            raise ContextUnusable("a context attribute has a reserved name", name)
    context = {name: _text(name, key.get(name)) for name in attributes}
    context[PURPOSE] = purpose
    return context


def own_context(context: Mapping[str, str]) -> dict[str, str]:
    """Return ``context`` without the members that the AWS Encryption SDK adds (the signing suite's public key)."""
    return {name: text for name, text in context.items() if not name.startswith(RESERVED_PREFIX)}


def _text(name: str, value: Any) -> str:
    match value:
        case {"S": str(text)} if text and not _SURROGATE.search(text):
            return text
        case {"N": str(text)} if is_number(text):
            return plain_number(text)
        case {"B": bytes(data)} if data:
            return base64.b64encode(data).decode()
        case None:
            raise ContextUnusable("a context attribute is missing", name)
        case _:
            raise ContextUnusable("a context attribute is empty or of an unusable type", name)
