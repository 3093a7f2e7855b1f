"""Conflicts that were kept: guarded as everything else that is written, and no reason to refuse an item."""

from typing import Any

import pytest

from item_crypto import Role, Status, decide
from item_crypto.core.decide import Action
from tests.faults import interrupting
from tests.scene import CONFIGURATION, HISTORY, Scene

OLDER: Any = {"L": [{"S": "older"}]}


def test_kept_conflict_when_it_is_removed_before_its_renewal_is_written_then_it_does_not_come_back(
    scene: Scene,
) -> None:
    key = scene.new_key()
    kept = scene.encrypted_earlier(key, history_conflict=OLDER)
    scene.store({**key, **scene.encrypted(key, history=HISTORY), **kept, "is_encrypted": {"BOOL": True}})
    without = {name: value for name, value in (scene.stored(key) or {}).items() if name not in kept}
    with interrupting(scene.dynamodb, "dynamodb.UpdateItem", lambda: scene.store(without)):
        outcome = scene.reconcile(key, Role.MIGRATOR)

    assert outcome.status is Status.SUPERSEDED
    assert scene.stored(key) == without


def test_kept_conflict_when_another_takes_its_place_before_its_renewal_is_written_then_that_one_stands(
    scene: Scene,
) -> None:
    key = scene.new_key()
    scene.store(
        {
            **key,
            **scene.encrypted(key, history=HISTORY),
            **scene.encrypted_earlier(key, history_conflict=OLDER),
            "is_encrypted": {"BOOL": True},
        }
    )
    other = scene.encrypted(key, history_conflict=CONFIGURATION)["encrypted_history_conflict"]
    with interrupting(scene.dynamodb, "dynamodb.UpdateItem", lambda: scene.set(key, encrypted_history_conflict=other)):
        outcome = scene.reconcile(key, Role.MIGRATOR)

    assert outcome.status is Status.SUPERSEDED
    assert (scene.stored(key) or {})["encrypted_history_conflict"] == other


def test_conflict_when_one_appears_before_a_new_one_is_kept_then_it_is_not_written_over(scene: Scene) -> None:
    key = scene.new_key()
    scene.store({**key, "history": OLDER, "is_encrypted": {"BOOL": True}, **scene.lisa(key, history=HISTORY)})
    other = scene.encrypted(key, history_conflict=CONFIGURATION)["encrypted_history_conflict"]
    with interrupting(scene.dynamodb, "dynamodb.UpdateItem", lambda: scene.set(key, encrypted_history_conflict=other)):
        outcome = scene.reconcile(key, Role.MIGRATOR)

    assert outcome.status is Status.SUPERSEDED
    assert (scene.stored(key) or {})["encrypted_history_conflict"] == other


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("garbage", [{"S": "garbage"}, {"S": ""}, {"N": "1"}, {"S": "e30="}, {"L": []}], ids=repr)
def test_kept_conflict_that_is_unreadable_when_decided_then_the_item_is_handled_all_the_same(
    scene: Scene, role: Role, enabled: bool, garbage: Any
) -> None:
    key = scene.new_key()
    item = {**key, "history": HISTORY, "encrypted_history_conflict": garbage}
    policy = {"enabled": enabled}
    scene.store(item)

    decision = decide(item, scene.policy, role, scene.cipher.keys)
    outcome = scene.reconcile(key, role, **policy)

    assert (decision.action, decision.error) == (Action.WRITE, None)
    assert outcome.status is (Status.ENCRYPTED if enabled else Status.NOTHING)
    assert (scene.stored(key) or {})["encrypted_history_conflict"] == garbage


def test_kept_conflict_that_is_unreadable_when_its_item_is_renewed_then_the_rest_is(scene: Scene) -> None:
    key = scene.new_key()
    scene.store(
        {
            **key,
            **scene.encrypted_earlier(key, history=HISTORY),
            "encrypted_history_conflict": {"S": "garbage"},
            "is_encrypted": {"BOOL": True},
        }
    )

    assert scene.reconcile(key, Role.MIGRATOR).status is Status.ENCRYPTED
    assert scene.held(key, "configuration") == []
    assert (scene.stored(key) or {})["encrypted_history_conflict"] == {"S": "garbage"}
