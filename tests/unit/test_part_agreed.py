"""Encryption on for a part: to each item it is on or off, and everybody who asks agrees which."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from moto import mock_aws

import item_crypto
from encryptor_runtime.messages import Aim, Goal
from encryptor_runtime.switch import SwitchState
from item_crypto import Action, ContextUnusable, Decision, ItemCipher, Policy, Role, Status, Step
from item_crypto.core.part import ALL_BUCKETS, Buckets, ListedKeys, Part, covers
from item_crypto.core.stored_form import EncryptedValue
from item_crypto.errors import EncryptionOff
from migrator.policy import policy_for
from tests.scene import CONFIGURATION, HISTORY, POLICY, Scene
from tests.strategies import values
from tests.unit.test_decide import CHANGES, KEYS, ROLES, STATES, ciphertexts

OTHER: dict[str, Any] = {"sessionId": {"S": "another"}, "userId": {"S": "user-24"}}


def decide(item: Any, policy: Policy, role: Role) -> Decision:
    return item_crypto.decide(item, policy, role, KEYS)


texts = st.text("ab", min_size=1, max_size=2)
keys = st.builds(lambda session, user: {"sessionId": {"S": session}, "userId": {"S": user}}, texts, texts)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Buckets, st.integers(1, ALL_BUCKETS - 1)),
    st.lists(keys, min_size=1, max_size=8).map(ListedKeys.of),
)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "history": values(),
        "configuration": values(),
        "encrypted_history": ciphertexts(),
        "encrypted_configuration": ciphertexts(),
        "is_encrypted": st.booleans().map(lambda on: {"BOOL": on}),
    },
)


@given(keys, attributes, parts, st.sampled_from(ROLES), st.sampled_from(list(CHANGES.values())))
def test_any_item_given_a_part_then_it_is_decided_as_while_on_inside_and_as_while_off_outside(
    key: dict[str, Any], item: dict[str, Any], part: Part, role: Role, changes: Any
) -> None:
    policy = replace(POLICY, part=part, **changes)
    is_inside = part.has(key, POLICY.context_attributes)

    decision = decide(key | item, policy, role)

    as_while = decide(key | item, replace(POLICY, enabled=is_inside, **changes), role)
    assert (decision.action, decision.steps) == (as_while.action, as_while.steps)
    assert decision.is_followed == as_while.is_followed
    assert decision.policy.encrypted == as_while.policy.encrypted
    assert decision.policy.enabled is is_inside


@given(keys, attributes, parts, parts)
def test_any_item_given_a_part_that_grows_then_nobody_decrypts_what_is_inside(
    key: dict[str, Any], item: dict[str, Any], one: Part, other: Part
) -> None:
    if not covers(other, one) or not one.has(key, POLICY.context_attributes):
        return
    for role in ROLES:
        steps = decide(key | item, replace(POLICY, part=other), role).steps.values()
        assert Step.DECRYPT not in steps
        assert Step.DROP not in steps


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_item_given_it_is_outside_then_it_is_never_encrypted_by_anybody(state: str, role: Role) -> None:
    policy = replace(POLICY, part=ListedKeys.of([OTHER]))
    key = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}

    decision = decide(key | STATES[state], policy, role)

    assert not {Step.ENCRYPT, Step.REENCRYPT} & set(decision.steps.values())
    if state == "plaintext":
        assert decision.action is Action.NOTHING
    if (state, role) == ("current", Role.READER):
        assert (decision.steps, decision.reason) == ({"history": Step.DECRYPT}, "outside-the-part")


@pytest.mark.parametrize("state", STATES)
def test_item_given_it_is_outside_then_a_sweep_neither_encrypts_nor_decrypts_what_has_one_value(state: str) -> None:
    if state.startswith(("both", "unknown form")):
        return  # Of two values one is the newer, whatever the setting: that is settled as while off.
    policy = policy_for(Aim(Goal.ENCRYPT), replace(POLICY, part=ListedKeys.of([OTHER])))
    key = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}

    assert decide(key | STATES[state], policy, Role.MIGRATOR).action is Action.NOTHING


@pytest.mark.parametrize("role", ROLES)
def test_item_given_its_key_cannot_be_told_then_it_fails_and_is_neither_in_nor_out(role: Role) -> None:
    decision = decide({"sessionId": {"S": "s"}, "history": HISTORY}, replace(POLICY, part=Buckets(1)), role)

    assert decision.action is Action.FAIL
    assert isinstance(decision.error, ContextUnusable)


@pytest.mark.parametrize("inside", [True, False])
def test_aim_given_a_part_when_a_key_is_to_be_decrypted_then_only_outside(inside: bool) -> None:
    key = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}
    policy = policy_for(Aim(Goal.DECRYPT), replace(POLICY, part=ListedKeys.of([key if inside else OTHER])))

    steps = decide(key | STATES["current"], policy, Role.MIGRATOR).steps

    assert steps["history"] is (Step.KEEP if inside else Step.DECRYPT)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with mock_aws():
        yield Scene()


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=parts, data=st.data())
def test_any_key_given_a_part_then_stream_reader_put_sweep_and_a_clients_message_agree(
    scene: Scene, part: Part, data: st.DataObject
) -> None:
    key = data.draw(keys)
    is_inside = part.has(key, POLICY.context_attributes)
    policy = SwitchState(True, 1, part=part).applied_to(POLICY)
    clear = key | {"history": HISTORY, "configuration": CONFIGURATION}

    for role in ROLES:
        scene.store(clear)
        (outcome,) = scene.reconciler.reconcile([key], policy, role).values()
        assert outcome.status is (Status.ENCRYPTED if is_inside else Status.NOTHING)
        assert ("history" in (scene.stored(key) or {})) is not is_inside

    scene.store(key | scene.encrypted(key, history=HISTORY, configuration=CONFIGURATION))
    access = scene.reconciler.access(key, policy)
    assert (access.item, "history" in (scene.stored(key) or {})) == (clear, not is_inside)

    scene.delete(key)
    access, _ = scene.reconciler.put(key, policy, {"history": HISTORY, "configuration": CONFIGURATION}, {})
    assert (access.item, "history" in (scene.stored(key) or {})) == (clear, not is_inside)

    message = EncryptedValue(HISTORY, scene.cipher.messages({"history": HISTORY}, scene.context(key))["history"])
    if is_inside:
        scene.reconciler.put(key, policy, {"history": message}, {})
    else:
        with pytest.raises(EncryptionOff):
            scene.reconciler.put(key, policy, {"history": message}, {})


def test_library_user_given_a_part_when_items_are_in_hand_then_each_is_encrypted_and_decrypted(scene: Scene) -> None:
    items = ItemCipher(scene.cipher, replace(POLICY, part=ListedKeys.of([OTHER])))
    clear = scene.new_key() | {"history": HISTORY}

    stored = items.encrypt_item(clear)

    assert "history" not in stored
    assert items.decrypt_item(stored) == clear
