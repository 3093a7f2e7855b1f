"""Branch keys, by the specification of AWS's hierarchical keyring, under the AWS Encryption SDK's own master keys.

::

    KMS key ──wraps──▶ branch key of a tenant ──wraps──▶ data key of an item ──▶ its values
                       (a row of a table, kept decrypted for a while)

A tenant's items need one call to KMS each time that its branch key is read, and none in between. A message needs the
branch key that its item's key gives, and no other: that is compared before anything is asked for.

What is under a KMS key itself stays readable, and is written where a branch key is not made yet: nothing waits in
plaintext for a key.

The keyring of the AWS Cryptographic Material Providers Library makes the same messages, and is what the tests compare
with (docs/decisions/43-branch-keys-without-the-mpl.md tells why it is not used).
"""

import secrets
import time
from collections.abc import Callable
from copy import copy
from typing import Any, Final

import attr
from aws_encryption_sdk.exceptions import IncorrectMasterKeyError
from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.key_providers.base import MasterKey, MasterKeyConfig
from aws_encryption_sdk.materials_managers.default import DefaultCryptoMaterialsManager
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

from item_crypto.errors import (
    ConfigurationError,
    ContextUnusable,
    DecryptionFailed,
    KeyDestroyed,
    KeyNotReady,
    TenantShredded,
)
from item_crypto.keys.branch_key_id import is_branch_key_id
from item_crypto.keys.branch_keys import BranchKeys
from item_crypto.keys.branch_wrapping import BranchKeyVersion, unwrap, version_of, wrap
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import HIERARCHY_PROVIDER, Identity
from item_crypto.keys.kept import Kept
from item_crypto.keys.protocol import Context, Keys

MAX_SECONDS: Final = 3_600
"""How long a branch key may be kept at most, decrypted."""

MAX_ENTRIES: Final = 10_000
"""How many versions of branch keys are kept at most: two for each tenant whose items are both written and read."""


class HierarchicalKeys:
    """Branch keys as :class:`item_crypto.keys.protocol.Keys`; an identity is a branch key's, or a KMS key's.

    Args:
        kms_keys: the KMS keys, for what is under one, and for what cannot wait for a branch key.
        branch_keys: the branch keys.
        cache_seconds: how long a branch key may be used after it was asked for: 1 to 3,600.
        writes: whether new data keys come from branch keys; if not, they are only read.
        makes: whether a branch key that is missing is made, by whoever has the rights.
        clocks: return seconds: one that only goes forward, and one that goes on while a process is frozen.

    Raises:
        ConfigurationError: ``cache_seconds`` is out of bounds.
    """

    def __init__(
        self,
        kms_keys: Keys,
        branch_keys: BranchKeys,
        cache_seconds: int,
        writes: bool = True,
        makes: bool = False,
        clocks: tuple[Callable[[], float], ...] = (time.monotonic, time.time),
    ) -> None:
        if not 1 <= cache_seconds <= MAX_SECONDS:
            raise ConfigurationError(f"branch keys are kept for 1 to {MAX_SECONDS} seconds")
        self._kms_keys = kms_keys
        self._branch_keys = branch_keys
        self._tenants = branch_keys.tenants
        self._writes = writes
        self._makes = makes
        self._kept = Kept[BranchKeyVersion](cache_seconds, MAX_ENTRIES, clocks)

    def over(self, kms_keys: Keys) -> "HierarchicalKeys":
        """Return the same over other KMS keys: what is kept of branch keys is shared."""
        other = copy(self)
        other._kms_keys = kms_keys
        return other

    def for_encryption(self, context: Context) -> Any:
        """Return a materials manager of one call, under the branch key of ``context``."""
        if not self._writes:
            return self._kms_keys.for_encryption(context)
        tenant = self._tenants.tenant(context)
        return self._manager(self._tenants.branch_key_id(tenant), context, tenant)

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
        tenant = self._tenants.tenant(context)
        if identity != self._tenants.branch_key_id(tenant):
            raise DecryptionFailed("other-branch-key")
        return self._manager(identity, context, tenant)

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

    def _manager(self, branch_key_id: str, context: Context, tenant: str) -> SharedDataKey:
        source = _Source(
            current=lambda: self._current(branch_key_id, tenant),
            version=lambda wrapped: self._version(branch_key_id, wrapped),
        )
        return SharedDataKey(DefaultCryptoMaterialsManager(_MasterKey(key_id=branch_key_id, source=source)), context)

    def _current(self, branch_key_id: str, tenant: str) -> BranchKeyVersion:
        def ask() -> BranchKeyVersion:
            try:
                return self._branch_keys.current(branch_key_id)
            except KeyNotReady:
                if not self._makes:
                    raise
            self._branch_keys.make(tenant)
            return self._branch_keys.current(branch_key_id)

        try:
            return self._kept.get((branch_key_id, None), ask)
        except KeyDestroyed:
            raise TenantShredded from None

    def _version(self, branch_key_id: str, wrapped: bytes) -> BranchKeyVersion:
        version = version_of(wrapped)
        return self._kept.get((branch_key_id, version), lambda: self._branch_keys.version(branch_key_id, version))


@attr.s(frozen=True, eq=False)
class _Source:
    """Where versions of one branch key come from."""

    current: Callable[[], BranchKeyVersion] = attr.ib()
    version: Callable[[bytes], BranchKeyVersion] = attr.ib()


@attr.s(hash=True)
class _Config(MasterKeyConfig):  # type: ignore[misc]  # the SDK ships no types
    provider_id = HIERARCHY_PROVIDER
    source: _Source = attr.ib(hash=False, default=None)


class _MasterKey(MasterKey):  # type: ignore[misc]  # the SDK ships no types
    """One branch key, for one call.

    Each of these is the SDK's own less one line: that would log each item's encryption context (``INFO``).
    """

    provider_id = HIERARCHY_PROVIDER
    _config_class = _Config

    def generate_data_key(self, algorithm: Algorithm, encryption_context: Context) -> DataKey:
        """Return a new data key, under the version that is current."""
        return self._generate_data_key(algorithm, encryption_context)

    def decrypt_data_key(self, encrypted_data_key: Any, algorithm: Algorithm, encryption_context: Context) -> DataKey:
        """Return a data key that is under this branch key.

        Raises:
            IncorrectMasterKeyError: it is under another key, or another provider's; nothing is asked for.
        """
        if not self.owns_data_key(encrypted_data_key):
            raise IncorrectMasterKeyError
        return self._decrypt_data_key(encrypted_data_key, algorithm, encryption_context)

    def _generate_data_key(self, algorithm: Algorithm, encryption_context: Context) -> DataKey:
        plaintext = secrets.token_bytes(algorithm.kdf_input_len)
        wrapped = wrap(plaintext, self.config.source.current(), encryption_context)
        return DataKey(self.key_provider, plaintext, wrapped)

    def _decrypt_data_key(self, encrypted_data_key: Any, algorithm: Algorithm, encryption_context: Context) -> DataKey:
        wrapped = encrypted_data_key.encrypted_data_key
        plaintext = unwrap(wrapped, self.config.source.version(wrapped), encryption_context)
        if len(plaintext) != algorithm.kdf_input_len:
            raise DecryptionFailed("not-authentic")
        return DataKey(self.key_provider, plaintext, wrapped)

    def _encrypt_data_key(self, *_: Any, **__: Any) -> EncryptedDataKey:
        """Refuse a data key that another key made: no message of ours has two."""
        raise IncorrectMasterKeyError
