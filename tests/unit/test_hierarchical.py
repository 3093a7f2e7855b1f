"""Branch keys: a tenant's items under the tenant's key, and under no other."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from item_crypto import (
    DecryptionFailed,
    EncryptedTable,
    Encryption,
    KeyNotListed,
    Keyrings,
    Role,
    Status,
    SystemicError,
    TransientError,
    ValueCipher,
    decide,
)
from item_crypto.core.codec import Item
from item_crypto.core.stored_form import encrypted_name
from item_crypto.errors import ConfigurationError, KeyDestroyed, KeyNotReady, TenantShredded, UnknownForm
from item_crypto.forms import open_envelope
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.cached import CachedKeys
from item_crypto.keys.identity import Identity
from item_crypto.keys.meter import KmsMeter
from tests.branch_keys import TENANTS, Branches
from tests.faults import failing, interrupting
from tests.scene import CLIENT, CONFIGURATION, HISTORY, NOW, POLICY, TABLE, Scene

VALUES = {"history": HISTORY, "configuration": CONFIGURATION}
STORED = [encrypted_name(name) for name in VALUES]


@pytest.fixture(scope="module")
def branches(scene: Scene) -> Branches:
    return Branches(scene)


def made(branches: Branches, key: Item) -> str:
    """Make the branch key of an item's tenant; return its identifier."""
    return branches.branch_keys.make(key["userId"]["S"])[0].branch_key_id


def stored_under_branch_key(branches: Branches, key: Item) -> dict[str, Any]:
    made(branches, key)
    branches.scene.store(key | VALUES)
    (outcome,) = branches.reconciler().reconcile([key], POLICY, Role.ENCRYPTOR).values()
    assert outcome.status is Status.ENCRYPTED
    stored = branches.scene.stored(key)
    assert stored is not None
    return stored


def keys_of(item: Any) -> set[str | None]:
    return {open_envelope(item[name]).key for name in item if name in STORED}


# Encrypting and reading


