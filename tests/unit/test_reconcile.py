import json
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from item_crypto import (
    ContextUnusable,
    DecryptionFailed,
    ItemTooLarge,
    MarkerUnusable,
    Reconciler,
    Role,
    Status,
    SystemicError,
    TransientError,
    UnknownForm,
    UnsupportedValue,
)
from item_crypto.core.codec import Value
from item_crypto.core.key import key_id
from item_crypto.core.stored_form import View
from item_crypto.dynamodb.batch import Batch
from tests.faults import ALWAYS, failing, interrupting
from tests.scene import CONFIGURATION, HISTORY, TABLE, Scene

GARBAGE: Value = {"S": "Z2FyYmFnZQ=="}
INCOMPRESSIBLE: Value = {"B": random.Random(1).randbytes(300_000)}


@pytest.fixture
def updates(scene: Scene) -> Iterator[list[dict[str, Any]]]:
    """The bodies of the UpdateItem requests."""
    seen: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.append(json.loads(params["body"]))

    scene.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", note)
    yield seen
    scene.dynamodb.meta.events.unregister("before-call.dynamodb.UpdateItem", note)


# Every status


def test_plaintext_when_reconciled_then_encrypted(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY, "configuration": CONFIGURATION, "name": {"S": "ferry"}})

    outcome = scene.reconcile(key)

    assert (outcome.status, outcome.reason) == (Status.ENCRYPTED, "plaintext")
    assert outcome.attributes == ("history", "configuration")
    stored = scene.stored(key)
    assert stored is not None
    markers = ["encryption_version", "is_encrypted", "encrypted_at"]
    assert sorted(stored) == sorted([*key, "name", "encrypted_history", "encrypted_configuration", *markers])
    assert scene.seen(key, stored) == key | {
        "history": HISTORY,
        "configuration": CONFIGURATION,
        "name": {"S": "ferry"},
    }


def test_encrypted_item_when_encryption_is_off_and_it_is_accessed_then_decrypted(scene: Scene) -> None:
    key = scene.new_key()
    original = key | {"history": HISTORY}
    scene.store(original)
    scene.reconcile(key)

    outcome = scene.reconcile(key, Role.READER, enabled=False)

    assert (outcome.status, outcome.attributes) == (Status.DECRYPTED, ("history",))
    assert scene.stored(key) == original


@pytest.mark.parametrize("stored", [None, {}, {"name": {"S": "x"}}, {"is_encrypted": {"BOOL": True}}])
def test_item_without_the_attributes_or_none_at_all_when_reconciled_then_nothing_to_do(
    scene: Scene, stored: Any, updates: list[Any]
) -> None:
    key = scene.new_key()
    if stored is not None:
        scene.store(key | stored)

    assert scene.reconcile(key).status is Status.NOTHING
    assert updates == []
    assert scene.stored(key) == (None if stored is None else key | stored)


def test_own_write_when_it_comes_back_on_the_stream_then_it_costs_one_read(scene: Scene, updates: list[Any]) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})
    scene.reconcile(key)
    scene.meter.drain()

    assert scene.reconcile(key).status is Status.NOTHING
    assert len(updates) == 1
    assert scene.meter.drain() == []


def test_old_form_beside_plaintext_when_the_encryptor_reconciles_then_it_encrypts_one_and_defers_the_other(
    scene: Scene,
) -> None:
    key = scene.new_key()
    scene.store(key | scene.lisa(key, history=HISTORY) | {"configuration": CONFIGURATION})

    outcome = scene.reconcile(key)

    assert (outcome.status, outcome.reason) == (Status.DEFERRED, "old-form")
    assert (outcome.attributes, outcome.deferred) == (("configuration",), ("history",))


