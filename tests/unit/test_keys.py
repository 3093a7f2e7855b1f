"""Keys behind their protocol: a second kind, which knows no ARN and no KMS, goes through everything as KMS keys do."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateDefaultCryptographicMaterialsManagerInput,
    CreateRawAesKeyringInput,
)
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL

from item_crypto import (
    DecryptionFailed,
    ItemCipher,
    Keyrings,
    Reconciler,
    Role,
    Status,
    ValueCipher,
    decide,
)
from item_crypto.errors import KeyDestroyed, KeyNotListed, KeyNotReady, TenantShredded
from item_crypto.forms import open_envelope
from item_crypto.keys import identity as identities
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import Identity
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Context, Keys
from tests.faults import failing
from tests.scene import CONFIGURATION, HISTORY, POLICY, Scene

PROVIDER = "test-tenants"
SPARE = "nobody"


class TenantKeys:
    """A key a tenant, in memory: made by ``make``, gone by ``destroy``. A key's identity is its tenant's name."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._destroyed: set[str] = set()

    def make(self, tenant: str) -> None:
        self._keys[tenant] = tenant.encode().ljust(32, b".")

    def destroy(self, tenant: str) -> None:
        del self._keys[tenant]
        self._destroyed.add(tenant)

    def for_encryption(self, context: Context) -> Any:
        if context["userId"] in self._destroyed:
            raise TenantShredded
        return self._manager(context["userId"], context)

    def meanwhile(self, context: Context) -> Any:
        self._keys.setdefault(SPARE, SPARE.encode().ljust(32, b"."))
        return self._manager(SPARE, context)

    def for_decryption(self, identity: Identity, context: Context) -> Any:
        if identity not in (context["userId"], SPARE):
            raise KeyNotListed
        return self._manager(identity, context)

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        raise DecryptionFailed("no-bare-data-keys")

    def is_current(self, identity: Identity, context: Context) -> bool:
        return identity == context.get("userId")

    def is_known(self, identity: Identity) -> bool:
        return identity in self._keys

    def _manager(self, tenant: str, context: Context) -> Any:
        if tenant in self._destroyed:
            raise KeyDestroyed
        if tenant not in self._keys:
            raise KeyNotReady
        library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        keyring = library.create_raw_aes_keyring(
            CreateRawAesKeyringInput(
                key_namespace=PROVIDER,
                key_name=tenant,
                wrapping_key=self._keys[tenant],
                wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
            )
        )
        manager = library.create_default_cryptographic_materials_manager(
            CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
        )
        return SharedDataKey(CryptoMaterialsManagerFromMPL(manager), context)


@pytest.fixture
def tenants(monkeypatch: pytest.MonkeyPatch) -> TenantKeys:
    original = identities.identity

    def identity(provider_id: str, key_info: bytes) -> Identity:
        if provider_id == PROVIDER:
            # A raw keyring's info is the key's name, then lengths and an initialization vector.
            return Identity(key_info[: -4 - 4 - 12].decode())
        return original(provider_id, key_info)

    # The one line of a provider that a second kind of keys adds.
    monkeypatch.setattr("item_crypto.forms.current.identity", identity)
    return TenantKeys()


def reconciler(scene: Scene, keys: Keys) -> Reconciler:
    return Reconciler(scene.table, ValueCipher(keys))


def reconcile(scene: Scene, keys: Keys, key: Any, role: Role = Role.ENCRYPTOR) -> Any:
    (outcome,) = reconciler(scene, keys).reconcile([key], scene.policy, role).values()
    return outcome


def test_keys_of_another_kind_when_used_then_items_are_encrypted_and_read_as_under_kms(
    scene: Scene, tenants: TenantKeys
) -> None:
    key = scene.new_key()
    tenants.make(key["userId"]["S"])
    plain = key | {"history": HISTORY, "configuration": CONFIGURATION}
    scene.store(plain)

    assert reconcile(scene, tenants, key).status is Status.ENCRYPTED

    stored = scene.stored(key)
    assert stored is not None
    assert "history" not in stored
    assert reconciler(scene, tenants).access(key, scene.policy).item == plain
    assert reconcile(scene, tenants, key, Role.MIGRATOR).status is Status.NOTHING


