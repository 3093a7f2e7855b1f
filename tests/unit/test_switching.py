"""Switching on or off, together with the sweep that has to follow."""

import json
from typing import Any

import boto3
import pytest

from encryptor_runtime.clients import longest_call
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch, SwitchState, VersionConflict
from encryptor_runtime.switch_and_sweep import narrows, switch_and_sweep
from item_crypto.core.part import Buckets, ListedKeys, Part
from item_crypto.errors import SystemicError, TransientError
from tests.faults import failing
from tests.scene import CLIENT
from tests.unit.test_switch import Control


class Scene(Control):
    """A control table and a work queue on moto; every call in order."""

    def __init__(self) -> None:
        super().__init__()
        self.sqs = boto3.client("sqs", **CLIENT)
        self.work = WorkQueue(self.sqs, self.sqs.create_queue(QueueName="work")["QueueUrl"])
        self.sent: list[dict[str, Any]] = []
        self.sqs.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))
        self.sqs.meta.events.register("provide-client-params.sqs.SendMessage", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.sent.append({"delay": params["DelaySeconds"], **json.loads(params["MessageBody"])})

    def set(self, switch: Switch, enabled: bool, version: int) -> SwitchState:
        return switch_and_sweep(switch, self.work, enabled, "alice", version)


@pytest.fixture
def scene(aws: None) -> Scene:
    return Scene()


def test_given_off_when_switched_on_then_the_sweep_is_queued_before_the_change_and_after_it(scene: Scene) -> None:
    setting = scene.set(scene.switch(enabled=False), True, 0)

    assert (setting.enabled, setting.version, setting.changed_by) == (True, 1, "alice")
    assert scene.calls == ["GetItem", "SendMessage", "TransactWriteItems", "SendMessage"]
    # The first arrives when it and the change have each had the longest time that a call may take.
    assert [message.pop("delay") for message in scene.sent] == [2 * longest_call() + 1, 0]
    assert scene.sent == [{"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 1}] * 2


def test_given_on_when_switched_off_then_nothing_is_queued(scene: Scene) -> None:
    assert scene.set(scene.switch(), False, 0).enabled is False
    assert scene.calls == ["GetItem", "TransactWriteItems"]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("ServiceUnavailable", 503, TransientError), ("AccessDenied", 403, SystemicError)],
)
def test_given_a_queue_that_refuses_when_switched_on_then_the_setting_stays_as_it_is(
    scene: Scene, code: str, status: int, error: type[Exception]
) -> None:
    with failing(scene.sqs, "sqs.SendMessage", code, status=status), pytest.raises(error):
        scene.set(scene.switch(enabled=False), True, 0)

    assert scene.rows() == {}
    assert "TransactWriteItems" not in scene.calls


def test_given_another_version_when_switched_on_then_it_is_a_conflict(scene: Scene) -> None:
    switch = scene.switch(enabled=False)
    current = switch.change(False, "bob", 0)

    with pytest.raises(VersionConflict) as conflict:
        scene.set(switch, True, 0)

    assert conflict.value.current == current


# A part

KEYS = ListedKeys.of([{"sessionId": {"S": "dlg-1"}}])


def test_given_off_when_on_for_listed_keys_then_the_same_messages_ask_for_them_as_for_a_sweep(scene: Scene) -> None:
    switch = scene.switch(enabled=False)

    setting = switch_and_sweep(switch, scene.work, True, "alice", 0, KEYS)

    assert (setting.enabled, setting.part, setting.version) == (True, KEYS, 1)
    assert scene.calls == ["GetItem", "SendMessage", "TransactWriteItems", "SendMessage"]
    assert "dlg-1" not in str(scene.sent)


@pytest.mark.parametrize("before", [False, True])
def test_given_anything_when_on_for_buckets_then_nothing_is_queued(scene: Scene, before: bool) -> None:
    setting = switch_and_sweep(scene.switch(enabled=before), scene.work, True, "alice", 0, Buckets(100))

    assert (setting.part, scene.calls) == (Buckets(100), ["GetItem", "TransactWriteItems"])


def test_given_buckets_when_on_for_all_then_the_sweep_is_queued_as_from_off(scene: Scene) -> None:
    switch = scene.switch(enabled=False)
    switch_and_sweep(switch, scene.work, True, "alice", 0, Buckets(100))

    assert switch_and_sweep(switch, scene.work, True, "alice", 1).part is None
    assert [message["settingVersion"] for message in scene.sent] == [2, 2]


@pytest.mark.parametrize(
    ("before", "enabled", "part", "expected"),
    [
        (SwitchState(False), True, Buckets(1), False),
        (SwitchState(False), False, None, False),
        (SwitchState(True), True, None, False),
        (SwitchState(True), False, None, True),
        (SwitchState(True), True, Buckets(9999), True),
        (SwitchState(True, part=Buckets(5)), True, Buckets(5), False),
        (SwitchState(True, part=Buckets(5)), True, Buckets(4), True),
        (SwitchState(True, part=Buckets(5)), True, KEYS, True),
        (SwitchState(True, part=KEYS), True, Buckets(9999), True),
        (SwitchState(True, part=KEYS), True, None, False),
        (SwitchState(True, part=KEYS), False, None, True),
    ],
)
def test_narrows_when_items_are_left_without_encryption_that_have_it(
    before: SwitchState, enabled: bool, part: Part | None, expected: bool
) -> None:
    assert narrows(before, enabled, part) is expected
