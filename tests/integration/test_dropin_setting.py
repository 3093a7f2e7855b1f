"""The drop-in follows the control table: on, off and on for a part, within the life of its cache; else it raises."""

from typing import Any

import boto3
import pytest

from encryptor_runtime.switch import Switch
from item_crypto import ControlTable, EncryptedTable, Encryption, SystemicError
from item_crypto.core.part import Buckets, ListedKeys, Part
from tests.scene import TABLE, Scene
from tests.tables import create_table

CONTROL = "control"


@pytest.fixture
def switch(scene: Scene) -> Any:
    create_table(scene.plain, CONTROL, "id", "part")
    yield Switch(scene.plain, CONTROL, default_enabled=False, cache_seconds=0)
    scene.plain.delete_table(TableName=CONTROL)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def following(scene: Scene, clock: Clock, default_enabled: bool = False) -> EncryptedTable:
    setting = ControlTable(scene.plain, CONTROL, default_enabled, 5, clock, clock)
    return EncryptedTable(
        boto3.resource("dynamodb").Table(TABLE), Encryption(scene.cipher, scene.policy, setting.current)
    )


def is_encrypted(scene: Scene, table: EncryptedTable, key: Any) -> bool:
    plain = {name: value["S"] for name, value in key.items()}
    table.put_item(Item={**plain, "history": "x"})
    assert table.get_item(Key=plain)["Item"] == {**plain, "history": "x"}
    stored = scene.stored(key) or {}
    assert ("history" in stored) != ("encrypted_history" in stored)
    return "encrypted_history" in stored


@pytest.mark.parametrize("default_enabled", [True, False])
def test_setting_when_it_was_never_changed_then_what_the_caller_names_holds(
    scene: Scene, switch: Switch, default_enabled: bool
) -> None:
    table = following(scene, Clock(), default_enabled)
    assert is_encrypted(scene, table, scene.new_key()) is default_enabled


def test_setting_when_it_is_changed_then_it_is_followed_once_the_reading_is_old(scene: Scene, switch: Switch) -> None:
    clock, key = Clock(), scene.new_key()
    table = following(scene, clock)
    assert not is_encrypted(scene, table, key)

    switch.change(True, "somebody", 0)
    assert not is_encrypted(scene, table, key)
    clock.now = 5.0
    assert is_encrypted(scene, table, key)
    switch.change(False, "somebody", 1)
    clock.now = 10.0
    assert not is_encrypted(scene, table, key)


def test_setting_when_it_is_on_for_a_part_then_only_its_items_are_encrypted(scene: Scene, switch: Switch) -> None:
    inside, outside = scene.new_key(), scene.new_key()
    switch.change(True, "somebody", 0, ListedKeys.of([inside]))
    table = following(scene, Clock())

    assert is_encrypted(scene, table, inside)
    assert not is_encrypted(scene, table, outside)
    for key, expected in ((inside, True), (outside, False)):
        table.update_item(
            Key={name: value["S"] for name, value in key.items()},
            UpdateExpression="SET configuration = :v",
            ExpressionAttributeValues={":v": 1},
        )
        assert ("encrypted_configuration" in (scene.stored(key) or {})) is expected


def test_setting_when_it_is_on_for_buckets_then_the_drop_in_agrees_with_the_part(scene: Scene, switch: Switch) -> None:
    part: Part = Buckets(5_000)
    switch.change(True, "somebody", 0, part)
    table = following(scene, Clock())
    keys = [scene.new_key() for _ in range(12)]

    found = [is_encrypted(scene, table, key) for key in keys]

    assert found == [part.has(key, scene.policy.context_attributes) for key in keys]
    assert set(found) == {True, False}


def test_setting_when_its_row_is_unreadable_then_nothing_is_written_and_reading_goes_on(
    scene: Scene, switch: Switch
) -> None:
    key = scene.new_key()
    scene.store({**key, **scene.encrypted(key, history={"S": "x"})})
    scene.plain.put_item(TableName=CONTROL, Item={"id": {"S": "setting"}, "part": {"S": "current"}})
    table, plain = following(scene, Clock()), {name: value["S"] for name, value in key.items()}

    with pytest.raises(SystemicError):
        table.put_item(Item={**plain, "history": "y"})
    with pytest.raises(SystemicError):
        table.update_item(Key=plain, UpdateExpression="SET history = :v", ExpressionAttributeValues={":v": "y"})

    assert table.get_item(Key=plain)["Item"] == {**plain, "history": "x"}
