"""The sweeps' rows where one of two writes is missing: whoever comes next finds it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from migrator.progress import State
from tests.migration import Crash, Migration

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def crash() -> None:
    raise Crash


def next_page(parameters: Mapping[str, Any]) -> bool:
    return "ExclusiveStartKey" in parameters


def test_given_a_crash_amid_a_resume_when_a_sweep_like_it_is_started_then_it_is_carried_on(world: Migration) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    world.command("pause", sweep=sweep_id)
    world.pump()  # What was queued before is dropped.
    stop = world.interrupt("before", "sqs.SendMessageBatch", crash)
    with pytest.raises(Crash):
        world.command("resume", sweep=sweep_id)
    stop()
    assert world.sweep(sweep_id)["state"] == "running"

    assert world.start("encrypt", segments=1) == sweep_id
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"
    assert "history" not in world.get("s1")


@pytest.mark.parametrize("goal", ["encrypt", "verify"])
def test_given_a_change_of_the_setting_amid_a_message_when_a_page_is_read_then_only_a_verification_goes_on(
    world: Migration, goal: str
) -> None:
    world.pages_of(10)
    for number in range(15):
        world.put(f"s{number}")
    sweep_id = world.start(goal, segments=1)
    world.interrupt("before", "dynamodb.Scan", lambda: world.switch(False, 0), when=next_page)

    world.pump()

    sweep = world.sweep(sweep_id)
    expected = ("done", 15, None) if goal == "verify" else ("stopped", 10, "setting-changed")
    assert (sweep["state"], sweep["scanned"], sweep["reason"]) == expected
    assert "error" not in world.command("start", goal="verify")  # No lock is left.


def test_given_a_sweep_when_it_is_finished_then_only_once_all_segments_are_and_as_often_as_asked(
    world: Migration,
) -> None:
    sweeps = world.parts.sweeps
    sweep_id = world.start("encrypt", segments=2)

    assert sweeps.finish(sweep_id, NOW) is False
    assert sweeps.finish("no such sweep", NOW) is False
    world.pump()
    assert sweeps.finish(sweep_id, NOW) is True
    done = sweeps.get(sweep_id)
    assert done is not None
    assert (done.state, done.segments_done) == (State.DONE, 2)
    assert done.finished_at != NOW  # The first end stands.


def test_given_sweeps_of_weeks_when_the_newest_are_asked_for_then_those_that_may_go_on_come_first(
    world: Migration,
) -> None:
    paused = world.start("encrypt", segments=1)
    world.command("pause", sweep=paused)
    others = []
    for hours in (1, 2, 3):
        world.passed = world.passed.__class__(hours=hours)
        others.append(world.run("verify", segments=1)["id"])

    assert [sweep.id for sweep in world.parts.sweeps.newest()] == [paused, *reversed(others)]
    assert [sweep.id for sweep in world.parts.sweeps.newest(2)] == [paused, others[-1]]


def test_given_rows_that_come_in_several_answers_when_segments_are_read_then_all_of_them_are(world: Migration) -> None:
    for number in range(40):
        world.put(f"s{number}")
    sweep_id = world.run("verify", segments=7)["id"]
    sweep = world.parts.sweeps.get(sweep_id)
    assert sweep is not None
    client = world.parts.runtime.clients.dynamodb
    client.meta.events.register("before-parameter-build.dynamodb.Query", lambda params, **_: params.update(Limit=2))

    segments = world.parts.sweeps.segments(sweep)

    assert [(segment.number, segment.done) for segment in segments] == [(number, True) for number in range(7)]
    assert sum(segment.scanned for segment in segments) == 40
