"""Recent actions in the control table: what is kept of one, in which order they are read, and how."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from encryptor_runtime.actions import Action, Actions, Fact
from encryptor_runtime.remembered import RememberedAttributes
from encryptor_runtime.switch import Switch
from tests.scene import CLIENT
from tests.tables import create_table

TABLE: Final = "control"
NOON: Final = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def dynamodb(aws: None) -> Any:
    client = boto3.client("dynamodb", **CLIENT)
    create_table(client, TABLE, "id", "part")
    return client


def action(minute: int, **detail: Fact) -> Action:
    return Action(NOON + timedelta(minutes=minute), "alice", "admin-api", "start", "done", detail)


def test_actions_when_asked_for_then_the_newest_come_first_and_are_what_was_kept(dynamodb: Any) -> None:
    actions = Actions(dynamodb, TABLE)
    kept = [action(minute, segments=minute) for minute in range(12)]
    for one in reversed(kept):
        actions.keep(one)

    assert actions.newest(11) == kept[:0:-1]
    assert actions.newest(100) == kept[::-1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 256),
        ("a\nb\x7f\ud800", "a?b??"),
        (10**15 - 1, 10**15 - 1),
        (1 - 10**15, 1 - 10**15),
        (10**15, "out of range"),
        (-(10**15), "out of range"),
        (True, True),
        (0.5, 0.5),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_fact_when_it_is_kept_then_it_is_bounded(dynamodb: Any, given: Fact, kept: Fact) -> None:
    actions = Actions(dynamodb, TABLE)
    actions.keep(action(0, fact=given))

    assert actions.newest(1)[0].detail == {"fact": kept}


def test_control_table_when_it_is_read_then_consistently(dynamodb: Any) -> None:
    asked: list[bool | None] = []
    for operation in ("GetItem", "Query"):
        dynamodb.meta.events.register(
            f"provide-client-params.dynamodb.{operation}", lambda params, **_: asked.append(params["ConsistentRead"])
        )
    switch = Switch(dynamodb, TABLE, default_enabled=True, cache_seconds=5)

    switch.read()
    switch.history()
    RememberedAttributes(dynamodb, TABLE).since()
    Actions(dynamodb, TABLE).newest(1)

    assert asked == [True] * 4
