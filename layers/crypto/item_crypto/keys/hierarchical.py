"""Branch keys, by the hierarchical keyring of the AWS Cryptographic Material Providers Library (MPL).

::

    KMS key ──wraps──▶ branch key of a tenant ──wraps──▶ data key of an item ──▶ its values
                       (a row of a table, kept decrypted for a while)

A tenant's items need one call to KMS each time that its branch key is read, and none in between. A message needs the
branch key that its item's key gives, and no other: that is compared before anything is asked for.

What is under a KMS key itself stays readable, and is written where a branch key is not made yet: nothing waits in
plaintext for a key.

One keyring a thread, as for the MPL's other keyrings; what they know of branch keys is shared. Its cache goes by the
clock on the wall, so that it ages while an environment is frozen.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.errors import ServiceError
from aws_cryptographic_material_providers.mpl.models import (
    CacheTypeMultiThreaded,
    CacheTypeShared,
    CreateAwsKmsHierarchicalKeyringInput,
    CreateCryptographicMaterialsCacheInput,
    CreateDefaultCryptographicMaterialsManagerInput,
    GetBranchKeyIdInput,
    GetBranchKeyIdOutput,
    MultiThreadedCache,
)
from aws_cryptographic_material_providers.mpl.references import IBranchKeyIdSupplier
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL
from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.errors import (
    ConfigurationError,
    ContextUnusable,
    DecryptionFailed,
    KeyDestroyed,
    KeyNotReady,
    TenantShredded,
)
from item_crypto.keys.branch_key_id import Tenants, is_branch_key_id
from item_crypto.keys.branch_keys import BranchKeys
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import Identity
from item_crypto.keys.protocol import Context, Keys

MAX_SECONDS: Final = 3_600
"""How long a branch key may be kept at most, decrypted."""

_ENTRIES: Final = 2_000  # Of 1 to 2 KB: two for each tenant whose items are both written and read.
_PARTITION: Final = "item-crypto"  # The same for each thread's keyring, so that they share what is kept.


class HierarchicalKeys:
    """Branch keys as :class:`item_crypto.keys.protocol.Keys`; an identity is a branch key's, or a KMS key's.

    Args:
        kms_keys: the KMS keys, for what is under one, and for what cannot wait for a branch key.
        branch_keys: the branch keys.
        cache_seconds: how long a branch key may be used after it was asked for: 1 to 3,600.
        writes: whether new data keys come from branch keys; if not, they are only read.
        makes: whether a branch key that is missing is made, by whoever has the rights.

    Raises:
        ConfigurationError: ``cache_seconds`` is out of bounds.
    """

    def __init__(
        self, kms_keys: Keys, branch_keys: BranchKeys, cache_seconds: int, writes: bool = True, makes: bool = False
    ) -> None:
        if not 1 <= cache_seconds <= MAX_SECONDS:
            raise ConfigurationError(f"branch keys are kept for 1 to {MAX_SECONDS} seconds")
        self._kms_keys = kms_keys
        self._branch_keys = branch_keys
        self._tenants = branch_keys.tenants
        self._seconds = cache_seconds
        self._writes = writes
        self._makes = makes
        self._library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        self._cache = self._library.create_cryptographic_materials_cache(
            CreateCryptographicMaterialsCacheInput(
                cache=CacheTypeMultiThreaded(MultiThreadedCache(entry_capacity=_ENTRIES, entry_pruning_tail_size=1))
            )
        )
        self._of_thread = threading.local()

    def for_encryption(self, context: Context) -> Any:
        """Return a materials manager of one call, under the branch key of ``context``."""
        if not self._writes:
            return self._kms_keys.for_encryption(context)
        tenant = self._tenants.tenant(context)
        make = (lambda: self._branch_keys.make(tenant)) if self._makes else None
        return _OneCall(self._manager(), context, self._branch_keys, self._tenants.branch_key_id(tenant), make)

    def meanwhile(self, context: Context) -> Any:
        """Return a materials manager for what cannot wait for its branch key: of the current KMS key."""
        return self._kms_keys.meanwhile(context)

    def for_decryption(self, identity: Identity, context: Context) -> Any:
        """Return a materials manager of one call, under the key that the message names.

        Raises:
            DecryptionFailed: it is the branch key of somebody else.
            KeyNotListed: it is no branch key, and none of the KMS keys.
        """
        if not is_branch_key_id(identity):
            return self._kms_keys.for_decryption(identity, context)
        if identity != self._tenants.of_context(context):
            raise DecryptionFailed("other-branch-key")
        return _OneCall(self._manager(), context, self._branch_keys, identity)

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        """Return a bare data key, which is always under a KMS key."""
        return self._kms_keys.unwrap(encrypted_key, context)

    def is_current(self, identity: Identity, context: Context) -> bool:
        """Tell whether a write under ``context`` now would use the key ``identity``, if that is made."""
        if not self._writes:
            return self._kms_keys.is_current(identity, context)
        try:
            return identity == self._tenants.of_context(context)
        except ContextUnusable:
            return False

    def is_known(self, identity: Identity) -> bool:
        """Tell whether it is a branch key, or one of the KMS keys."""
        return is_branch_key_id(identity) or self._kms_keys.is_known(identity)

    def _manager(self) -> CryptoMaterialsManagerFromMPL:
        """Return this thread's materials manager."""
        manager = vars(self._of_thread).get("manager")
        if manager is None:
            keyring = self._library.create_aws_kms_hierarchical_keyring(
                CreateAwsKmsHierarchicalKeyringInput(
                    key_store=self._branch_keys.store,
                    branch_key_id_supplier=_Supplier(self._tenants),
                    ttl_seconds=self._seconds,
                    cache=CacheTypeShared(self._cache),
                    partition_id=_PARTITION,
                )
            )
            manager = self._of_thread.manager = CryptoMaterialsManagerFromMPL(
                self._library.create_default_cryptographic_materials_manager(
                    CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
                )
            )
        return manager


