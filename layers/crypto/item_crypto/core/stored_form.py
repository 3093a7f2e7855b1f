"""The stored form: what an encrypted item looks like, and what a ciphertext tells without being decrypted.

::

    { "sessionId": …, "userId": …,               the key and all else: as the writer left it
      "encrypted_history": "<base64>",           one AWS Encryption SDK message for each encrypted attribute
      "encrypted_configuration": "<base64>",
      "encryption_version": "1.0",               ┐
      "is_encrypted": true,                      │ markers, gone when the item is back in plaintext
      "encrypted_at": "2026-01-02T08:30:00Z" }   ┘ the time of the item's oldest data key

    base64 ── current form: a message of the AWS Encryption SDK (format version 2, a committing suite), or
           └─ old form (LISA 1.0): JSON {"encrypted_key": base64, "encrypted_data": base64, "encryption_version"}

The two are told apart by content, never by ``encryption_version``, which is the same in both. docs/format.md has the
whole specification.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header

from item_crypto.core.codec import Value, decode_base64
from item_crypto.core.context import RESERVED_PREFIX
from item_crypto.errors import UnknownForm

ENCRYPTED_PREFIX: Final = "encrypted_"
CONFLICT_SUFFIX: Final = "_conflict"
ENCRYPTION_VERSION: Final = "encryption_version"
IS_ENCRYPTED: Final = "is_encrypted"
ENCRYPTED_AT: Final = "encrypted_at"
MARKERS: Final = (ENCRYPTION_VERSION, IS_ENCRYPTED, ENCRYPTED_AT)
VERSION: Final = "1.0"

MAX_ENCRYPTED_DATA_KEYS: Final = 1
"""Data keys that a message may carry: a KMS keyring writes one, and a bound keeps a forged header cheap to refuse."""

_KMS_PROVIDER: Final = "aws-kms"
_MESSAGE_VERSION: Final = 2  # Only format version 2 has key commitment (AWS Encryption SDK message format).


def encrypted_name(attribute: str) -> str:
    """Return the name of the attribute that holds the ciphertext of ``attribute``."""
    return ENCRYPTED_PREFIX + attribute


def conflict_name(attribute: str) -> str:
    """Return the name under which a conflicting value of ``attribute`` is encrypted."""
    return attribute + CONFLICT_SUFFIX


class Form(Enum):
    """The forms that a ciphertext can have."""

    CURRENT = "current"
    LISA = "lisa"


@dataclass(frozen=True)
class Envelope:
    """What a ciphertext tells before it is decrypted. None of it is authenticated yet.

    Attributes:
        form: which of the two forms it has.
        body: the message (current form) or the Fernet token (old form). Not shown by ``repr``.
        encrypted_key: the encrypted data key, as KMS returned it.
        key_arn: the ARN of the KMS key, from the message's header; None in the old form, which does not name it.
        context: the context in the message's header, without members of the SDK's own; empty in the old form.
    """

    form: Form
    body: bytes = field(repr=False)
    encrypted_key: bytes = field(repr=False)
    key_arn: str | None
    context: Mapping[str, str] = field(repr=False)


def open_envelope(value: Value) -> Envelope:
    """Return what the ciphertext ``value`` tells of itself.

    Raises:
        UnknownForm: it has neither form.
    """
    data = decode_base64(value.get("S"))
    if not data:
        raise UnknownForm("an encrypted attribute is not base64 text")
    return _lisa(data) if data.startswith(b"{") else _message(data)


def own_context(context: Mapping[str, str]) -> dict[str, str]:
    """Return ``context`` without the members that the AWS Encryption SDK adds (the signing suite's public key)."""
    return {name: text for name, text in context.items() if not name.startswith(RESERVED_PREFIX)}


def _message(data: bytes) -> Envelope:
    try:
        header, _ = deserialize_header(io.BytesIO(data), MAX_ENCRYPTED_DATA_KEYS)
    except (AWSEncryptionSDKClientError, UnicodeDecodeError):
        raise UnknownForm("an encrypted attribute has no message header") from None
    keys = list(header.encrypted_data_keys)
    if header.version.value != _MESSAGE_VERSION or not header.algorithm.is_committing() or len(keys) != 1:
        raise UnknownForm("an encrypted attribute is a message without key commitment")
    provider = keys[0].key_provider
    if provider.provider_id != _KMS_PROVIDER:
        raise UnknownForm("an encrypted attribute is not encrypted under a KMS key")
    try:
        key_arn = provider.key_info.decode("ascii")
    except UnicodeDecodeError:
        raise UnknownForm("an encrypted attribute names no KMS key") from None
    return Envelope(Form.CURRENT, data, keys[0].encrypted_data_key, key_arn, own_context(header.encryption_context))


def _lisa(data: bytes) -> Envelope:
    try:
        document = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise UnknownForm("an encrypted attribute is not JSON") from None
    if document.keys() != {"encrypted_key", "encrypted_data", ENCRYPTION_VERSION}:
        raise UnknownForm("an encrypted attribute has other members than the old form")
    key, token = decode_base64(document["encrypted_key"]), decode_base64(document["encrypted_data"])
    if document[ENCRYPTION_VERSION] != VERSION or not key or not token:
        raise UnknownForm("an encrypted attribute has unusable members")
    return Envelope(Form.LISA, token, key, None, {})