def test_key_that_is_not_there_yet_when_reconciled_then_nothing_waits_for_it_in_plaintext(
    scene: Scene, tenants: TenantKeys
) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})

    assert reconcile(scene, tenants, key).status is Status.ENCRYPTED
    stored = scene.stored(key)
    assert stored is not None
    assert open_envelope(stored["encrypted_history"]).key == SPARE

    # What is encrypted waits: for who makes keys, which to the migrator is somebody behind it.
    deferred = reconcile(scene, tenants, key)
    assert (deferred.status, deferred.reason) == (Status.DEFERRED, "earlier-key")
    assert reconcile(scene, tenants, key, Role.MIGRATOR).status is Status.RETRY
    access = reconciler(scene, tenants).access(key, scene.policy)
    assert (access.outcome.status, access.outcome.reason) == (Status.DEFERRED, "key-not-ready")
    assert scene.stored(key) == stored

    reconciler(scene, tenants).put(key, scene.policy, {"configuration": CONFIGURATION}, {})
    tenants.make(key["userId"]["S"])
    assert reconcile(scene, tenants, key, Role.MIGRATOR).status is Status.ENCRYPTED
    assert reconciler(scene, tenants).access(key, scene.policy).item == key | {
        "history": HISTORY,
        "configuration": CONFIGURATION,
    }


def test_key_that_was_destroyed_when_reconciled_then_that_is_the_outcome_and_nothing_is_released(
    scene: Scene, tenants: TenantKeys
) -> None:
    key = scene.new_key()
    tenants.make(key["userId"]["S"])
    scene.store(key | {"history": HISTORY})
    reconcile(scene, tenants, key)
    stored = scene.stored(key)
    tenants.destroy(key["userId"]["S"])

    with pytest.raises(DecryptionFailed) as refusal:
        reconciler(scene, tenants).access(key, scene.policy)

    assert str(refusal.value) == str(DecryptionFailed("not-authentic"))  # One uniform sentence.
    scene.set(key, configuration=CONFIGURATION)
    outcome = reconcile(scene, tenants, key)
    assert (outcome.status, outcome.reason) == (Status.FAILED, "tenant-shredded")
    assert scene.stored(key) == {**(stored or {}), "configuration": CONFIGURATION}


def test_key_current_for_one_item_and_not_for_another_when_decided_then_the_items_context_tells(
    scene: Scene, tenants: TenantKeys
) -> None:
    key, other = scene.new_key(), scene.new_key()
    tenants.make(key["userId"]["S"])
    item = ItemCipher(ValueCipher(tenants), POLICY).encrypt_item(key | {"history": HISTORY})

    assert decide(item, POLICY, Role.READER, tenants).reason == "as-it-should-be"
    assert decide(item | other, POLICY, Role.READER, tenants).reason == "earlier-key"


# What using the package leaves behind


def handlers(client: Any) -> list[Any]:
    events = ("before-parameter-build", "before-call", "after-call", "after-call-error", "before-send")
    emitter = client.meta.events._emitter
    return [handler for event in events for handler in emitter._lookup_cache.get(f"{event}.kms.Decrypt", [])] + [
        handler for event in events for handler in emitter._handlers.prefix_search(f"{event}.kms.Decrypt")
    ]


def test_ciphers_when_made_over_one_client_then_they_leave_nothing_on_it_and_keep_nothing(scene: Scene) -> None:
    context = {"userId": "u", "sessionId": "s", "purpose": "p"}
    before = handlers(scene.kms)
    meters = [KmsMeter() for _ in range(5)]
    ciphers = [ValueCipher(Keyrings(scene.kms, scene.key_arn, meter=meter)) for meter in meters]
    for cipher in ciphers:
        for _ in range(8):
            cipher.encrypt({"history": HISTORY}, context)

    assert handlers(scene.kms) == before
    assert [len(meter.drain()) for meter in meters] == [8] * 5  # Each its own calls, not those of all.


def test_meter_when_nobody_drains_it_then_it_stays_bounded() -> None:
    meter = KmsMeter()
    for number in range(20_000):
        meter.add(number)

    assert len(meter.drain()) == 10_000


def test_package_when_imported_then_no_logger_is_changed() -> None:
    script = """
import logging
class Watched(logging.Logger):
    def setLevel(self, level):
        print("level", self.name); super().setLevel(level)
    def addHandler(self, handler):
        if not isinstance(handler, logging.NullHandler): print("handler", self.name)
        super().addHandler(handler)
logging.setLoggerClass(Watched)
import item_crypto
print(logging.getLogger("aws_encryption_sdk").level, logging.getLogger().handlers)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "0 []\n"


def test_encryption_when_kms_refuses_then_nothing_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    refused = pytest.raises(Exception, match="kms: AccessDeniedException")

    with failing(scene.kms, "kms", "AccessDeniedException"), refused:
        scene.cipher.encrypt({"history": HISTORY}, {"userId": "u", "sessionId": "s", "purpose": "p"})

    assert caplog.records == []