def test_encryptor_when_it_reconciles_anything_then_it_never_asks_kms_to_decrypt(scene: Scene) -> None:
    asked: list[str] = []
    scene.kms.meta.events.register("before-call.kms.Decrypt", lambda **_: asked.append("Decrypt"))
    for enabled in (True, False):
        for build in (scene.encrypted, scene.encrypted_earlier, scene.lisa):
            for plain in ({}, {"history": {"L": [{"S": "new"}]}}):
                key = scene.new_key()
                scene.store(key | build(key, history={"L": []}) | {"is_encrypted": {"BOOL": True}} | plain)
                scene.reconcile(key, enabled=enabled)
                scene.reconcile(key, enabled=enabled, appended=frozenset({"history"}))

    assert asked == []


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param({"encrypted_history": GARBAGE}, "unknown-form", id="unknown form"),
        pytest.param({"encrypted_history": GARBAGE, "history": HISTORY}, "unknown-form", id="unknown form beside"),
        pytest.param({"history": INCOMPRESSIBLE}, "item-too-large", id="too large as base64"),
    ],
)
def test_item_that_cannot_be_handled_when_reconciled_then_failed_for_good_and_untouched(
    scene: Scene, attributes: Any, reason: str
) -> None:
    key = scene.new_key()
    item = key | attributes
    scene.store(item)

    outcome = scene.reconcile(key)

    assert (outcome.status, outcome.reason, outcome.attributes) == (Status.FAILED, reason, ())
    assert scene.stored(key) == item


def failing_items(scene: Scene) -> dict[str, Any]:
    """Return what only those who may decrypt find out, by reason."""

    def swapped(key: Any) -> Any:
        stored = scene.encrypted_earlier(key, history=HISTORY, configuration=CONFIGURATION)
        return {
            "encrypted_history": stored["encrypted_configuration"],
            "encrypted_configuration": stored["encrypted_history"],
        }

    def appended(key: Any) -> Any:
        long: Value = {"L": [{"S": "tide " * 45_000}]}  # 225 KB each, and well compressible
        return scene.encrypted(key, configuration=long) | {"configuration": long}

    return {
        "decryption-failed": swapped,
        "key-not-listed": lambda key: {
            "encrypted_history": {
                "S": scene.unlisted_cipher.encrypt({"history": HISTORY}, scene.context(key))["history"]
            }
        },
        "marker-unusable": lambda key: scene.lisa(key, history=HISTORY) | {"history": {"S": "other"}},
        "conflict-unresolved": lambda key: (
            scene.lisa(key, history=HISTORY)
            | {"history": {"S": "other"}, "is_encrypted": {"BOOL": True}}
            | scene.encrypted(key, history_conflict=HISTORY)
        ),
        "unsupported-value": lambda key: (
            scene.encrypted(key, configuration=CONFIGURATION) | {"configuration": {"L": [{"S": "more"}]}}
        ),
        "item-too-large": appended,
    }


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    "reason",
    [
        "decryption-failed",
        "key-not-listed",
        "marker-unusable",
        "conflict-unresolved",
        "unsupported-value",
        "item-too-large",
    ],
)
def test_item_that_decryption_finds_wrong_when_reconciled_then_failed_for_good_and_untouched(
    scene: Scene, reason: str, enabled: bool
) -> None:
    key = scene.new_key()
    item = key | failing_items(scene)[reason](key)
    scene.store(item)

    outcome = scene.reconcile(
        key, Role.MIGRATOR, enabled=enabled, decrypt_all=True, appended=frozenset({"configuration"})
    )

    assert (outcome.status, outcome.reason) == (Status.FAILED, reason)
    assert scene.stored(key) == item


def test_context_that_cannot_be_made_when_reconciled_then_failed_for_good(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})

    outcome = scene.reconcile(key, context_attributes=("tenant",))

    assert (outcome.status, outcome.reason) == (Status.FAILED, ContextUnusable.reason)


