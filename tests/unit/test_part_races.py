"""The part changes, or somebody writes, at the worst moment: no write rests on an older setting, and none is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from item_crypto import Policy, Role, Status
from item_crypto.core.part import Buckets, ListedKeys, Part
from tests.scene import CONFIGURATION, HISTORY
from tests.unit import test_setting_freshness

NEWER: Any = {"L": [{"S": "a newer write"}]}


class World(test_setting_freshness.World):
    """A table under a setting that can be on for a part."""

    def current(self, policy: Policy) -> Policy:
        return self.switch.read().applied_to(policy)

    def on_for(self, part: Part | None) -> Callable[[], Any]:
        def change() -> None:
            other = self.control.switch(mine=False)
            other.change(True, "somebody", other.read_now().version, part)

        return change

    def held_in(self, key: Any) -> set[str]:
        item = self.stored(key) or {}
        return {name for name in ("history", "encrypted_history") if name in item}


@pytest.fixture
def world(aws: None) -> World:
    return World()


def inside(key: Any) -> ListedKeys:
    return ListedKeys.of([key])


OUTSIDE = ListedKeys.of([{"sessionId": {"S": "another"}, "userId": {"S": "user"}}])


@pytest.mark.parametrize("role", [Role.ENCRYPTOR, Role.READER, Role.MIGRATOR])
def test_given_it_leaves_the_part_during_a_long_call_when_reconciled_then_nothing_is_encrypted_behind_it(
    world: World, role: Role
) -> None:
    key = world.new_key()
    world.on_for(inside(key))()
    world.store(key | {"history": HISTORY})
    world.takes_long(world.kms, "kms.GenerateDataKey", world.on_for(OUTSIDE))

    outcome = world.reconcile(key, role)

    assert outcome.status is Status.NOTHING
    assert (world.stored(key), world.writes) == (key | {"history": HISTORY}, 0)


@pytest.mark.parametrize("role", [Role.READER, Role.MIGRATOR])
def test_given_it_enters_the_part_during_a_long_decryption_when_reconciled_then_it_stays_encrypted(
    world: World, role: Role
) -> None:
    key = world.new_key()
    world.on_for(OUTSIDE)()
    world.store(key | world.encrypted(key, history=HISTORY))
    world.takes_long(world.kms, "kms.Decrypt", world.on_for(inside(key)))

    outcome = world.reconcile(key, role, decrypt_all=True)

    assert outcome.status is Status.NOTHING
    assert (world.held_in(key), world.writes) == ({"encrypted_history"}, 0)


def test_given_it_enters_the_part_during_a_long_read_when_the_stream_hints_then_it_is_encrypted(world: World) -> None:
    key = world.new_key()
    world.on_for(OUTSIDE)()
    world.store(key | {"history": HISTORY})
    policy = world.current(world.policy)
    world.takes_long(world.dynamodb, "dynamodb.BatchGetItem", world.on_for(inside(key)))

    (outcome,) = world.reconciler.reconcile([key], policy, Role.ENCRYPTOR).values()

    assert (outcome.status, world.held_in(key)) == (Status.ENCRYPTED, {"encrypted_history"})


@pytest.mark.parametrize("leaves", [True, False])
def test_given_the_part_changes_during_a_put_then_it_is_stored_as_the_part_is_by_then(
    world: World, leaves: bool
) -> None:
    key = world.new_key()
    world.store(key | {"configuration": CONFIGURATION})
    world.on_for(inside(key) if leaves else OUTSIDE)()
    policy = world.current(world.policy)
    then = world.on_for(OUTSIDE if leaves else inside(key))
    world.takes_long(*((world.kms, "kms.GenerateDataKey") if leaves else (world.dynamodb, "dynamodb.GetItem")), then)

    world.reconciler.put(key, policy, {"history": HISTORY}, {})

    assert world.held_in(key) == ({"history"} if leaves else {"encrypted_history"})
    assert world.held(key, "history") == [HISTORY]


@pytest.mark.parametrize("role", [Role.ENCRYPTOR, Role.READER, Role.MIGRATOR])
def test_given_a_writer_in_between_when_an_item_of_the_part_is_encrypted_then_their_write_is_not_lost(
    world: World, role: Role
) -> None:
    key = world.new_key()
    world.on_for(inside(key))()
    world.store(key | {"history": HISTORY})

    with world.before_next_update(lambda: world.set(key, history=NEWER)):
        world.reconcile(key, role)
    assert world.held(key, "history") == [NEWER]

    world.reconcile(key, role)
    assert (world.held(key, "history"), world.held_in(key)) == ([NEWER], {"encrypted_history"})


def test_given_a_writer_in_between_when_an_item_outside_is_brought_back_then_their_write_is_not_lost(
    world: World,
) -> None:
    key = world.new_key()
    world.on_for(OUTSIDE)()
    world.store(key | world.encrypted(key, history=HISTORY))

    with world.before_next_update(lambda: world.set(key, history=NEWER)):
        access = world.reconciler.access(key, world.policy)

    assert access.item == key | {"history": NEWER}
    assert (world.held(key, "history"), world.held_in(key)) == ([NEWER], {"history"})


@pytest.mark.parametrize("part", [Buckets(9999), None])
def test_given_the_part_changes_but_not_for_the_item_when_reconciled_then_it_is_written_by_the_new_one(
    world: World, part: Part | None
) -> None:
    key = world.new_key()
    assert Buckets(9999).has(key, world.policy.context_attributes)
    world.on_for(inside(key))()
    world.store(key | {"history": HISTORY})
    world.takes_long(world.kms, "kms.GenerateDataKey", world.on_for(part))

    assert world.reconcile(key).status is Status.ENCRYPTED
    assert world.held_in(key) == {"encrypted_history"}


def test_given_a_part_that_cannot_be_read_when_a_write_is_due_then_it_is_not_sent(world: World) -> None:
    key = world.new_key()
    world.on_for(inside(key))()
    world.store(key | {"history": HISTORY})

    def damage() -> None:
        row = {"id": {"S": "setting"}, "part": {"S": "current"}}
        world.control.dynamodb.update_item(
            TableName=test_setting_freshness.TABLE,
            Key=row,
            UpdateExpression="SET onlyFor = :v",
            ExpressionAttributeValues={":v": {"S": "everything"}},
        )

    world.takes_long(world.kms, "kms.GenerateDataKey", damage)

    outcome = world.reconcile(key)

    assert (outcome.status, outcome.reason) == (Status.SYSTEMIC, "control-table-unreadable-setting")
    assert world.writes == 0


def test_given_an_earlier_attribute_when_inside_then_it_is_brought_back_and_when_outside_as_while_off(
    world: World,
) -> None:
    key = world.new_key()
    narrowed = {"earlier": frozenset({"history"})}
    stored = key | world.encrypted(key, history=HISTORY)

    world.store(stored)
    world.on_for(OUTSIDE)()
    world.reconcile(key, Role.MIGRATOR, **narrowed)
    assert world.held_in(key) == {"encrypted_history"}

    world.control.now += 60
    world.on_for(inside(key))()
    world.control.now += 60
    world.reconcile(key, Role.MIGRATOR, **narrowed)
    assert world.held_in(key) == {"history"}
