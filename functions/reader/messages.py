"""Messages that a client made: when they are taken, and what is said where one is not.

A refusal is the caller's mistake, not a stored item's: it is counted and audited by itself, and no failed decryption.
"""

from collections.abc import Mapping
from typing import Final

from encryptor_runtime.runtime import Runtime
from http_api.errors import BadRequest
from item_crypto.admission import admit
from item_crypto.core.codec import Item
from item_crypto.core.context import encryption_context
from item_crypto.core.stored_form import EncryptedValue, encrypted_name
from item_crypto.errors import MessageRefused
from reader.errors import NotTakenEncrypted

ATTRIBUTES: Final = {encrypted_name(name): name for name in ("history", "configuration")}
"""The fields of a request that hold messages, and the attribute that each is the ciphertext of."""

_KINDS: Final = {"history": ("L", "array"), "configuration": ("M", "object")}
_RULES: Final = {
    "too-large": "an item has 400 KB at most, encrypted and in the clear",
    "not-base64": "must be base64: the standard alphabet, padded, without white space",
    "not-a-message": "must be a message of the AWS Encryption SDK, format 2, with one data key of AWS KMS",
    "signed": "must have the suite 0x0478, which does not sign, and nothing in its context but the context",
    "other-context": "must have the encryption context of this user and session, and no other member",
    "key-not-current": "must be under the current key: ask for a new data key",
}
_UNREADABLE: Final = "is no message for this user, session and attribute"
"""Of a failed decryption a caller learns no more."""


def taken(runtime: Runtime, key: Item, ciphertexts: Mapping[str, str]) -> dict[str, EncryptedValue]:
    """Return the values in messages, and these as they are to be stored, by attribute.

    Args:
        runtime: the parts of the function.
        key: the session's key.
        ciphertexts: base64 text of the messages, by attribute.

    Raises:
        NotTakenEncrypted: messages are not taken, or not for these attributes.
        BadRequest: one of them is not what docs/format.md asks for.
        TransientError, SystemicError: the setting cannot be read, or KMS did not answer.
    """
    if not ciphertexts:
        return {}
    policy = runtime.policy().for_item(key)
    if not runtime.settings.is_for_clients or not policy.encrypted.issuperset(ciphertexts):
        raise NotTakenEncrypted
    context = encryption_context(key, policy.context_attributes, policy.purpose)
    try:
        values = admit(ciphertexts, context, runtime.cipher.keys)
        for name, given in values.items():
            if _KINDS[name][0] not in given.value:
                raise MessageRefused(name, "wrong-type")
    except MessageRefused as error:
        runtime.telemetry.count("ClientMessagesRefused")
        raise _refused(error) from None
    return values


def _refused(error: MessageRefused) -> BadRequest:
    rules = {**_RULES, "wrong-type": f"must hold an {_KINDS[error.attribute][1]}"}
    return BadRequest(encrypted_name(error.attribute), rules.get(error.detail, _UNREADABLE), reason=error.detail)