@pytest.mark.parametrize("service", ["kms", "dynamodb"])
@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", Status.RETRY), ("AccessDeniedException", Status.SYSTEMIC)],
)
def test_service_when_it_fails_then_the_outcome_tells_whether_to_try_again(
    scene: Scene, service: str, code: str, status: Status
) -> None:
    key = scene.new_key()
    item = key | {"history": HISTORY}
    scene.store(item)
    client, scope = (scene.kms, "kms") if service == "kms" else (scene.dynamodb, "dynamodb.UpdateItem")
    with failing(client, scope, code):
        outcome = scene.reconcile(key)

    assert (outcome.status, outcome.reason) == (status, f"{service}-{code}")
    assert scene.stored(key) == item
    assert scene.reconcile(key).status is Status.ENCRYPTED


def test_table_that_cannot_be_read_when_reconciled_then_every_key_has_its_outcome(scene: Scene) -> None:
    keys = [scene.new_key() for _ in range(3)]
    with failing(scene.dynamodb, "dynamodb", "ResourceNotFoundException"):
        outcomes = scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)

    assert [outcome.key for outcome in outcomes.values()] == keys
    assert {outcome.status for outcome in outcomes.values()} == {Status.SYSTEMIC}


# Many at once


def test_batch_when_reconciled_then_each_key_has_the_outcome_of_its_own_item(scene: Scene) -> None:
    keys = [scene.new_key() for _ in range(40)]
    for number, key in enumerate(keys):
        match number % 4:
            case 0:
                scene.store(key | {"history": {"S": f"text {number}"}})
            case 1:
                scene.store(key | {"encrypted_history": GARBAGE})
            case 2:
                scene.store(key | scene.lisa(key, history=HISTORY))

    outcomes = scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)

    expected = [Status.ENCRYPTED, Status.FAILED, Status.DEFERRED, Status.NOTHING] * 10
    assert [outcomes[key_id(key)].status for key in keys] == expected
    for number in range(0, 40, 4):
        assert scene.held(keys[number], "history") == [{"S": f"text {number}"}]


def test_hot_key_when_given_many_times_then_it_is_encrypted_once(scene: Scene, updates: list[Any]) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})

    outcomes = scene.reconciler.reconcile([key] * 50, scene.policy, Role.ENCRYPTOR)

    assert [outcome.status for outcome in outcomes.values()] == [Status.ENCRYPTED]
    assert len(updates) == 1


def test_surprise_with_one_item_when_reconciled_then_the_others_are_done(scene: Scene) -> None:
    keys = [scene.new_key() for _ in range(6)]
    for key in keys:
        scene.store(key | {"history": HISTORY})
    unlucky = keys[2]["sessionId"]["S"]

    with failing(
        scene.dynamodb,
        "dynamodb.UpdateItem",
        ZeroDivisionError("secret-6021"),
        when=lambda asked: asked["Key"]["sessionId"]["S"] == unlucky,
    ):
        outcomes = scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)

    statuses = [outcome.status for outcome in outcomes.values()]
    assert statuses == [Status.ENCRYPTED] * 2 + [Status.FAILED] + [Status.ENCRYPTED] * 3
    assert outcomes[key_id(keys[2])].reason.startswith("unexpected-ZeroDivisionError")
    assert "6021" not in repr(outcomes)


def test_malformed_key_when_reconciled_among_others_then_it_alone_fails(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})
    malformed: Any = {"other": {"S": "x"}, "userId": {"S": "y"}}

    outcomes = scene.reconciler.reconcile([malformed, key], scene.policy, Role.ENCRYPTOR)

    assert outcomes[key_id(malformed)].status is Status.FAILED
    assert outcomes[key_id(key)].status is Status.ENCRYPTED


def test_time_when_it_is_used_up_then_the_rest_is_to_be_tried_again_and_is_untouched(scene: Scene) -> None:
    keys = [scene.new_key() for _ in range(30)]
    for key in keys:
        scene.store(key | {"history": HISTORY})
    left = iter([5.0, 4.0, 3.0] + [0.0] * 100)

    outcomes = scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR, seconds_left=lambda: next(left))

    done = [outcome for outcome in outcomes.values() if outcome.status is Status.ENCRYPTED]
    waiting = [outcome for outcome in outcomes.values() if outcome.status is Status.RETRY]
    assert (len(done), len(waiting)) == (3, 27)
    assert {outcome.reason for outcome in waiting} == {"out-of-time"}
    assert all("history" in (scene.stored(outcome.key) or {}) for outcome in waiting)


