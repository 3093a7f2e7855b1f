"""Switching on or off, together with the sweep that has to follow."""

import json
from typing import Any

import boto3
import pytest

from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch, SwitchState, VersionConflict
from encryptor_runtime.switch_and_sweep import switch_and_sweep
from item_crypto.errors import SystemicError, TransientError
from tests.faults import failing, interrupting
from tests.scene import CLIENT
from tests.unit.test_switch import LIFETIME, Control


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


def test_given_off_when_switched_on_then_the_sweep_is_queued_first_for_after_a_cache_lifetime(scene: Scene) -> None:
    setting = scene.set(scene.switch(enabled=False), True, 0)

    assert (setting.enabled, setting.version, setting.changed_by) == (True, 1, "alice")
    assert scene.calls == ["SendMessage", "TransactWriteItems"]
    (message,) = scene.sent
    assert message.pop("delay") > LIFETIME
    assert message == {"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 1}


def test_given_on_when_switched_off_then_nothing_is_queued(scene: Scene) -> None:
    assert scene.set(scene.switch(), False, 0).enabled is False
    assert scene.calls == ["TransactWriteItems"]


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


@pytest.mark.parametrize(
    ("takes", "messages"),
    [pytest.param(LIFETIME, 1, id="in time"), pytest.param(LIFETIME + 1, 2, id="after the message could arrive")],
)
def test_given_a_change_that_takes_long_when_switched_on_then_a_sweep_follows_it_all_the_same(
    scene: Scene, takes: float, messages: int
) -> None:
    """A message that arrives before the change is made is dropped, as one whose version never came to be."""

    def wait() -> None:
        scene.now += takes

    switch = scene.switch(enabled=False)
    with interrupting(scene.dynamodb, "dynamodb.TransactWriteItems", wait):
        switch_and_sweep(switch, scene.work, True, "alice", 0, clock=lambda: scene.now)

    assert [message["settingVersion"] for message in scene.sent] == [1] * messages
