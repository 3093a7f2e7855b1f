"""The old form, as LISA 1.0 stored it; read, never written.

::

    base64 ── JSON {"encrypted_key": base64, "encrypted_data": base64, "encryption_version": "1.0"}
                     │                        └─ base64 of a Fernet token, whose content is the bare value as JSON
                     └─ a KMS data key under the item's context; which key, it does not tell

It binds the item, not the attribute. LISA left the plaintext attribute where it was when it encrypted.
"""

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer
from cryptography.fernet import Fernet, InvalidToken

from item_crypto.core.codec import Value, canonical, check_value, decode_base64
from item_crypto.core.stored_form import ENCRYPTION_VERSION, VERSION, Envelope, Form
from item_crypto.errors import DecryptionFailed, UnknownForm, UnsupportedValue
from item_crypto.keys.one_call import OneCall

LISA: Final = Form("lisa", is_current=False, leaves_plaintext=True)

_MEMBERS: Final = {"encrypted_key", "encrypted_data", ENCRYPTION_VERSION}


class LisaTokens:
    """Reads LISA's tokens."""

    form = LISA

    def recognises(self, data: bytes) -> bool:
        """Tell whether ``data`` is to be read in this form."""
        return data.startswith(b"{")

    def open(self, data: bytes) -> Envelope:
        """Return what ``data`` tells of itself: neither its key nor its context.

        Raises:
            UnknownForm: it has not this form.
        """
        try:
            document = json.loads(data.decode())
        except (ValueError, RecursionError):
            raise UnknownForm("an encrypted attribute is not JSON") from None
        if document.keys() != _MEMBERS:
            raise UnknownForm("an encrypted attribute has other members than the old form")
        key, token = decode_base64(document["encrypted_key"]), decode_base64(document["encrypted_data"])
        if document[ENCRYPTION_VERSION] != VERSION or not key or not token:
            raise UnknownForm("an encrypted attribute has unusable members")
        return Envelope(LISA, token, key, None, {})

    def decrypt(self, name: str, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> Value:  # noqa: ARG002
        """Return the value in ``envelope``; neither the name nor the context stands in the token itself.

        Raises:
            DecryptionFailed: it does not belong to this item, or is not authentic.
            UnsupportedValue: its value is none that DynamoDB can hold.
            TransientError, SystemicError: the key service does not answer, or refuses.
        """
        key = call.unwrap(envelope.encrypted_key)
        try:
            text = Fernet(base64.urlsafe_b64encode(key[:32])).decrypt(envelope.body)
        except (InvalidToken, ValueError):
            raise DecryptionFailed("not-authentic") from None
        return _value(text)


def _value(text: bytes) -> Value:
    """Return the value that LISA stored as ordinary JSON; numbers through Decimal, never through a float."""

    def refuse(_name: str) -> Any:
        raise ValueError("not a number that DynamoDB can hold")

    try:
        content = json.loads(text.decode(), parse_int=Decimal, parse_float=Decimal, parse_constant=refuse)
        value = canonical(TypeSerializer().serialize(content))
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise UnsupportedValue("an old-form value is none that DynamoDB can hold") from None
    check_value(value)
    return value