def batched(scene: Scene) -> Reconciler:
    return Reconciler(scene.table, scene.cipher, batch=Batch(scene.dynamodb, TABLE))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_changes_when_there_are_two_or_more_then_they_are_sent_in_one_request(scene: Scene, count: int) -> None:
    keys = [scene.new_key() for _ in range(count)]
    for key in keys:
        scene.store(key | {"history": HISTORY})
    requests: list[int] = []

    with interrupting(scene.dynamodb, "dynamodb.BatchExecuteStatement", lambda: requests.append(1), times=ALWAYS):
        outcomes = batched(scene).reconcile(keys, scene.policy, Role.ENCRYPTOR)

    assert len(requests) == (0 if count == 1 else 1)  # Which moto refuses: each is then written alone.
    assert {outcome.status for outcome in outcomes.values()} == {Status.ENCRYPTED}


def test_setting_when_it_changes_after_the_plans_then_no_request_is_sent_by_what_it_was(scene: Scene) -> None:
    keys = [scene.new_key() for _ in range(2)]
    for key in keys:
        scene.store(key | {"history": HISTORY})
    asked = count()
    reconciler = Reconciler(
        scene.table,
        scene.cipher,
        current=lambda policy: replace(policy, enabled=next(asked) < 2),  # Once an item, as it is planned.
        batch=Batch(scene.dynamodb, TABLE),
    )
    requests: list[int] = []

    with interrupting(scene.dynamodb, "dynamodb.BatchExecuteStatement", lambda: requests.append(1), times=ALWAYS):
        outcomes = reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)

    assert requests == []
    assert [outcomes[key_id(key)].status for key in keys] == [Status.NOTHING] * 2
    assert [scene.stored(key) for key in keys] == [key | {"history": HISTORY} for key in keys]


@pytest.mark.parametrize(("left", "status"), [(0.5, Status.ENCRYPTED), (0.0, Status.RETRY)])
def test_change_that_is_alone_in_its_request_when_time_is_short_then_it_is_written_in_time_or_not_at_all(
    scene: Scene, left: float, status: Status
) -> None:
    plain, nothing_to_do = scene.new_key(), scene.new_key()
    scene.store(plain | {"history": HISTORY})
    scene.store(nothing_to_do | {"name": {"S": "n"}})
    seconds = iter([5.0, 5.0])  # As both are decided on.

    outcomes = batched(scene).reconcile(
        [plain, nothing_to_do], scene.policy, Role.ENCRYPTOR, seconds_left=lambda: next(seconds, left)
    )

    assert outcomes[key_id(plain)].status is status
    assert ("history" in (scene.stored(plain) or {})) is (status is Status.RETRY)


def test_items_just_read_when_reconciled_then_they_are_not_read_again(scene: Scene) -> None:
    key = scene.new_key()
    item = key | {"history": HISTORY}
    scene.store(item)
    with failing(scene.dynamodb, "dynamodb.BatchGetItem", "AccessDeniedException"):
        outcomes = scene.reconciler.reconcile_read([(key, item)], scene.policy, Role.MIGRATOR)

    assert [outcome.status for outcome in outcomes.values()] == [Status.ENCRYPTED]


