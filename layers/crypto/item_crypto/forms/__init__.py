"""Forms that a ciphertext can have: what it tells of itself, and how it is decrypted.

They are told apart by content, never by ``encryption_version``, which is the same in all. A further form is a module
here and an entry of ``_FORMS``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

from item_crypto.core.codec import Item, Value
from item_crypto.core.encoding import Encoding, encoding_of, message_of
from item_crypto.core.stored_form import CONFLICT_SUFFIX, ENCRYPTED_PREFIX, Envelope, Form
from item_crypto.errors import UnknownForm
from item_crypto.forms.current import CURRENT, MAX_ENCRYPTED_DATA_KEYS, Messages
from item_crypto.forms.lisa import LISA, LisaTokens
from item_crypto.keys.one_call import OneCall

__all__ = ["CURRENT", "LISA", "MAX_ENCRYPTED_DATA_KEYS", "MESSAGES", "decrypt", "open_ciphertexts", "open_envelope"]


class Reader(Protocol):
    """What reads one form."""

    form: Form

    def recognises(self, data: bytes) -> bool:
        """Tell whether ``data`` is to be read in this form."""

    def open(self, data: bytes) -> Envelope:
        """Return what ``data`` tells of itself; raises UnknownForm."""

    def decrypt(self, name: str, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> Value:
        """Return the value in ``envelope``, all of it or none; raises DecryptionFailed."""


MESSAGES: Final = Messages()
"""The form that is written."""

_FORMS: Final[tuple[Reader, ...]] = (LisaTokens(), MESSAGES)  # The first that recognises a ciphertext reads it.


def open_envelope(value: Value) -> Envelope:
    """Return what the ciphertext ``value`` tells of itself.

    Raises:
        UnknownForm: it has none of the forms.
    """
    data = message_of(value)
    if not data:
        raise UnknownForm("an encrypted attribute is neither base64 text nor binary")
    if encoding_of(value) is Encoding.BINARY:
        return replace(MESSAGES.open(data), encoding=Encoding.BINARY)  # An old form was only ever stored as text.
    return next(reader for reader in _FORMS if reader.recognises(data)).open(data)


def open_ciphertexts(item: Item, attributes: tuple[str, ...]) -> tuple[dict[str, Envelope], dict[str, UnknownForm]]:
    """Return the ciphertexts of ``item`` and, where one has no known form, why; by the name of its attribute.

    A kept conflict's name is ``conflict_name``.
    """
    envelopes: dict[str, Envelope] = {}
    unknown: dict[str, UnknownForm] = {}
    for stored in [name for name in item if name.startswith(ENCRYPTED_PREFIX)]:
        name = stored.removeprefix(ENCRYPTED_PREFIX)
        if name.removesuffix(CONFLICT_SUFFIX) in attributes:
            try:
                envelopes[name] = open_envelope(item[stored])
            except UnknownForm as error:
                unknown[name] = error
    return envelopes, unknown


def decrypt(name: str, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> Value:
    """Return the value in ``envelope``, which was read from the attribute ``name`` of the item of ``context``.

    Raises:
        DecryptionFailed: it does not belong to this item and attribute, or is not authentic.
        KeyNotListed: it is encrypted under a key that is neither the current one nor listed as earlier.
        UnsupportedValue: an old-form value is none that DynamoDB can hold.
        TransientError, SystemicError: the key service does not answer, or refuses.
    """
    return next(reader for reader in _FORMS if reader.form == envelope.form).decrypt(name, envelope, context, call)
