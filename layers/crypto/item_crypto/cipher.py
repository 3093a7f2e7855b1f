"""Encryption and decryption of an item's values with the AWS Encryption SDK.

All values of one call share one data key: a materials manager made anew for the call asks KMS once. Decryption
compares the encryption context in the message's header with the item's own before any key is asked for, and again,
now authenticated, before a plaintext is released. The SDK compares too, but takes a header that lacks a member.
"""

import base64
import io
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from aws_cryptographic_material_providers.mpl.errors import ServiceError
from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.fernet import Fernet, InvalidToken

from item_crypto.core.codec import MAX_INFLATED_SIZE, Value, check_value, decode_value, encode_value
from item_crypto.core.stored_form import MAX_ENCRYPTED_DATA_KEYS, Envelope, Form, own_context
from item_crypto.errors import (
    DecryptionFailed,
    ItemCryptoError,
    KeyNotListed,
    SystemicError,
    TransientError,
    UnsupportedValue,
)
from item_crypto.keys.kms import Keyrings, KmsMeter, SharedDataKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

# The SDK logs the tracebacks of failed streams by itself; what failed is raised, and logged once, without a value.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)

_FRAME_LENGTH: Final = 1024 * 1024  # Larger than an item: every message is one frame, which is the cheapest.
# What KMS says of a ciphertext that it did not issue under this key and context; the last, of one that is too long.
_WRONG_CIPHERTEXT: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException", "ValidationException"})
_NOT_AUTHENTIC: Final = (AWSEncryptionSDKClientError, InvalidTag, InvalidSignature, ValueError, KeyError, TypeError)