def test_outcome_and_access_when_shown_then_no_value_appears(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": {"S": "secret-6021"}})

    assert "6021" not in repr(scene.reconciler.access(key, scene.policy))
    assert "6021" not in repr(scene.reconcile(key))


# Access


FORMS = ["plain", "encrypted", "encrypted_earlier", "lisa"]


def stored_as(scene: Scene, form: str, key: Any, **values: Value) -> dict[str, Value]:
    return dict(values) if form == "plain" else dict(getattr(scene, form)(key, **values))


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("form", FORMS)
def test_item_in_any_form_when_accessed_then_it_is_seen_in_the_clear_and_stored_as_the_setting_asks(
    scene: Scene, form: str, enabled: bool
) -> None:
    key = scene.new_key()
    plain = {"history": HISTORY, "name": {"S": "ferry"}}
    scene.store(key | {"name": {"S": "ferry"}} | stored_as(scene, form, key, history=HISTORY))

    access = scene.reconciler.access(key, replace(scene.policy, enabled=enabled))

    assert access.item == key | plain
    assert access.decrypted == (0 if form == "plain" else 1)
    stored = scene.stored(key)
    assert stored is not None
    if enabled:
        assert scene.seen(key, stored) == key | plain
        assert "history" not in stored
        assert stored["encrypted_history"]["S"].startswith("AgR4")  # version 2, the committing suite
    else:
        assert stored == key | plain


def test_item_that_is_not_there_when_accessed_then_there_is_none_and_none_is_made(scene: Scene) -> None:
    key = scene.new_key()

    access = scene.reconciler.access(key, scene.policy)

    assert (access.item, access.outcome.status) == (None, Status.NOTHING)
    assert scene.stored(key) is None


def test_newer_plaintext_when_accessed_then_it_is_what_the_owner_sees(scene: Scene) -> None:
    key = scene.new_key()
    newer: Value = {"L": [{"S": "newer"}]}
    scene.store(key | scene.encrypted(key, history=HISTORY) | {"history": newer})

    access = scene.reconciler.access(key, scene.policy)

    assert access.item == key | {"history": newer}
    assert access.decrypted == 0


def test_appended_list_when_accessed_then_the_owner_sees_it_whole(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | scene.encrypted(key, history={"L": [{"S": "1"}]}) | {"history": {"L": [{"S": "2"}]}})

    access = scene.reconciler.access(key, replace(scene.policy, appended=frozenset({"history"})))

    assert access.item == key | {"history": {"L": [{"S": "1"}, {"S": "2"}]}}


def test_two_values_of_the_old_form_when_accessed_then_the_owner_sees_the_newer_and_the_other_is_kept(
    scene: Scene,
) -> None:
    key = scene.new_key()
    other: Value = {"S": "left behind"}
    scene.store(key | scene.lisa(key, history=HISTORY) | {"history": other, "is_encrypted": {"BOOL": True}})

    access = scene.reconciler.access(key, scene.policy)

    assert access.item == key | {"history": HISTORY}
    assert scene.held(key, "history") == [HISTORY, other]


def test_item_with_a_standing_conflict_when_accessed_then_its_owner_reads_it_all_the_same(scene: Scene) -> None:
    key = scene.new_key()
    item = key | failing_items(scene)["conflict-unresolved"](key)
    scene.store(item)

    access = scene.reconciler.access(key, scene.policy)

    assert access.item == key | {"history": HISTORY}
    assert (access.outcome.status, access.outcome.reason) == (Status.FAILED, "conflict-unresolved")
    assert scene.stored(key) == item


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("kms", "ThrottlingException", Status.RETRY),
        ("kms", "DisabledException", Status.SYSTEMIC),
        ("dynamodb.UpdateItem", "ThrottlingException", Status.RETRY),
    ],
)
def test_write_when_it_fails_on_access_then_the_owner_reads_all_the_same(
    scene: Scene, service: str, code: str, status: Status
) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})
    with failing(scene.kms if service == "kms" else scene.dynamodb, service, code):
        access = scene.reconciler.access(key, scene.policy)

    assert access.item == key | {"history": HISTORY}
    assert access.outcome.status is status


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("decryption-failed", DecryptionFailed),
        ("key-not-listed", DecryptionFailed),
        ("marker-unusable", MarkerUnusable),
    ],
)
def test_item_that_is_not_sound_when_accessed_then_no_part_of_it_is_released(
    scene: Scene, reason: str, error: type[Exception], enabled: bool
) -> None:
    key = scene.new_key()
    item = key | failing_items(scene)[reason](key)
    scene.store(item)

    with pytest.raises(error):
        scene.reconciler.access(key, replace(scene.policy, enabled=enabled))

    assert scene.stored(key) == item


