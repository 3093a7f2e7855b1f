"""Crashes, races and input that the sweeps' bookkeeping has to survive."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults import failing, interrupting
from tests.migration import Crash, Migration


def test_given_a_crash_once_done_and_unlocked_when_the_message_comes_again_then_the_next_sweep_may_start(
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
    world.pages_of(10)
    for number in range(15):
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


# A pause as the last segment ends


LAST_PAGES = [
    pytest.param(("dynamodb.UpdateItem", "after"), id="while the last page is worked off"),
    pytest.param(("dynamodb.TransactWriteItems", "before"), id="before the last page is counted"),
    pytest.param(("dynamodb.TransactWriteItems", "after"), id="between the last page and the end"),
]


def counts_the_end(parameters: Mapping[str, Any]) -> bool:
    """Tell whether an item is written, or the last page of a segment is counted."""
    return "TransactItems" not in parameters or "segmentsDone" in str(parameters["TransactItems"])


@pytest.mark.parametrize("moment", LAST_PAGES)
def test_given_a_pause_with_the_last_page_in_hand_when_that_is_done_then_so_is_the_sweep(
    world: Migration, moment: tuple[str, Any]
) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    operation, when = moment
    world.interrupt(when, operation, lambda: world.command("pause", sweep=sweep_id), counts_the_end)
    world.pump()

    assert "history" not in world.get("s1")
    found = world.sweep(sweep_id)
    assert (found["state"], found["segmentsDone"], found["finishedAt"] is None) == ("done", 1, False)
    assert "error" not in world.command("start", goal="verify")


def test_given_a_pause_as_the_sweep_is_marked_as_done_when_marked_then_it_is_done(world: Migration) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    world.interrupt("before", "dynamodb.TransactWriteItems", lambda: world.command("pause", sweep=sweep_id), unlocks)
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_crash_after_the_last_page_and_a_pause_when_the_message_comes_again_then_the_sweep_is_done(
    world: Migration,
) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    crash = failing(
        world.clients.dynamodb, "dynamodb.TransactWriteItems", Crash(), moment="after", when=counts_the_end, times=1
    )
    with crash, pytest.raises(Crash):
        world.pump()
    assert world.command("pause", sweep=sweep_id)["sweep"]["state"] == "paused"
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_pause_as_one_of_two_segments_ends_when_delivered_then_the_sweep_stays_paused_until_resumed(
    world: Migration,
) -> None:
    for number in range(20):
        world.plain(f"s{number}", number)
    sweep_id = world.start("encrypt", segments=2)
    world.interrupt(
        "before", "dynamodb.TransactWriteItems", lambda: world.command("pause", sweep=sweep_id), counts_the_end
    )
    world.pump()
    found = world.sweep(sweep_id)
    assert (found["state"], found["segmentsDone"]) == ("paused", 1)

    world.command("resume", sweep=sweep_id)
    world.pump()
    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_cancel_with_the_last_page_in_hand_when_that_is_done_then_the_sweep_stays_cancelled(
    world: Migration,
) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    world.interrupt(
        "before", "dynamodb.TransactWriteItems", lambda: world.command("cancel", sweep=sweep_id), counts_the_end
    )
    world.pump()

    assert world.sweep(sweep_id)["state"] == "cancelled"
