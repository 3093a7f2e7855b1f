"""Crashes, races and input that the sweeps' bookkeeping has to survive."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from migrator.application import application
from tests.faults import failing, interrupting
from tests.migration import Crash, Migration


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)
    application.cache_clear()
    boto3.setup_default_session()


def test_given_a_crash_between_done_and_unlocked_when_the_message_comes_again_then_the_next_sweep_may_start(
    world: Migration,
) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    crash = failing(
        world.clients.dynamodb, "dynamodb.TransactWriteItems", Crash(), moment="after", when=unlocks, times=1
    )

    with crash, pytest.raises(Crash):
        world.pump()
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"
    assert "error" not in world.command("start", goal="verify")


def unlocks(parameters: Mapping[str, Any]) -> bool:
    return any("Delete" in step for step in parameters["TransactItems"])


def test_given_a_cancel_amid_a_resume_when_resumed_then_no_lock_is_left(world: Migration) -> None:
    sweep_id = world.start("encrypt", segments=1)
    world.command("pause", sweep=sweep_id)
    cancelled = interrupting(
        world.clients.dynamodb, "dynamodb.TransactWriteItems", lambda: world.command("cancel", sweep=sweep_id)
    )

    with cancelled:
        assert world.command("resume", sweep=sweep_id)["error"]["code"] == "stopped"

    assert "error" not in world.command("start", goal="verify")


def test_given_a_crash_before_the_segments_are_queued_when_the_start_comes_again_then_the_sweep_runs(
    world: Migration,
) -> None:
    world.command("set-config", enabled=False, version=0, confirm="switch-off")
    world.plain("s1")
    world.switch(True, 1)
    message = {"kind": "start", "goal": "encrypt", "by": "operator", "settingVersion": 2}
    with failing(world.clients.sqs, "sqs.SendMessageBatch", Crash(), times=1), pytest.raises(Crash):
        world.deliver_now(message)

    world.deliver_now(message)
    world.pump()

    assert "history" not in world.get("s1")


@pytest.mark.parametrize(
    "fields",
    [
        {"goal": "re-encrypt", "olderThanDays": 1e6},
        {"goal": "re-encrypt", "olderThanDays": 1e12},
        {"goal": "encrypt", "rate": 1e400},
    ],
)
def test_given_a_number_past_all_bounds_when_started_then_it_is_refused(
    world: Migration, fields: dict[str, Any]
) -> None:
    assert world.command("start", **fields)["error"]["code"] == "invalid-request"


def test_given_the_setting_changed_amid_a_message_when_the_next_page_is_due_then_the_sweep_stops(
    world: Migration,
) -> None:
    """A worker runs for minutes; by then every other function acts on the new setting, and so do the next sweeps."""
    for number in range(150):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=1)
    with interrupting(
        world.clients.dynamodb,
        "dynamodb.Scan",
        lambda: world.switch(False, 0),
        when=lambda parameters: "ExclusiveStartKey" in parameters,
    ):
        world.pump()

    assert world.sweep(sweep_id)["state"] == "stopped"
    assert any("history" in item for item in world.all().values())