def test_unknown_form_when_accessed_then_no_part_of_it_is_released(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"encrypted_history": GARBAGE, "configuration": CONFIGURATION})

    with pytest.raises(UnknownForm):
        scene.reconciler.access(key, scene.policy)


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", TransientError), ("AccessDeniedException", SystemicError)]
)
def test_kms_when_it_does_not_decrypt_then_access_raises(scene: Scene, code: str, error: type[Exception]) -> None:
    key = scene.new_key()
    scene.store(key | scene.encrypted(key, history=HISTORY))
    with failing(scene.kms, "kms", code), pytest.raises(error):
        scene.reconciler.access(key, scene.policy)


# Put


def test_new_item_when_put_then_it_is_encrypted_in_the_one_write_that_creates_it(
    scene: Scene, updates: list[dict[str, Any]]
) -> None:
    key = scene.new_key()
    values = {"history": {"S": "secret-6021"}, "name": {"S": "ferry"}}

    access, created = scene.reconciler.put(key, scene.policy, values, {"startTime": {"S": "08:30"}})

    assert created
    assert access.item == key | values | {"startTime": {"S": "08:30"}}
    assert len(updates) == 1
    assert "6021" not in json.dumps(updates)
    stored = scene.stored(key)
    assert stored is not None
    assert scene.seen(key, stored) == access.item
    assert stored["is_encrypted"] == {"BOOL": True}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
def test_attribute_left_out_when_put_then_it_stays_as_it_was(scene: Scene, form: str, enabled: bool) -> None:
    key = scene.new_key()
    other: Value = {"M": {"model": {"S": "small"}}}
    scene.store(key | {"name": {"S": "old"}} | stored_as(scene, form, key, history=HISTORY, configuration=other))
    policy = replace(scene.policy, enabled=enabled)
    newer: Value = {"L": [{"S": "newer"}]}

    access, created = scene.reconciler.put(key, policy, {"history": newer}, {"startTime": {"S": "08:30"}})

    assert not created
    assert access.item == key | {"name": {"S": "old"}, "history": newer, "configuration": other}
    stored = scene.stored(key)
    assert stored is not None
    assert scene.seen(key, stored, enabled=enabled) == access.item
    if enabled:
        assert not {"history", "configuration"} & set(stored)
    else:
        assert stored == access.item


def test_put_when_it_changes_nothing_then_it_succeeds(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"name": {"S": "ferry"}})

    access, created = scene.reconciler.put(key, scene.policy, {"name": {"S": "ferry"}}, {})

    assert (access.item, created) == (key | {"name": {"S": "ferry"}}, False)


def test_garbage_when_its_attribute_is_put_then_it_is_replaced(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"encrypted_history": GARBAGE})

    scene.reconciler.put(key, scene.policy, {"history": HISTORY}, {})

    assert scene.held(key, "history") == [HISTORY]


def test_garbage_in_another_attribute_when_put_then_refused_and_untouched(scene: Scene) -> None:
    key = scene.new_key()
    item = key | {"encrypted_configuration": GARBAGE}
    scene.store(item)

    with pytest.raises(UnknownForm):
        scene.reconciler.put(key, scene.policy, {"history": HISTORY}, {})

    assert scene.stored(key) == item


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
def test_item_over_400_kb_of_plaintext_when_put_then_refused_though_its_ciphertext_would_fit(
    scene: Scene, enabled: bool
) -> None:
    key = scene.new_key()

    with pytest.raises(ItemTooLarge):
        scene.reconciler.put(key, replace(scene.policy, enabled=enabled), {"history": {"S": "a" * 409_600}}, {})

    assert scene.stored(key) is None


def test_item_of_400_kb_of_compressible_plaintext_when_put_then_it_can_go_back_to_plaintext(scene: Scene) -> None:
    key = scene.new_key()
    scene.reconciler.put(key, scene.policy, {"history": {"S": "a" * 400_000}}, {})

    access = scene.reconciler.access(key, replace(scene.policy, enabled=False))

    assert access.outcome.status is Status.DECRYPTED
    assert scene.stored(key) == key | {"history": {"S": "a" * 400_000}}


