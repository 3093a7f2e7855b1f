"""The ceiling of a sweep, changed while it runs: neither it nor a page's progress is lost, whoever comes first."""

from collections.abc import Mapping
from typing import Any

import pytest

from migrator import sweep
from migrator.adaptive_rate import START
from tests.faults import ALWAYS
from tests.migration import Crash, Migration


def filled(world: Migration, items: int) -> Migration:
    for number in range(items):
        world.put(f"s{number}")
    return world


def limits(world: Migration) -> list[int]:
    """Return how many items the pages from here on may have, as they come."""
    found: list[int] = []
    world.clients.dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Scan", lambda params, **_: found.append(params["Limit"])
    )
    return found


def commits(parameters: Mapping[str, Any]) -> bool:
    return any("pages" in str(step) for step in parameters["TransactItems"])


class TestSet:
    @pytest.mark.parametrize("state", ["running", "paused"])
    def test_given_a_sweep_that_has_not_ended_when_set_then_it_is_its_ceiling(
        self, world: Migration, state: str
    ) -> None:
        sweep_id = world.start("encrypt", rate=5)
        if state == "paused":
            world.command("pause", sweep=sweep_id)

        answer = world.command("set-rate", sweep=sweep_id, rate=12.5)

        assert (answer["sweep"]["state"], answer["sweep"]["rate"]) == (state, 12.5)
        assert world.command("set-rate", sweep=sweep_id, rate="auto")["sweep"]["rate"] is None

    @pytest.mark.parametrize("rate", [0.001, 1, 1_000_000])
    def test_given_a_rate_at_the_edge_when_set_then_it_is_taken(self, world: Migration, rate: float) -> None:
        sweep_id = world.start("encrypt", rate=5)
        assert world.command("set-rate", sweep=sweep_id, rate=rate)["sweep"]["rate"] == rate

    @pytest.mark.parametrize("rate", [None, 0, -1, True, "5", "AUTO", 1_000_001, float("nan"), [5]])
    def test_given_no_rate_when_set_then_it_is_refused(self, world: Migration, rate: Any) -> None:
        sweep_id = world.start("encrypt", rate=5)
        refused = world.command("set-rate", sweep=sweep_id, rate=rate)["error"]
        assert (refused["code"], refused["field"]) == ("invalid-request", "rate")
        assert world.sweep(sweep_id)["rate"] == 5

    def test_given_a_sweep_that_has_ended_or_never_was_when_set_then_it_is_refused(self, world: Migration) -> None:
        ended = world.run("encrypt")["id"]
        assert world.command("set-rate", sweep=ended, rate=5)["error"]["code"] == "stopped"
        assert world.command("dry-run", of="set-rate", sweep=ended, rate=5)["error"]["code"] == "stopped"
        assert world.command("set-rate", sweep="none", rate=5)["error"]["code"] == "not-found"
        assert world.sweep(ended)["rate"] is None

    def test_given_it_was_set_when_the_recent_actions_are_asked_for_then_it_is_one(self, world: Migration) -> None:
        sweep_id = world.start("encrypt")
        world.command("set-rate", sweep=sweep_id, rate="auto")

        (newest, _) = world.command("actions")["actions"]

        assert (newest["action"], newest["who"], newest["result"]) == ("set-rate", "operator", "done")
        assert newest["detail"] == {"sweep": sweep_id, "rate": "auto"}


class TestWhileItRuns:
    def test_given_a_ceiling_when_set_amid_a_message_then_the_next_page_keeps_to_it(self, world: Migration) -> None:
        filled(world, 230)
        sweep_id = world.start("encrypt", segments=1)
        sizes = limits(world)
        world.interrupt(
            "before", "dynamodb.Scan", lambda: world.command("set-rate", sweep=sweep_id, rate=40), when=_second_page
        )

        world.pump()

        assert sizes[:3] == [int(START), int(START), 40]  # The page in hand is read as it was begun.
        done = world.sweep(sweep_id)
        assert (done["state"], done["scanned"], done["rate"]) == ("done", 230, 40)

    def test_given_a_ceiling_when_taken_away_then_the_sweep_gets_faster_step_by_step(self, world: Migration) -> None:
        filled(world, 60)
        sweep_id = world.start("encrypt", segments=1, rate=2)
        sizes = limits(world)
        assert world.deliver(world.work, sweep.handle, 10) == 1
        world.command("set-rate", sweep=sweep_id, rate="auto")

        world.pump()

        assert sizes[:4] == [2, 2, 7, 12]

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_given_a_page_that_is_committed_when_set_at_that_moment_then_neither_is_lost(
        self, world: Migration, moment: Any
    ) -> None:
        filled(world, 50)
        sweep_id = world.start("encrypt", segments=2, rate=10)
        rates = iter(range(20, 1000))
        world.interrupt(
            moment,
            "dynamodb.TransactWriteItems",
            lambda: world.command("set-rate", sweep=sweep_id, rate=next(rates)),
            when=commits,
            times=ALWAYS,
        )

        world.pump()

        done = world.sweep(sweep_id)
        last = next(rates) - 1
        assert (done["state"], done["scanned"], done["segmentsDone"]) == ("done", 50, 2)
        # The one after the last page came after the end of the sweep, or before it.
        assert done["rate"] in (last, last - 1)
        assert last > 20

    def test_given_a_worker_that_crashes_amid_a_page_when_set_then_the_page_is_redone_at_the_new_rate(
        self, world: Migration
    ) -> None:
        filled(world, 30)
        sweep_id = world.start("encrypt", segments=1, rate=10)

        def crash() -> None:
            world.command("set-rate", sweep=sweep_id, rate=3)
            raise Crash

        world.interrupt("before", "dynamodb.TransactWriteItems", crash, when=commits)
        with pytest.raises(Crash):
            world.pump()
        sizes = limits(world)
        world.pump()

        assert set(sizes) <= {1, 2, 3}
        done = world.sweep(sweep_id)
        assert (done["state"], done["scanned"], done["rate"]) == ("done", 30, 3)


def _second_page(parameters: Mapping[str, Any]) -> bool:
    return "ExclusiveStartKey" in parameters
