"""Each invocation begins without a setting of the one before: nobody knows how long the environment was frozen."""

import json
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws

from encryptor_runtime.messages import Goal
from encryptor_runtime.switch import Switch
from migrator import deferred
from migrator.application import application as migrator
from migrator.requests import StartRequest
from reader import application as reader
from stream_encryptor.application import encryptor
from tests import factories
from tests.integration.test_stream_encryptor import TestRetry as Retry
from tests.integration.test_stream_encryptor import World, deliver, history
from tests.migration import TABLE, Migration, context
from tests.records import received
from tests.records import stream_record as record

CONTROL = "control"
CACHE_SECONDS = "1000"  # Longer than any test: by its age, no reading is ever too old.


def control_table(monkeypatch: pytest.MonkeyPatch) -> Switch:
    dynamodb = boto3.client("dynamodb")
    names = {"id": "HASH", "part": "RANGE"}
    dynamodb.create_table(
        TableName=CONTROL,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],  # type: ignore[typeddict-item]
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
    )
    monkeypatch.setenv("CONTROL_TABLE_NAME", CONTROL)
    monkeypatch.setenv("SETTING_CACHE_SECONDS", CACHE_SECONDS)
    return Switch(dynamodb, CONTROL, True, 0)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    with mock_aws():
        yield
    for cached in (encryptor, migrator, reader.reader, reader.item_reader):
        cached.cache_clear()
    boto3.setup_default_session()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Migration:
    world = Migration(monkeypatch)
    world.set(SETTING_CACHE_SECONDS=CACHE_SECONDS)
    return world


def test_stream_function(monkeypatch: pytest.MonkeyPatch) -> None:
    world, switch = World(monkeypatch), control_table(monkeypatch)
    switch.change(False, "alice", 0)
    world.put("s1", **history())
    deliver(record("s1"))
    assert "history" in world.get("s1")
    switch.change(True, "alice", 1)

    deliver(record("s1"))

    assert "history" not in world.get("s1")


def test_stream_function_given_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that needs nothing under an old "off" would not even be read."""
    world, switch = World(monkeypatch), control_table(monkeypatch)
    switch.change(False, "alice", 0)
    world.put("s1", **history())
    image = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}, **history()}
    deliver(record("s1", NewImage=image))
    switch.change(True, "alice", 1)

    deliver(record("s1", NewImage=image))

    assert "history" not in world.get("s1")


def test_retry_function(monkeypatch: pytest.MonkeyPatch) -> None:
    world, switch = World(monkeypatch), control_table(monkeypatch)
    switch.change(False, "alice", 0)
    world.put("s1", **history())
    Retry.deliver(Retry.message("s1"))
    switch.change(True, "alice", 1)

    Retry.deliver(Retry.message("s1"))

    assert "history" not in world.get("s1")


def test_http_api(monkeypatch: pytest.MonkeyPatch) -> None:
    world, switch = factories.World(monkeypatch), control_table(monkeypatch)
    switch.change(False, "alice", 0)
    world.put("dlg-1", {"history": []})
    assert "history" in world.stored()
    switch.change(True, "alice", 1)

    assert world.call("GET", "dlg-1").status == 200

    assert "history" not in world.stored()


def test_item_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    world, switch = factories.World(monkeypatch), control_table(monkeypatch)
    event = {"Key": {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}}
    switch.change(False, "alice", 0)
    world.store(factories.session())
    world.item(event)
    assert "history" in world.stored()
    switch.change(True, "alice", 1)

    world.item(event)

    assert "history" not in world.stored()


def other(world: Migration) -> Switch:
    """Return the setting as somebody else changes it, in another environment."""
    return Switch(world.dynamodb, CONTROL, True, 0)


def test_deferred_function(world: Migration) -> None:
    world.plain("s1")
    key = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
    message = json.dumps({"kind": "deferred", "table": TABLE, "key": key, "reason": "old-form"})
    other(world).change(False, "alice", 0)
    deferred.handle(received(message), context(), world.parts)
    assert "history" in world.get("s1")
    other(world).change(True, "alice", 1)

    deferred.handle(received(message), context(), world.parts)

    assert "history" not in world.get("s1")


def test_sweep_function(world: Migration) -> None:
    """A sweep that begins under the new setting must not be stopped by the old one, which the last page read."""
    world.plain("s1")
    world.start("encrypt")
    world.pump()
    version = other(world).change(False, "alice", 0).version
    world.passed += timedelta(hours=2)

    # Started without an invocation of this process, which would itself begin anew.
    sweep_id = world.parts.starter.start(StartRequest(Goal.DECRYPT, "alice")).id
    world.pump()

    swept = world.sweep(sweep_id)
    assert (swept["settingVersion"], swept["state"], swept["reason"]) == (version, "done", None)
    assert "history" in world.get("s1")


def test_control_function(world: Migration) -> None:
    world.put("poison", encrypted_history={"S": "%%%"})
    world.run("encrypt")
    world.command("redrive")
    other(world).change(False, "alice", 0)
    world.plain("poison")

    assert world.command("redrive")["done"] == 1

    assert "history" in world.get("poison"), "switched off meanwhile"


# Within one invocation


def test_given_a_batch_when_somebody_switches_off_amid_it_then_the_rest_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, switch = World(monkeypatch), control_table(monkeypatch)
    monkeypatch.setenv("SETTING_CACHE_SECONDS", "0")
    sessions = [f"s{number}" for number in range(40)]
    for session in sessions:
        world.put(session, **history())
    switched = world.faults.interrupting("dynamodb.UpdateItem", lambda: switch.change(False, "alice", 0))
    world.faults.lasting.begin(switched)

    assert deliver(*(record(session, sequence=number) for number, session in enumerate(sessions))) == []

    encrypted = sum("history" not in world.get(session) for session in sessions)
    assert 1 <= encrypted <= 8, "those that the eight threads had in hand, and no more"
