"""Encryption and decryption of an item's values: forms and keys put together.

All values of one call share one data key: a materials manager made anew for the call asks once.
"""

import base64
from collections.abc import Mapping
from typing import Any

from aws_encryption_sdk import Algorithm
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

from item_crypto.core.codec import Value, encode_value
from item_crypto.core.stored_form import Envelope
from item_crypto.errors import KeyNotReady, SystemicError
from item_crypto.forms import MESSAGES, decrypt
from item_crypto.keys.one_call import OneCall
from item_crypto.keys.protocol import Keys


class ValueCipher:
    """Encrypts and decrypts the values of one item at a time; may be shared between threads.

    Args:
        keys: where data keys come from.
        signed: whether messages carry an ECDSA signature. It tells writers from readers, which are one trust domain
            here, and costs about twice the CPU (benchmarks/encrypt_items.py).
    """

    def __init__(self, keys: Keys, signed: bool = False) -> None:
        self.keys = keys
        self._algorithm = (
            Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
            if signed
            else Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
        )

    @property
    def algorithm(self) -> str:
        """The algorithm suite that new messages are made with, by the AWS Encryption SDK's name."""
        return str(self._algorithm.name)

    def encrypt(
        self, values: Mapping[str, Value], context: Mapping[str, str], can_wait: bool = False
    ) -> dict[str, str]:
        """Return what :meth:`messages` does, as base64 text; raises the same."""
        messages = self.messages(values, context, can_wait)
        return {name: base64.b64encode(message).decode() for name, message in messages.items()}

    def messages(
        self, values: Mapping[str, Value], context: Mapping[str, str], can_wait: bool = False
    ) -> dict[str, bytes]:
        """Return one message for each value, by attribute name, all under one new data key.

        Args:
            values: the values, by the name of the attribute of each.
            context: the encryption context of their item.
            can_wait: whether they are encrypted as it is, so that they can wait for a key that is not made yet. If not,
                they are then encrypted under another one, and are again once it is.

        Raises:
            UnsupportedValue: a value is not one that DynamoDB can hold.
            KeyNotReady: there is no key for the context yet, and they can wait for it.
            TenantShredded: there is none any more, and will be none.
            TransientError: KMS was throttled, timed out or failed.
            SystemicError: KMS refuses the key.
        """
        plaintexts = {name: encode_value(name, value) for name, value in values.items()}
        if not plaintexts:
            return {}
        try:
            return self._encrypted(plaintexts, context, self.keys.for_encryption(context))
        except KeyNotReady:
            if can_wait:
                raise
        return self._encrypted(plaintexts, context, self.keys.meanwhile(context))

    def _encrypted(self, plaintexts: Mapping[str, bytes], context: Mapping[str, str], manager: Any) -> dict[str, bytes]:
        try:
            return {
                name: MESSAGES.encrypt(data, manager, context, self._algorithm) for name, data in plaintexts.items()
            }
        except AWSEncryptionSDKClientError as error:
            raise SystemicError("kms", type(error).__name__) from error

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
        call = OneCall(self.keys, context)
        return {name: decrypt(name, envelope, context, call) for name, envelope in envelopes.items()}
