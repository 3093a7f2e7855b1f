"""Messages that somebody else made, such as a browser: which of them are stored as they are.

::

    text ─▶ size ─▶ header: form, suite, one data key, its key, context ─▶ decrypted once ─▶ name, value, size

Whatever is stored is taken for this package's own from then on: read, counted, re-encrypted. So nothing is stored that
could not have been made by it, save in the compression and the spelling of the content. docs/format.md says what a
message must be.
"""

import base64
from collections.abc import Mapping

from item_crypto.core.codec import MAX_ITEM_SIZE, Value, decode_base64, decode_new_value
from item_crypto.core.stored_form import EncryptedValue, Envelope
from item_crypto.errors import DecryptionFailed, ItemTooLarge, MessageRefused, UnknownForm, UnsupportedValue
from item_crypto.forms import MESSAGES
from item_crypto.keys.identity import Identity
from item_crypto.keys.one_call import OneCall
from item_crypto.keys.protocol import Keys


def admit(ciphertexts: Mapping[str, str], context: Mapping[str, str], keys: Keys) -> dict[str, EncryptedValue]:
    """Return the values in ``ciphertexts``, beside the message of each, by attribute name; all of them or none.

    Args:
        ciphertexts: base64 text of one message for each attribute.
        context: the encryption context of the item that they are to be stored in.
        keys: the keys; each data key is asked for once.

    Raises:
        MessageRefused: one is not to be stored.
        TransientError, SystemicError: the key service does not answer, or refuses.
    """
    envelopes = {name: _opened(name, text, context, keys) for name, text in ciphertexts.items()}
    call = OneCall(keys, context)
    return {
        name: EncryptedValue(_value(name, envelope, context, call), envelope.body)
        for name, envelope in envelopes.items()
    }


def _opened(name: str, text: str, context: Mapping[str, str], keys: Keys) -> Envelope:
    """Return what the message ``text`` tells of itself, if it may be asked for its value at all."""
    if len(text) > MAX_ITEM_SIZE:
        raise MessageRefused(name, "too-large")
    data = decode_base64(text)
    if not data or base64.b64encode(data).decode() != text:  # Some bytes have more than one spelling.
        raise MessageRefused(name, "not-base64")
    try:
        envelope = MESSAGES.open(data)
    except UnknownForm:
        raise MessageRefused(name, "not-a-message") from None
    if envelope.signed:
        raise MessageRefused(name, "signed")
    if envelope.context != dict(context):
        raise MessageRefused(name, "other-context")
    if envelope.key is None or not keys.is_current(Identity(envelope.key), context):
        # Also where it is an earlier one: it would come behind a re-encryption after which that key was retired.
        raise MessageRefused(name, "key-not-current")
    return envelope


def _value(name: str, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> Value:
    try:
        return decode_new_value(name, MESSAGES.content(envelope, context, call))
    except DecryptionFailed as error:
        raise MessageRefused(name, error.detail) from error
    except UnsupportedValue as error:
        raise MessageRefused(name, "wrong-attribute-or-content") from error
    except ItemTooLarge as error:
        raise MessageRefused(name, "too-large") from error