class _Supplier(IBranchKeyIdSupplier):  # type: ignore[misc]  # the MPL ships no types
    """Tells the MPL which branch key an item needs."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    def get_branch_key_id(self, param: GetBranchKeyIdInput) -> GetBranchKeyIdOutput:
        """Return the identifier of the branch key that the context gives."""
        return GetBranchKeyIdOutput(branch_key_id=self._tenants.of_context(param.encryption_context))


class _OneCall(SharedDataKey):
    """A materials manager of one call that raises this package's errors.

    Args:
        manager: this thread's materials manager.
        context: the item's encryption context.
        branch_keys: the branch keys, to be asked why one cannot be used.
        branch_key_id: the one that is needed.
        make: makes it, where it is not there; None where that is somebody else's business.
    """

    def __init__(
        self,
        manager: CryptoMaterialsManagerFromMPL,
        context: Context,
        branch_keys: BranchKeys,
        branch_key_id: str,
        make: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(manager, context)
        self._branch_keys = branch_keys
        self._branch_key_id = branch_key_id
        self._make = make

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> Any:
        """Return the call's one data key."""
        try:
            try:
                return self._asked(super().get_encryption_materials, request, reading=False)
            except KeyNotReady:
                if self._make is None:
                    raise
            self._make()
            return self._asked(super().get_encryption_materials, request, reading=False)
        except KeyDestroyed:
            raise TenantShredded from None

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> Any:
        """Return the data key of a message."""
        return self._asked(super().decrypt_materials, request, reading=True)

    def _asked(self, ask: Callable[[Any], Any], request: Any, reading: bool) -> Any:
        self._branch_keys.heard.begin()
        try:
            return ask(request)
        except (ServiceError, AWSEncryptionSDKClientError, ClientError, BotoCoreError) as error:
            raise self._branch_keys.why_failed(self._branch_key_id, reading) from error
