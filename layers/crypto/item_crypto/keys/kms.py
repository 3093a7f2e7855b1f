"""KMS keyrings of the AWS Cryptographic Material Providers Library (MPL), and what they cost.

One keyring a thread, since the MPL says that KMS keyrings must not be shared between threads. Encryption has a
keyring of the current key alone; decryption adds the earlier keys. Keys are given by ARN: the MPL cannot decrypt
through an alias, and an ARN cannot be pointed at another key afterwards.
"""

import re
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsKeyringInput,
    CreateDefaultCryptographicMaterialsManagerInput,
    CreateMultiKeyringInput,
)
from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL
from botocore.exceptions import BotoCoreError

from item_crypto.errors import ConfigurationError, ItemCryptoError
from item_crypto.service_errors import from_boto, from_code

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_KEY_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})")


def check_key_arn(arn: str) -> str:
    """Return ``arn`` if it is the ARN of a KMS key.

    Raises:
        ConfigurationError: it is an alias, a bare key id, or no ARN of a key.
    """
    if ":alias/" in arn or arn.startswith("alias/"):
        raise ConfigurationError("a KMS key must be given by its key ARN, not by an alias")
    if not _KEY_ARN.fullmatch(arn):
        raise ConfigurationError("a KMS key must be given by its key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID)")
    return arn


class Keyrings:
    """Cryptographic materials managers for encryption and decryption, made once a thread.

    Args:
        kms: a boto3 KMS client; clients may be shared between threads.
        key_arn: the key that new data keys come from.
        earlier_key_arns: keys that data may still be encrypted under.

    Raises:
        ConfigurationError: a key is not given by its key ARN.
    """

    def __init__(self, kms: "KMSClient", key_arn: str, earlier_key_arns: Sequence[str] = ()) -> None:
        self._kms = kms
        self.key_arn = check_key_arn(key_arn)
        self.key_arns = (key_arn, *(check_key_arn(arn) for arn in earlier_key_arns if arn != key_arn))
        self._of_thread = threading.local()

    @property
    def for_encryption(self) -> CryptoMaterialsManagerFromMPL:
        """This thread's materials manager for encryption: ``kms:GenerateDataKey`` on the current key only."""
        if not hasattr(self._of_thread, "for_encryption"):
            self._of_thread.for_encryption = self._manager(self.key_arns[:1])
        return self._of_thread.for_encryption

    @property
    def for_decryption(self) -> CryptoMaterialsManagerFromMPL:
        """This thread's materials manager for decryption: ``kms:Decrypt`` on the key that the message names."""
        if not hasattr(self._of_thread, "for_decryption"):
            self._of_thread.for_decryption = self._manager(self.key_arns)
        return self._of_thread.for_decryption

    def _manager(self, key_arns: Sequence[str]) -> CryptoMaterialsManagerFromMPL:
        library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        keyring, *others = [
            library.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=self._kms))
            for arn in key_arns
        ]
        if others:
            keyring = library.create_multi_keyring(CreateMultiKeyringInput(generator=keyring, child_keyrings=others))
        manager = library.create_default_cryptographic_materials_manager(
            CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
        )
        return CryptoMaterialsManagerFromMPL(manager)


class SharedDataKey(CryptoMaterialsManagerFromMPL):  # type: ignore[misc]  # the SDK ships no types
    """A materials manager for the values of one item in one call: it asks KMS once for each data key.

    To be made anew for each call, with one encryption context. The SDK's own caching manager does not serve: over an
    MPL keyring it cannot sign (it takes the MPL's signing keys for another encoding), and it refuses an expected
    encryption context.

    Args:
        manager: this thread's materials manager.
    """

    def __init__(self, manager: CryptoMaterialsManagerFromMPL) -> None:
        super().__init__(manager.mpl_cmm)
        self._for_encryption: Any = None
        self._for_decryption: dict[object, Any] = {}

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> Any:
        """Return the call's one data key; the SDK derives each message's own key from it (HKDF, message id)."""
        if self._for_encryption is None:
            # Without the plaintext's length, which the MPL would take as a bound for the other values too.
            unbounded = EncryptionMaterialsRequest(
                encryption_context=request.encryption_context,
                frame_length=request.frame_length,
                algorithm=request.algorithm,
                commitment_policy=request.commitment_policy,
            )
            self._for_encryption = super().get_encryption_materials(unbounded)
        return self._for_encryption

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> Any:
        """Return the data key of a message, from KMS where no message before had the same header data."""
        context = frozenset(request.encryption_context.items())
        question = (request.algorithm, frozenset(request.encrypted_data_keys), context)
        if question not in self._for_decryption:
            self._for_decryption[question] = super().decrypt_materials(request)
        return self._for_decryption[question]


class KmsMeter:
    """Listens to a KMS client: what its calls cost, and with which error code they failed.

    The MPL reports a failed call as text without its code, so the code is taken where boto3 knows it.

    Args:
        kms: the client to listen to.
    """

    def __init__(self, kms: "KMSClient") -> None:
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._latencies: list[float] = []
        events = kms.meta.events
        events.register("before-parameter-build.kms", self._before)
        events.register("after-call.kms", self._after)
        events.register("after-call-error.kms", self._failed)

    def clear(self) -> None:
        """Forget this thread's errors; call it before an operation."""
        self._of_thread.errors = []

    @property
    def errors(self) -> list[ItemCryptoError]:
        """The errors of this thread's calls since :meth:`clear`, oldest first."""
        return list(getattr(self._of_thread, "errors", []))

    def drain(self) -> list[float]:
        """Return the latencies of all threads' calls since the last drain, in milliseconds, and forget them."""
        with self._lock:
            latencies, self._latencies = self._latencies, []
        return latencies

    def _before(self, **_: Any) -> None:
        self._of_thread.started = time.perf_counter()

    def _after(self, http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        self._measure()
        if http_response.status_code >= 300:
            code = str(parsed.get("Error", {}).get("Code", "Unknown"))
            self._note(from_code("kms", code, http_response.status_code))

    def _failed(self, exception: Exception, **_: Any) -> None:
        self._measure()
        if isinstance(exception, BotoCoreError):
            self._note(from_boto("kms", exception))

    def _measure(self) -> None:
        latency = (time.perf_counter() - self._of_thread.started) * 1000
        with self._lock:
            self._latencies.append(latency)

    def _note(self, error: ItemCryptoError) -> None:
        self._of_thread.errors = [*self.errors, error]
