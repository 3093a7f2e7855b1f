"""KMS keys, by the keyrings of the AWS Cryptographic Material Providers Library (MPL).

One keyring a thread, since the MPL says that KMS keyrings must not be shared between threads. Encryption has a
keyring of the current key alone, decryption one of the key that the message names. Keys are given by ARN: the MPL
cannot decrypt through an alias, and an ARN cannot be pointed at another key afterwards.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.errors import ServiceError
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsKeyringInput,
    CreateDefaultCryptographicMaterialsManagerInput,
)
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL
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
from item_crypto.keys.identity import Identity, check_key_arn
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

    raises: tuple[type[Exception], ...] = (ServiceError, BotoCoreError)

    def __init__(
        self, kms: "KMSClient", key_arn: str, earlier_key_arns: Sequence[str] = (), meter: KmsMeter | None = None
    ) -> None:
        self.key_arn = check_key_arn(key_arn)
        self.key_arns = (key_arn, *(check_key_arn(arn) for arn in earlier_key_arns if arn != key_arn))
        self._calls = _Calls(kms, key_arn, meter)
        self._of_thread = threading.local()

    def for_encryption(self, context: Context) -> SharedDataKey:  # noqa: ARG002 - one key for every context
        """Return a materials manager of one call: ``kms:GenerateDataKey`` on the current key only."""
        return SharedDataKey(self._manager(self.key_arn))

    def meanwhile(self, context: Context) -> SharedDataKey:
        """Return the same: the current key is there."""
        return self.for_encryption(context)

    def for_decryption(self, identity: Identity, context: Context) -> SharedDataKey:  # noqa: ARG002
        """Return a materials manager of one call: ``kms:Decrypt`` on the key that the message names.

        Raises:
            KeyNotListed: it is none of the listed ones.
        """
        if identity not in self.key_arns:
            raise KeyNotListed
        return SharedDataKey(self._manager(identity))

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        """Return a bare data key: KMS does not say under which key it is, so each is tried by its ARN.

        Raises:
            DecryptionFailed: none of the keys fits.
            TransientError, SystemicError: KMS does not answer, or refuses.
        """
        watch = self.watch()
        for key_arn in self.key_arns:
            with suppress(ClientError, BotoCoreError):  # The watch knows why it failed; another key may still fit.
                answer = self._calls.decrypt(
                    KeyId=key_arn, CiphertextBlob=encrypted_key, EncryptionContext=dict(context)
                )
                return bytes(answer["Plaintext"])
        raise watch.error or DecryptionFailed("context-mismatch-or-unlisted-key")

    def is_current(self, identity: Identity, context: Context) -> bool:  # noqa: ARG002
        """Tell whether new data keys come from ``identity``."""
        return identity == self.key_arn

    def is_known(self, identity: Identity) -> bool:
        """Tell whether ``identity`` is the current key or one of the earlier ones."""
        return identity in self.key_arns

    def watch(self) -> "_Calls":
        """Begin to watch this thread's calls to KMS."""
        self._calls.errors.clear()
        return self._calls

    def _manager(self, key_arn: str) -> CryptoMaterialsManagerFromMPL:
        """Return this thread's materials manager over one key."""
        managers: dict[str, CryptoMaterialsManagerFromMPL] = vars(self._of_thread).setdefault("managers", {})
        if key_arn not in managers:
            library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
            keyring = library.create_aws_kms_keyring(
                CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=self._calls)
            )
            managers[key_arn] = CryptoMaterialsManagerFromMPL(
                library.create_default_cryptographic_materials_manager(
                    CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
                )
            )
        return managers[key_arn]


class _Calls:
    """A KMS client that is listened to: how long its calls took, and why those of each thread failed.

    The MPL reports a failed call as text without its code, so the code is taken here, where boto3 raises it.

    Args:
        kms: the client.
        current_key: the key that new data keys come from.
        meter: told how long each call took.
    """

    def __init__(self, kms: "KMSClient", current_key: str, meter: KmsMeter | None) -> None:
        self._kms = kms
        self._current_key = current_key
        self._meter = meter
        self._of_thread = threading.local()

    @property
    def meta(self) -> Any:
        """The client's own description, which the MPL reads the Region from."""
        return self._kms.meta

    def generate_data_key(self, **arguments: Any) -> Any:
        """Call KMS's GenerateDataKey."""
        return self._listened(self._kms.generate_data_key, arguments, self._why_no_data_key)

    def decrypt(self, **arguments: Any) -> Any:
        """Call KMS's Decrypt."""
        return self._listened(self._kms.decrypt, arguments, self._why_not_decrypted)

    @property
    def error(self) -> ItemCryptoError | None:
        """The error behind this thread's calls since the watch began, of several the one that concerns most.

        One that passes comes first, since it hides what a call would have said; then one that lasts for every item,
        then one that lasts for those under an earlier key.
        """
        errors = [error for error in self.errors if not isinstance(error, DecryptionFailed)]
        return min(errors, key=_rank, default=None)

    @property
    def errors(self) -> list[ItemCryptoError]:
        """The errors of this thread's calls, oldest first."""
        errors: list[ItemCryptoError] = vars(self._of_thread).setdefault("errors", [])
        return errors

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
            self.errors.append(meaning(from_boto("kms", error), arguments))
            raise
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
            return DecryptionFailed("not-issued-under-this-key-and-context")
        if error.code in _OF_THE_KEY and arguments["KeyId"] != self._current_key:
            return KeyUnusable(error.service, error.code)
        return error


def _rank(error: ItemCryptoError) -> int:
    if isinstance(error, TransientError):
        return 0
    return 2 if isinstance(error, KeyUnusable) else 1