def test_item_when_its_tenant_has_a_key_then_it_is_encrypted_under_that_and_read(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    identifier = made(branches, key)

    stored = stored_under_branch_key(branches, key)

    assert keys_of(stored) == {identifier}
    access = branches.reconciler().access(key, POLICY)
    assert access.item == key | VALUES
    assert access.outcome.status is Status.NOTHING


def test_tenants_items_when_the_key_was_read_once_then_kms_is_not_asked_again(scene: Scene) -> None:
    branches, tenants, items = Branches(scene), 20, 100
    meter = KmsMeter()
    cipher = branches.cipher(branch_keys=branches.new(meter=meter))
    contexts = [
        {"userId": f"metered-{tenant}", "sessionId": f"{item}", "purpose": POLICY.purpose}
        for item in range(items)
        for tenant in range(tenants)
    ]
    for tenant in range(tenants):
        branches.branch_keys.make(f"metered-{tenant}")

    ciphertexts = [cipher.encrypt({"history": HISTORY}, context) for context in contexts]
    assert len(meter.drain()) == tenants  # 1 a tenant, as it is cold; then none.
    for context in contexts[:1000]:
        cipher.encrypt({"history": HISTORY}, context)
    assert meter.drain() == []

    for context, stored in zip(contexts[:1000], ciphertexts, strict=False):
        cipher.decrypt({"history": open_envelope({"S": stored["history"]})}, context)
    assert len(meter.drain()) == tenants  # The version that a message names is another entry than the active one.


def test_branch_key_when_it_was_kept_for_long_enough_then_it_is_asked_for_again(scene: Scene) -> None:
    branches, key, meter = Branches(scene), scene.new_key(), KmsMeter()
    made(branches, key)
    clock = [1_000.0]
    cipher = branches.cipher(cache_seconds=10, branch_keys=branches.new(meter=meter), clocks=(lambda: clock[0],))

    calls = []
    for clock[0] in (1_000.0, 1_009.9, 1_010.0, 1_011.0):
        cipher.encrypt({"history": HISTORY}, scene.context(key))
        calls.append(len(meter.drain()))

    assert calls == [1, 0, 1, 0]


def test_threads_when_they_work_at_once_then_they_share_what_is_kept(scene: Scene) -> None:
    branches, meter = Branches(scene), KmsMeter()
    branches.branch_keys.make("busy")
    cipher = branches.cipher(branch_keys=branches.new(meter=meter))
    barrier = threading.Barrier(8)

    def work(number: int) -> bool:
        context = {"userId": "busy", "sessionId": str(number), "purpose": POLICY.purpose}
        barrier.wait()
        for _ in range(10):
            text = cipher.encrypt({"history": HISTORY}, context)["history"]
            if cipher.decrypt({"history": open_envelope({"S": text})}, context) != {"history": HISTORY}:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(meter.drain()) <= 16  # Each thread once at most, for either entry; not each of 160 calls.


@pytest.mark.parametrize("tenant", ["ü/😀\n", "tenant-" + "0" * 64, "a" * 1500], ids=["unicode", "an id", "long"])
def test_tenant_when_its_name_is_any_text_then_it_has_a_key(branches: Branches, tenant: str) -> None:
    found, _ = branches.branch_keys.make(tenant)
    context = {"userId": tenant, "sessionId": "s", "purpose": POLICY.purpose}
    cipher = branches.cipher()

    text = cipher.encrypt({"history": HISTORY}, context)["history"]

    assert found.tenant == tenant
    assert cipher.decrypt({"history": open_envelope({"S": text})}, context) == {"history": HISTORY}


def test_one_for_all_when_asked_then_all_items_are_under_one_key(branches: Branches) -> None:
    one = branches.new(Tenants(None, POLICY.purpose))
    one.make("")
    cipher = branches.cipher(branch_keys=one)

    found = {
        open_envelope({"S": text}).key
        for user in ("a", "b")
        for text in cipher.encrypt(
            {"history": HISTORY}, {"userId": user, "sessionId": "s", "purpose": POLICY.purpose}
        ).values()
    }

    assert found == {one.tenants.branch_key_id("")}


def test_cache_when_its_seconds_are_out_of_bounds_then_it_is_refused(branches: Branches) -> None:
    for seconds in (0, -1, 3601):
        with pytest.raises(ConfigurationError):
            branches.keys(cache_seconds=seconds)


# Whose key: attacks


def no_calls(scene: Scene) -> Any:
    """Fail the test where anything is asked for."""
    return failing(scene.kms, "kms", AssertionError("KMS was asked"))


def test_message_when_moved_to_another_tenants_item_then_it_is_refused_before_anything_is_asked(
    scene: Scene, branches: Branches
) -> None:
    victim, thief = scene.new_key(), scene.new_key()
    stored = stored_under_branch_key(branches, victim)
    made(branches, thief)
    scene.store(stored | thief)
    reconciler = branches.reconciler()

    with no_calls(scene), pytest.raises(DecryptionFailed) as refusal:
        reconciler.access(thief, POLICY)

    assert refusal.value.detail == "other-branch-key"


def test_message_when_moved_to_another_item_of_the_tenant_then_it_is_refused(scene: Scene, branches: Branches) -> None:
    key = scene.new_key()
    stored = stored_under_branch_key(branches, key)
    other = key | {"sessionId": {"S": "another"}}
    scene.store(stored | other)
    reconciler = branches.reconciler()

    with no_calls(scene), pytest.raises(DecryptionFailed) as refusal:
        reconciler.access(other, POLICY)

    assert refusal.value.detail == "context-mismatch"


def with_other_key(text: str, identifier: str, other: str) -> str:
    """Return a message whose header names another branch key."""
    data = base64.b64decode(text)
    assert data.count(identifier.encode()) == 1
    return base64.b64encode(data.replace(identifier.encode(), other.encode())).decode()


def test_header_when_it_names_another_branch_key_then_it_is_refused_before_anything_is_asked(
    scene: Scene, branches: Branches
) -> None:
    key, other = scene.new_key(), scene.new_key()
    stored, identifier = stored_under_branch_key(branches, key), made(branches, key)
    forged = with_other_key(stored["encrypted_history"]["S"], identifier, made(branches, other))
    scene.store(stored | {"encrypted_history": {"S": forged}})
    reconciler = branches.reconciler()

    with no_calls(scene), pytest.raises(DecryptionFailed) as refusal:
        reconciler.access(key, POLICY)

    assert refusal.value.detail == "other-branch-key"


def test_message_of_an_attacker_who_has_a_key_when_its_header_is_renamed_then_it_is_not_authentic(
    scene: Scene, branches: Branches
) -> None:
    """The attacker's own tenant made it, under the victim's context: only the key's name is false."""
    victim, attacker = scene.new_key(), scene.new_key()
    victims, attackers = made(branches, victim), made(branches, attacker)
    one = Tenants(None, POLICY.purpose)
    assert attackers != victims
    impostor = ValueCipher(branches.keys(branch_keys=branches.new(one)))
    branches.new(one).make("")
    text = impostor.encrypt({"history": HISTORY}, scene.context(victim))["history"]
    forged = with_other_key(text, one.branch_key_id(""), victims)

    with pytest.raises(DecryptionFailed):
        branches.cipher().decrypt({"history": open_envelope({"S": forged})}, scene.context(victim))


@pytest.mark.parametrize("kind", ["KMS provider, branch key", "hierarchy provider, ARN"])
def test_header_when_its_key_is_not_of_its_providers_kind_then_it_is_no_form_of_ours(
    scene: Scene, branches: Branches, kind: str
) -> None:
    key = scene.new_key()
    if kind == "hierarchy provider, ARN":
        data = base64.b64decode(scene.encrypted(key, history=HISTORY)["encrypted_history"]["S"])
        forged = data.replace(b"\x00\x07aws-kms", b"\x00\x11aws-kms-hierarchy", 1)
    else:
        data = base64.b64decode(stored_under_branch_key(branches, key)["encrypted_history"]["S"])
        forged = data.replace(b"\x00\x11aws-kms-hierarchy", b"\x00\x07aws-kms", 1)
    assert forged != data

    with pytest.raises(UnknownForm):
        open_envelope({"S": base64.b64encode(forged).decode()})


def test_every_byte_of_a_header_when_flipped_then_nothing_is_released(scene: Scene, branches: Branches) -> None:
    key = scene.new_key()
    data = base64.b64decode(stored_under_branch_key(branches, key)["encrypted_history"]["S"])
    cipher, context = branches.cipher(), scene.context(key)

    for place in range(0, len(data), 3):
        forged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises((DecryptionFailed, UnknownForm)):
            cipher.decrypt({"history": open_envelope({"S": base64.b64encode(forged).decode()})}, context)


# Mixed tables


def test_item_under_kms_when_branch_keys_are_used_then_it_is_read_and_re_encrypted(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    scene.store(key | VALUES)
    scene.reconciler.reconcile([key], POLICY, Role.ENCRYPTOR)
    identifier = made(branches, key)
    assert keys_of(scene.stored(key)) == {scene.key_arn}

    (encryptors,) = branches.reconciler().reconcile([key], POLICY, Role.ENCRYPTOR).values()
    access = branches.reconciler().access(key, POLICY)

    assert (encryptors.status, encryptors.reason) == (Status.DEFERRED, "earlier-key")
    assert access.item == key | VALUES
    assert keys_of(scene.stored(key)) == {identifier}


def test_item_under_a_branch_key_when_kms_is_used_again_then_it_is_read_and_re_encrypted(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    stored_under_branch_key(branches, key)
    back = branches.reconciler(writes=False)

    access = back.access(key, POLICY)

    assert access.item == key | VALUES
    assert access.outcome.status is Status.ENCRYPTED
    assert keys_of(scene.stored(key)) == {scene.key_arn}


def test_item_under_a_branch_key_when_the_stack_knows_none_then_it_is_refused_by_name(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    stored_under_branch_key(branches, key)

    with pytest.raises(KeyNotListed):
        scene.reconciler.access(key, POLICY)


def test_value_in_the_old_form_when_branch_keys_are_used_then_it_is_read_and_brought_under_one(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    identifier = made(branches, key)
    scene.store(key | scene.lisa(key, history=HISTORY) | {"is_encrypted": {"BOOL": True}})

    (outcome,) = branches.reconciler().reconcile([key], POLICY, Role.MIGRATOR).values()

    assert (outcome.status, outcome.reason) == (Status.ENCRYPTED, "old-form")
    assert keys_of(scene.stored(key)) == {identifier}


def test_identities_when_asked_then_branch_keys_and_listed_kms_keys_are_known(scene: Scene, branches: Branches) -> None:
    keys, key = branches.keys(), scene.new_key()
    identifier, context = TENANTS.branch_key_id(key["userId"]["S"]), scene.context(key)

    assert keys.is_known(Identity(identifier))
    assert keys.is_known(Identity(scene.key_arn))
    assert not keys.is_known(Identity(scene.unlisted_key_arn))
    assert keys.is_current(Identity(identifier), context)
    assert not keys.is_current(Identity(scene.key_arn), context)
    assert not keys.is_current(Identity(identifier), {})
    assert branches.keys(writes=False).is_current(Identity(scene.key_arn), context)


# A key that is not made yet


def test_plaintext_when_its_key_is_not_made_yet_then_it_is_encrypted_under_kms_and_deferred_from_there(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    scene.store(key | VALUES)
    reconciler = branches.reconciler()

    (first,) = reconciler.reconcile([key], POLICY, Role.ENCRYPTOR).values()

    assert first.status is Status.ENCRYPTED
    assert keys_of(scene.stored(key)) == {scene.key_arn}
    # Its own write comes back on the stream, and leads to who makes keys.
    (echo,) = reconciler.reconcile([key], POLICY, Role.ENCRYPTOR).values()
    assert (echo.status, echo.reason) == (Status.DEFERRED, "earlier-key")
    (made_and_done,) = branches.reconciler(makes=True).reconcile([key], POLICY, Role.MIGRATOR).values()
    assert made_and_done.status is Status.ENCRYPTED
    assert keys_of(scene.stored(key)) == {TENANTS.branch_key_id(key["userId"]["S"])}
    assert branches.reconciler().access(key, POLICY).item == key | VALUES


def test_put_when_its_key_is_not_made_yet_then_it_is_stored_under_kms(scene: Scene, branches: Branches) -> None:
    key = scene.new_key()

    branches.reconciler().put(key, POLICY, VALUES, {})

    assert keys_of(scene.stored(key)) == {scene.key_arn}


def test_read_when_the_key_is_not_made_yet_then_nothing_is_written_over_and_over(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    scene.store(key | VALUES)
    reconciler = branches.reconciler()
    reconciler.reconcile([key], POLICY, Role.ENCRYPTOR)
    before = scene.stored(key)

    access = reconciler.access(key, POLICY)

    assert access.item == key | VALUES
    assert (access.outcome.status, access.outcome.reason) == (Status.DEFERRED, "key-not-ready")
    assert scene.stored(key) == before


def test_data_path_when_a_key_is_missing_then_it_makes_none(scene: Scene, branches: Branches) -> None:
    key, before = scene.new_key(), branches.rows()
    scene.store(key | VALUES)

    branches.reconciler().reconcile([key], POLICY, Role.ENCRYPTOR)
    branches.reconciler().access(key, POLICY)

    assert branches.rows() == before
    with pytest.raises(KeyNotReady):
        branches.cipher().encrypt(VALUES, scene.context(key), can_wait=True)


# A key that was destroyed


def test_items_when_their_tenant_was_shredded_then_they_are_gone_and_say_so_in_one_sentence(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    stored = stored_under_branch_key(branches, key)
    branches.branch_keys.destroy(made(branches, key), NOW)

    with pytest.raises(KeyDestroyed) as refusal:
        branches.reconciler().access(key, POLICY)
    (swept,) = branches.reconciler(makes=True).reconcile([key], POLICY, Role.MIGRATOR).values()

    assert str(refusal.value) == str(DecryptionFailed("not-authentic"))
    assert swept.status is Status.NOTHING
    assert scene.stored(key) == stored


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
@pytest.mark.parametrize("before", [False, True], ids=["a new item", "over ciphertext that is gone"])
def test_write_when_its_tenant_was_shredded_then_it_fails_and_stays_in_plaintext(
    scene: Scene, branches: Branches, role: Role, before: bool
) -> None:
    key = scene.new_key()
    if before:
        stored_under_branch_key(branches, key)
        scene.set(key, history=HISTORY)
    else:
        made(branches, key)
        scene.store(key | {"history": HISTORY})
    branches.branch_keys.destroy(made(branches, key), NOW)
    stored = scene.stored(key)

    (outcome,) = branches.reconciler(makes=role is Role.MIGRATOR).reconcile([key], POLICY, role).values()

    assert (outcome.status, outcome.reason) == (Status.FAILED, "tenant-shredded")
    assert scene.stored(key) == stored


def test_put_when_its_tenant_was_shredded_then_nothing_is_stored(scene: Scene, branches: Branches) -> None:
    key = scene.new_key()
    branches.branch_keys.destroy(made(branches, key), NOW)

    with pytest.raises(TenantShredded):
        branches.reconciler().put(key, POLICY, VALUES, {})

    assert scene.stored(key) is None


def test_appended_list_when_its_tenant_was_shredded_then_it_is_no_item_that_is_only_gone(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    stored_under_branch_key(branches, key)
    scene.append(key, "history", {"S": "later"})
    branches.branch_keys.destroy(made(branches, key), NOW)
    policy = POLICY.__class__(**{**vars(POLICY), "appended": frozenset({"history"})})

    (outcome,) = branches.reconciler(makes=True).reconcile([key], policy, Role.MIGRATOR).values()

    assert (outcome.status, outcome.reason) == (Status.FAILED, "tenant-shredded")


def test_shredding_when_it_races_a_write_then_the_item_is_either_in_plaintext_or_gone_for_good(
    scene: Scene, branches: Branches
) -> None:
    """Whoever still holds the key encrypts under it: what is written then goes with the tenant, and is never opened."""
    key = scene.new_key()
    identifier = made(branches, key)
    scene.store(key | {"history": HISTORY})
    reconciler = branches.reconciler()

    with interrupting(scene.dynamodb, "dynamodb.UpdateItem", lambda: branches.branch_keys.destroy(identifier, NOW)):
        (outcome,) = reconciler.reconcile([key], POLICY, Role.ENCRYPTOR).values()

    assert outcome.status is Status.ENCRYPTED
    with pytest.raises(KeyDestroyed):
        branches.reconciler().access(key, POLICY)


# Services that fail


Call = Callable[[Branches, ValueCipher, dict[str, str]], Any]


@pytest.mark.parametrize("call", ["encrypt", "decrypt"])
@pytest.mark.parametrize(
    ("service", "code", "status", "expected"),
    [
        ("kms", "ThrottlingException", 400, TransientError),
        ("kms", "KMSInternalException", 500, TransientError),
        ("kms", "AccessDeniedException", 400, SystemicError),
        ("kms", "DisabledException", 400, SystemicError),
        ("dynamodb", "ProvisionedThroughputExceededException", 400, TransientError),
        ("dynamodb", "AccessDeniedException", 400, SystemicError),
        ("dynamodb", "ResourceNotFoundException", 400, SystemicError),
    ],
)
def test_service_when_it_fails_then_its_code_tells_what_to_do(
    scene: Scene, branches: Branches, call: str, service: str, code: str, status: int, expected: type[Exception]
) -> None:
    key = scene.new_key()
    made(branches, key)
    context = scene.context(key)
    text = branches.cipher().encrypt({"history": HISTORY}, context)["history"]
    cipher, envelopes = branches.cipher(), {"history": open_envelope({"S": text})}
    client = scene.kms if service == "kms" else scene.dynamodb

    with failing(client, service, code, status=status), pytest.raises(expected) as failure:
        cipher.encrypt({"history": HISTORY}, context) if call == "encrypt" else cipher.decrypt(envelopes, context)

    assert (getattr(failure.value, "service", None), getattr(failure.value, "code", None)) == (service, code)


def test_branch_key_when_it_is_under_a_kms_key_that_is_not_listed_then_it_is_not_used(
    scene: Scene, branches: Branches
) -> None:
    key = scene.new_key()
    branches.new(key_arn=scene.unlisted_key_arn).make(key["userId"]["S"])

    with pytest.raises(KeyNotListed):
        branches.cipher().encrypt(VALUES, scene.context(key))


def test_row_when_it_was_copied_from_another_tenant_then_kms_refuses_it(scene: Scene, branches: Branches) -> None:
    """Whoever may write the table, and not use the KMS key, gives no tenant another one's key."""
    key, other = scene.new_key(), scene.new_key()
    identifier, others = made(branches, key), made(branches, other)
    rows = {(row["branch-key-id"]["S"], row["type"]["S"]): row for row in branches.rows()}
    scene.plain.put_item(
        TableName=branches.branch_keys.table,
        Item=rows[identifier, "branch:ACTIVE"] | {"enc": rows[others, "branch:ACTIVE"]["enc"]},
    )

    with pytest.raises(DecryptionFailed) as refusal:
        branches.cipher().encrypt(VALUES, scene.context(key))

    assert refusal.value.detail == "branch-key-not-authentic"  # And no failure of everybody's.


def test_item_when_decided_then_the_key_of_its_own_tenant_is_the_current_one(scene: Scene, branches: Branches) -> None:
    key, keys = scene.new_key(), branches.keys()
    stored = stored_under_branch_key(branches, key)

    assert decide(stored, POLICY, Role.READER, keys).reason == "as-it-should-be"
    assert decide(stored | scene.new_key(), POLICY, Role.READER, keys).reason == "earlier-key"


def test_readers_when_they_remember_data_keys_then_none_outlives_its_branch_key(scene: Scene) -> None:
    branches, key, clock = Branches(scene), scene.new_key(), [1_000.0]
    identifier, context = made(branches, key), scene.context(key)
    keys = branches.keys(cache_seconds=10, clocks=(lambda: clock[0],))
    reading = ValueCipher(keys.over(CachedKeys(Keyrings(scene.kms, scene.key_arn), 300)))
    text = ValueCipher(keys).encrypt({"history": HISTORY}, context)["history"]
    envelopes = {"history": open_envelope({"S": text})}
    assert reading.decrypt(envelopes, context) == {"history": HISTORY}
    branches.branch_keys.destroy(identifier, NOW)

    assert reading.decrypt(envelopes, context) == {"history": HISTORY}  # The branch key is still kept.
    clock[0] += 10
    with pytest.raises(KeyDestroyed):
        reading.decrypt(envelopes, context)


def test_readers_when_they_remember_data_keys_then_those_under_kms_still_spare_calls(scene: Scene) -> None:
    branches, key, meter = Branches(scene), scene.new_key(), KmsMeter()
    envelopes = {"history": open_envelope(scene.encrypted(key, history=HISTORY)["encrypted_history"])}
    kms = CachedKeys(Keyrings(scene.kms, scene.key_arn, meter=meter), 300)
    reading = ValueCipher(branches.keys().over(kms))

    for _ in range(3):
        assert reading.decrypt(envelopes, scene.context(key)) == {"history": HISTORY}

    assert len(meter.drain()) == 1


def test_drop_in_over_branch_keys_when_used_then_items_come_and_go_in_the_clear(
    scene: Scene, branches: Branches
) -> None:
    key = {"sessionId": "dlg-drop-in", "userId": "drop-in"}
    identifier = branches.branch_keys.make("drop-in")[0].branch_key_id
    encryption = Encryption(branches.cipher(), POLICY)
    table = EncryptedTable(boto3.resource("dynamodb", **CLIENT).Table(TABLE), encryption)

    table.put_item(Item={**key, "history": ["hello"]})

    stored = scene.stored({name: {"S": text} for name, text in key.items()})
    assert keys_of(stored) == {identifier}
    assert table.get_item(Key=key)["Item"] == {**key, "history": ["hello"]}
    branches.branch_keys.destroy(identifier, NOW)
    later = EncryptedTable(boto3.resource("dynamodb", **CLIENT).Table(TABLE), Encryption(branches.cipher(), POLICY))
    with pytest.raises(TenantShredded):
        later.put_item(Item={**key, "history": ["more"]})
    with pytest.raises(KeyDestroyed):
        later.get_item(Key=key)