class ValueCipher:
    """Encrypts and decrypts the values of one item at a time; may be shared between threads.

    Args:
        kms: a boto3 KMS client.
        keyrings: the keyrings over that client.
        signed: whether messages carry an ECDSA signature. It tells writers from readers, which are one trust domain
            here, and costs about twice the CPU (benchmarks/encrypt_items.py).
    """

    def __init__(self, kms: "KMSClient", keyrings: Keyrings, signed: bool = False) -> None:
        self._kms = kms
        self._keyrings = keyrings
        self._algorithm = (
            Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
            if signed
            else Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
        )
        self._client = EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
            max_encrypted_data_keys=MAX_ENCRYPTED_DATA_KEYS,
        )
        self.meter = KmsMeter(kms)

    @property
    def key_arn(self) -> str:
        """ARN of the KMS key that new data keys come from."""
        return self._keyrings.key_arn

    @property
    def key_arns(self) -> tuple[str, ...]:
        """ARNs of all keys that data may be encrypted under: the current one, then the earlier ones."""
        return self._keyrings.key_arns

    def encrypt(self, values: Mapping[str, Value], context: Mapping[str, str]) -> dict[str, str]:
        """Return base64 text of one message for each value, by attribute name, all under one new data key.

        Raises:
            UnsupportedValue: a value is not one that DynamoDB can hold.
            TransientError: KMS was throttled, timed out or failed.
            SystemicError: KMS refuses the key.
        """
        plaintexts = {name: encode_value(name, value) for name, value in values.items()}
        manager = SharedDataKey(self._keyrings.for_encryption)
        self.meter.clear()
        try:
            return {
                name: base64.b64encode(self._encrypt(data, manager, context)).decode()
                for name, data in plaintexts.items()
            }
        except (AWSEncryptionSDKClientError, ServiceError, BotoCoreError) as error:
            raise self._kms_error() or SystemicError("kms", type(error).__name__) from error

    def _encrypt(self, data: bytes, manager: SharedDataKey, context: Mapping[str, str]) -> bytes:
        message, _ = self._client.encrypt(
            source=data,
            materials_manager=manager,
            encryption_context=dict(context),
            algorithm=self._algorithm,
            frame_length=_FRAME_LENGTH,
        )
        return bytes(message)

    def decrypt(self, envelopes: Mapping[str, Envelope], context: Mapping[str, str]) -> dict[str, Value]:
        """Return the values in ``envelopes``, by attribute name; all of them or none.

        Args:
            envelopes: opened ciphertexts by the name of the attribute that they were read from.
            context: the encryption context of the item that they were read from.

        Raises:
            DecryptionFailed: one does not belong to this item and attribute, or is not authentic.
            KeyNotListed: one is encrypted under a key that is neither the current one nor listed as earlier.
            UnsupportedValue: an old-form value is none that DynamoDB can hold.
            TransientError: KMS was throttled, timed out or failed.
            SystemicError: KMS refuses the key.
        """
        manager: SharedDataKey | None = None
        values: dict[str, Value] = {}
        for name, envelope in envelopes.items():
            if envelope.form is Form.LISA:
                values[name] = self._decrypt_lisa(envelope, context)
            else:
                manager = manager or SharedDataKey(self._keyrings.for_decryption)
                values[name] = self._decrypt_message(name, envelope, manager, context)
        return values

    def _decrypt_message(
        self, name: str, envelope: Envelope, manager: SharedDataKey, context: Mapping[str, str]
    ) -> Value:
        if envelope.key_arn not in self._keyrings.key_arns:
            raise KeyNotListed
        if envelope.context != dict(context):
            raise DecryptionFailed("context-mismatch")
        self.meter.clear()
        source = io.BytesIO(envelope.body)
        stream = self._client.stream(
            mode="d",
            source=source,
            materials_manager=manager,
            encryption_context=dict(context),
            max_body_length=MAX_INFLATED_SIZE,
        )
        try:
            data, header = stream.read(), stream.header
        except (*_NOT_AUTHENTIC, ServiceError, BotoCoreError) as error:
            raise self._kms_error() or DecryptionFailed("not-authentic") from error
        finally:
            # Where it was given up, the stream's finalizer would otherwise complain of an unread footer.
            vars(stream).setdefault("footer", None)
        if source.read(1):
            raise DecryptionFailed("trailing-bytes")
        if own_context(header.encryption_context) != dict(context):
            raise DecryptionFailed("context-mismatch")
        try:
            return decode_value(name, data)
        except UnsupportedValue as error:
            raise DecryptionFailed("wrong-attribute-or-content") from error

    def _decrypt_lisa(self, envelope: Envelope, context: Mapping[str, str]) -> Value:
        key = self._lisa_data_key(envelope.encrypted_key, context)
        try:
            text = Fernet(base64.urlsafe_b64encode(key[:32])).decrypt(envelope.body)
        except (InvalidToken, ValueError):
            raise DecryptionFailed("not-authentic") from None
        return _value_from_plain_json(text)

    def _lisa_data_key(self, encrypted_key: bytes, context: Mapping[str, str]) -> bytes:
        """Return the data key of an old-form value: KMS does not say under which key, so each is tried by its ARN."""
        self.meter.clear()
        for key_arn in self._keyrings.key_arns:
            with suppress(ClientError, BotoCoreError):  # The meter notes why it failed; another key may still fit.
                answer = self._kms.decrypt(KeyId=key_arn, CiphertextBlob=encrypted_key, EncryptionContext=dict(context))
                return answer["Plaintext"]
        raise self._kms_error() or DecryptionFailed("context-mismatch-or-unlisted-key")

    def _kms_error(self) -> ItemCryptoError | None:
        """Return the error of KMS that this thread's operation met: one that passes first, then one that lasts."""
        errors = [
            error
            for error in self.meter.errors
            if isinstance(error, TransientError)
            or (isinstance(error, SystemicError) and error.code not in _WRONG_CIPHERTEXT)
        ]
        return min(errors, key=lambda error: not isinstance(error, TransientError), default=None)


def _value_from_plain_json(text: bytes) -> Value:
    """Return the value that LISA stored as ordinary JSON; numbers through Decimal, never through a float."""

    def refuse(_name: str) -> Any:
        raise ValueError("not a number that DynamoDB can hold")

    try:
        content = json.loads(text.decode(), parse_int=Decimal, parse_float=Decimal, parse_constant=refuse)
        value: Value = TypeSerializer().serialize(content)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise UnsupportedValue("an old-form value is none that DynamoDB can hold") from None
    check_value(value)
    return value
