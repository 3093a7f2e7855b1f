"""The current form: a message of the AWS Encryption SDK.

::

    base64 text ─┐
    or binary  ──┴─ message (format version 2, a committing suite), one data key in its header, whose content is
                    {"history": {"L": […]}}    JSON of one member, gzip-compressed where smaller

docs/format.md has the whole specification.
"""

import io
from collections.abc import Mapping
from typing import Any, Final

from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from cryptography.exceptions import InvalidSignature, InvalidTag

from item_crypto.core.codec import MAX_INFLATED_SIZE, Value, decode_value
from item_crypto.core.context import own_context
from item_crypto.core.stored_form import Envelope, Form
from item_crypto.errors import DecryptionFailed, UnknownForm, UnsupportedValue
from item_crypto.keys.branch_key_id import is_branch_key_id
from item_crypto.keys.identity import identity
from item_crypto.keys.one_call import OneCall

CURRENT: Final = Form("current", is_current=True, leaves_plaintext=False)

MAX_ENCRYPTED_DATA_KEYS: Final = 1
"""Data keys that a message may carry: a keyring writes one, and a bound keeps a forged header cheap to refuse."""

_MESSAGE_VERSION: Final = 2  # Only format version 2 has key commitment (AWS Encryption SDK message format).
_FRAME_LENGTH: Final = 1024 * 1024  # Larger than an item: every message is one frame, which is the cheapest.
_NOT_AUTHENTIC: Final = (AWSEncryptionSDKClientError, InvalidTag, InvalidSignature, ValueError, KeyError, TypeError)


class Messages:
    """Makes and reads messages."""

    form = CURRENT

    def __init__(self) -> None:
        self._client = EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
            max_encrypted_data_keys=MAX_ENCRYPTED_DATA_KEYS,
        )

    def recognises(self, data: bytes) -> bool:  # noqa: ARG002 - whatever has no other form
        """Tell whether ``data`` is to be read in this form."""
        return True

    def open(self, data: bytes) -> Envelope:
        """Return what the message ``data`` tells of itself.

        Raises:
            UnknownForm: it is no message, or one that this package never writes.
        """
        try:
            header, _ = deserialize_header(io.BytesIO(data), MAX_ENCRYPTED_DATA_KEYS)
        except (AWSEncryptionSDKClientError, UnicodeDecodeError):
            raise UnknownForm("an encrypted attribute has no message header") from None
        keys = list(header.encrypted_data_keys)
        if header.version.value != _MESSAGE_VERSION or not header.algorithm.is_committing() or len(keys) != 1:
            raise UnknownForm("an encrypted attribute is a message without key commitment")
        provider = keys[0].key_provider
        key = identity(provider.provider_id, provider.key_info)
        own = own_context(header.encryption_context)
        signed = header.algorithm.is_signing() or own != header.encryption_context
        return Envelope(CURRENT, data, keys[0].encrypted_data_key, key, own, signed, is_branch_key_id(key))

    def encrypt(self, data: bytes, manager: Any, context: Mapping[str, str], algorithm: Algorithm) -> bytes:
        """Return the message that holds ``data``, under a data key of ``manager``."""
        # Read from the stream: the SDK's own encrypt() logs a traceback of what it raises.
        stream = self._client.stream(
            mode="e",
            source=data,
            materials_manager=manager,
            encryption_context=dict(context),
            algorithm=algorithm,
            frame_length=_FRAME_LENGTH,
        )
        return bytes(stream.read())

    def decrypt(self, name: str, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> Value:
        """Return the value in ``envelope``, which was read from the attribute ``name``.

        Raises:
            DecryptionFailed: it does not belong to this item and attribute, or is not authentic.
            KeyNotListed: it is encrypted under a key that is neither the current one nor listed as earlier.
            TransientError, SystemicError: the key service does not answer, or refuses.
        """
        try:
            return decode_value(name, self.content(envelope, context, call))
        except UnsupportedValue as error:
            raise DecryptionFailed("wrong-attribute-or-content") from error

    def content(self, envelope: Envelope, context: Mapping[str, str], call: OneCall) -> bytes:
        """Return the bytes in ``envelope``, once all of it is authenticated.

        The context in the message's header is compared before any key is asked for, again by the materials manager
        (``item_crypto.keys.data_key``), and again, now authenticated, before a plaintext is released. The SDK does not
        compare: outside of the MPL it takes no expected context, and with it a header that lacks a member.

        Raises:
            DecryptionFailed: it does not belong to this item, or is not authentic.
            KeyNotListed: it is encrypted under a key that is neither the current one nor listed as earlier.
            TransientError, SystemicError: the key service does not answer, or refuses.
        """
        manager = call.manager(envelope.key)
        if envelope.context != dict(context):
            raise DecryptionFailed("context-mismatch")
        source = io.BytesIO(envelope.body)
        stream = self._client.stream(
            mode="d",
            source=source,
            materials_manager=manager,
            max_body_length=MAX_INFLATED_SIZE,
        )
        try:
            data, header = stream.read(), stream.header
        except _NOT_AUTHENTIC as error:
            raise DecryptionFailed("not-authentic") from error
        finally:
            # Where it was given up, the stream's finalizer would otherwise complain of an unread footer.
            vars(stream).setdefault("footer", None)
        if source.read(1):
            raise DecryptionFailed("trailing-bytes")
        if own_context(header.encryption_context) != dict(context):
            raise DecryptionFailed("context-mismatch")
        return bytes(data)
