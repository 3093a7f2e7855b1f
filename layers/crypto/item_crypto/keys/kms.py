"""KMS keys, by the specification of AWS's KMS keyring, over the AWS Encryption SDK's own KMS master keys.

The current key alone encrypts; a message is decrypted by the key whose ARN it names, where that is a listed one. Keys
are given by ARN, since an ARN cannot be pointed at another key afterwards. Of a multi-Region key the listed replica
decrypts what another Region's encrypted.

The keyrings of the AWS Cryptographic Material Providers Library make the same messages, and are what the tests compare
with (docs/decisions/40-kms-without-the-mpl.md tells why they are not used).
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_encryption_sdk.exceptions import IncorrectMasterKeyError
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.materials_managers.default import DefaultCryptoMaterialsManager
from aws_encryption_sdk.structures import EncryptedDataKey
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.errors import (
    DecryptionFailed,
    InvalidRequest,
    ItemCryptoError,
    KeyNotListed,
    KeyUnusable,
    SystemicError,
    TransientError,
)
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import KMS_PROVIDER, MAX_ENCRYPTED, Identity, check_key_arn, is_same_key
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Context
from item_crypto.service_errors import from_boto

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

# What KMS, or boto3 before it is asked, says of a request of a wrong shape: that of one odd item.
_MALFORMED: Final = frozenset({"ValidationException", "ParamValidationError"})

# What KMS says of a ciphertext that it did not issue under this key and context, or that is no ciphertext by its size.
_WRONG_CIPHERTEXT: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"}) | _MALFORMED

# What KMS says of a key, and not of whoever asks: disabled, denied, pending deletion (API reference, Decrypt).
_OF_THE_KEY: Final = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)


class Keyrings:
    """KMS keys as :class:`item_crypto.keys.protocol.Keys`; an identity is a key's ARN.

    Args:
        kms: a boto3 KMS client; clients may be shared between threads. It is used, never changed.
        key_arn: the key that new data keys come from.
        earlier_key_arns: keys that data may still be encrypted under.
        meter: told how long each call to KMS took; None where nobody asks.

    Raises:
        ConfigurationError: a key is not given by its key ARN.
    """

    def __init__(
        self, kms: "KMSClient", key_arn: str, earlier_key_arns: Sequence[str] = (), meter: KmsMeter | None = None
    ) -> None:
        self.key_arn = check_key_arn(key_arn)
        self.key_arns = (key_arn, *(check_key_arn(arn) for arn in earlier_key_arns if arn != key_arn))
        self._calls = _Calls(kms, key_arn, meter)
        self._managers = {
            arn: DefaultCryptoMaterialsManager(_MasterKey(key_id=arn, client=self._calls)) for arn in self.key_arns
        }

    def for_encryption(self, context: Context) -> SharedDataKey:
        """Return a materials manager of one call: ``kms:GenerateDataKey`` on the current key only."""
        return SharedDataKey(self._managers[self.key_arn], context)

    def meanwhile(self, context: Context) -> SharedDataKey:
        """Return the same: the current key is there."""
        return self.for_encryption(context)

    def for_decryption(self, identity: Identity, context: Context) -> SharedDataKey:
        """Return a materials manager of one call: ``kms:Decrypt`` on the key that the message names.

        Raises:
            KeyNotListed: it is none of the listed ones.
        """
        listed = self._listed(identity)
        if listed is None:
            raise KeyNotListed
        return SharedDataKey(self._managers[listed], context)

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        """Return a bare data key: KMS does not say under which key it is, so each is tried by its ARN.

        Raises:
            DecryptionFailed: none of the keys fits.
            TransientError, SystemicError: KMS does not answer, or refuses.
        """
        errors = []
        for key_arn in self.key_arns:
            try:
                answer = self._calls.decrypt(
                    KeyId=key_arn, CiphertextBlob=encrypted_key, EncryptionContext=dict(context)
                )
            except DecryptionFailed:
                continue
            except ItemCryptoError as error:
                errors.append(error)  # Another key may still fit.
            else:
                return bytes(answer["Plaintext"])
        raise min(errors, key=_rank, default=DecryptionFailed("context-mismatch-or-unlisted-key"))

    def is_current(self, identity: Identity, context: Context) -> bool:  # noqa: ARG002 - one key for every context
        """Tell whether new data keys come from ``identity``, or from its replica in this Region."""
        return is_same_key(identity, self.key_arn)

    def is_known(self, identity: Identity) -> bool:
        """Tell whether ``identity`` is the current key or one of the earlier ones, or a replica of one."""
        return self._listed(identity) is not None

    def _listed(self, identity: Identity) -> str | None:
        """Return the key that answers for ``identity``: itself, else its replica."""
        if identity in self._managers:
            return identity
        return next((arn for arn in self.key_arns if is_same_key(identity, arn)), None)


class _MasterKey(KMSMasterKey):  # type: ignore[misc]  # the SDK ships no types
    """One KMS key, for any number of threads: it keeps nothing of a call.

    The SDK's own would log each item's encryption context (``INFO``), and knows no replica.
    """

    def generate_data_key(self, algorithm: Any, encryption_context: Context) -> Any:
        """Return a new data key."""
        return self._generate_data_key(algorithm, encryption_context)

    def decrypt_data_key(self, encrypted_data_key: Any, algorithm: Any, encryption_context: Context) -> Any:
        """Return a data key that is encrypted under this key, or under one that this is a replica of.

        Raises:
            IncorrectMasterKeyError: it is under another key, or another provider's; KMS is not asked.
            DecryptionFailed: it is longer than any data key of KMS's; KMS is not asked.
        """
        named = encrypted_data_key.key_provider
        if named.provider_id != KMS_PROVIDER or not is_same_key(named.key_info.decode(), self.key_id.decode()):
            raise IncorrectMasterKeyError
        if len(encrypted_data_key.encrypted_data_key) > MAX_ENCRYPTED:
            raise DecryptionFailed("not-authentic")
        ours = EncryptedDataKey(self.key_provider, encrypted_data_key.encrypted_data_key)
        return self._decrypt_data_key(ours, algorithm, encryption_context)


class _Calls(BaseClient):
    """A KMS client that is listened to: how long its calls took, and what their errors mean.

    It is a client by its type, since the SDK's master keys insist on one. What boto3 raises is translated here, where
    its code is known: the SDK would wrap it, and log a traceback.

    Args:
        kms: the client.
        current_key: the key that new data keys come from.
        meter: told how long each call took.
    """

    def __init__(self, kms: "KMSClient", current_key: str, meter: KmsMeter | None) -> None:
        self._kms = kms
        self._current_key = current_key
        self._meter = meter

    def generate_data_key(self, **arguments: Any) -> Any:
        """Call KMS's GenerateDataKey.

        Raises:
            InvalidRequest: KMS does not take the context.
            TransientError, SystemicError: KMS does not answer, or refuses; or the answer is none to this question.
        """
        answer = self._listened(self._kms.generate_data_key, arguments, self._why_no_data_key)
        if answer["KeyId"] != arguments["KeyId"] or len(answer["Plaintext"]) != arguments["NumberOfBytes"]:
            raise SystemicError("kms", "unexpected-data-key")
        return answer

    def decrypt(self, **arguments: Any) -> Any:
        """Call KMS's Decrypt.

        Raises:
            DecryptionFailed: KMS did not issue it under this key and context.
            KeyUnusable: KMS refuses the key, which is not the current one.
            TransientError, SystemicError: KMS does not answer, or refuses.
        """
        answer = self._listened(self._kms.decrypt, arguments, self._why_not_decrypted)
        if answer["KeyId"] != arguments["KeyId"]:
            raise DecryptionFailed("not-authentic")
        return answer

    def _listened(
        self,
        operation: Callable[..., Any],
        arguments: dict[str, Any],
        meaning: Callable[[ItemCryptoError, dict[str, Any]], ItemCryptoError],
    ) -> Any:
        started = time.perf_counter()
        try:
            return operation(**arguments)
        except (ClientError, BotoCoreError) as error:
            # From None: the text of a service's error may quote what it was asked.
            raise meaning(from_boto("kms", error), arguments) from None
        finally:
            if self._meter is not None:
                self._meter.add((time.perf_counter() - started) * 1000)

    def _why_no_data_key(self, error: ItemCryptoError, _: dict[str, Any]) -> ItemCryptoError:
        if isinstance(error, SystemicError) and error.code in _MALFORMED:
            # Of what is asked, only the context differs from item to item.
            return InvalidRequest("KMS refuses the encryption context as malformed")
        return error

    def _why_not_decrypted(self, error: ItemCryptoError, arguments: dict[str, Any]) -> ItemCryptoError:
        if not isinstance(error, SystemicError):
            return error
        if error.code in _WRONG_CIPHERTEXT:
            return DecryptionFailed("not-authentic")
        if error.code in _OF_THE_KEY and arguments["KeyId"] != self._current_key:
            return KeyUnusable(error.service, error.code)
        return error


def _rank(error: ItemCryptoError) -> int:
    if isinstance(error, TransientError):
        return 0
    return 2 if isinstance(error, KeyUnusable) else 1