def test_put_when_others_never_stop_writing_then_it_gives_up_for_now_and_loses_nothing(scene: Scene) -> None:
    key = scene.new_key()
    writes: list[Value] = []

    def compete() -> None:
        writes.append({"S": f"write {len(writes)}"})
        scene.set(key, configuration=writes[-1])

    with interrupting(scene.dynamodb, "dynamodb.UpdateItem", compete, times=ALWAYS), pytest.raises(TransientError):
        scene.reconciler.put(key, scene.policy, {"history": HISTORY}, {})

    assert len(writes) == 5
    assert scene.stored(key) == key | {"configuration": writes[-1]}


def test_value_that_dynamodb_cannot_hold_when_put_then_refused_and_nothing_is_stored(scene: Scene) -> None:
    key = scene.new_key()

    for value in ({"N": "many"}, {"NS": ["1", "many"]}):
        with pytest.raises(UnsupportedValue):
            scene.reconciler.put(key, scene.policy, {"history": value}, {})

    assert scene.stored(key) is None


def test_put_when_kms_is_denied_then_nothing_is_stored_in_plaintext(scene: Scene) -> None:
    key = scene.new_key()
    with failing(scene.kms, "kms", "AccessDeniedException"), pytest.raises(SystemicError):
        scene.reconciler.put(key, scene.policy, {"history": HISTORY}, {})

    assert scene.stored(key) is None


# Deletion by who has seen the item


def test_deletion_when_others_never_stop_writing_then_it_gives_up_for_now_and_deletes_nothing(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY, "name": {"S": "ferry"}})
    seen: list[Value] = []
    writes: list[Value] = []

    def compete() -> None:
        writes.append({"S": f"write {len(writes)}"})
        scene.set(key, name=writes[-1])

    def look(see: Any) -> None:
        seen.append(see(View.CLEAR)["name"])

    with interrupting(scene.dynamodb, "dynamodb.DeleteItem", compete, times=ALWAYS), pytest.raises(TransientError):
        scene.reconciler.delete(key, scene.policy, look)

    assert seen == [{"S": "ferry"}, *writes[:4]]  # Each attempt rests on what it saw itself.
    assert scene.stored(key) == key | {"history": HISTORY, "name": writes[-1]}


def test_deletion_when_what_it_rests_on_cannot_be_read_then_nothing_is_deleted(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"encrypted_history": GARBAGE})

    with pytest.raises(UnknownForm):
        scene.reconciler.delete(key, scene.policy, lambda see: see and see(View.CLEAR))

    assert scene.stored(key) == key | {"encrypted_history": GARBAGE}


def test_update_when_its_answer_is_lost_then_the_next_reconciliation_finds_it_done(scene: Scene) -> None:
    # The write took place, the answer did not arrive: to do it again must not do it twice.
    key = scene.new_key()
    scene.store(key | scene.encrypted(key, history={"L": [{"S": "1"}]}) | {"history": {"L": [{"S": "2"}]}})
    appended = frozenset({"history"})

    with failing(scene.dynamodb, "dynamodb.UpdateItem", ConnectionResetError(), moment="after"):
        assert scene.reconcile(key, Role.MIGRATOR, appended=appended).status is Status.FAILED

    assert scene.reconcile(key, Role.MIGRATOR, appended=appended).status is Status.NOTHING
    assert scene.held(key, "history") == [{"L": [{"S": "1"}, {"S": "2"}]}]


def test_reconciler_when_no_clock_is_given_then_it_takes_the_real_one(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})
    Reconciler(scene.table, scene.cipher).reconcile([key], scene.policy, Role.ENCRYPTOR)

    stored = scene.stored(key)
    assert stored is not None
    assert stored["encrypted_at"]["S"] > "2026-01-03"
