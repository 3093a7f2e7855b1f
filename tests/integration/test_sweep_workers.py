"""Two workers on one segment, crashes at the worst moments, and what a worker has to notice between two pages."""

import random
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from encryptor_runtime.messages import SegmentWork
from item_crypto.errors import TransientError
from migrator import sweep
from migrator.adaptive_rate import LimitedBy, Pace
from migrator.segments import MAX_HOPS, Carried
from tests.factories import json_lines, metrics
from tests.faults import ALWAYS
from tests.migration import Crash, Migration, context
from tests.records import bodies, received
from tests.refusals import refuse
from tests.scene import NOW
from tests.unit.sam_template import source


def crash() -> None:
    raise Crash


def next_page(parameters: Mapping[str, Any]) -> bool:
    return "ExclusiveStartKey" in parameters


def asked(world: Migration, operation: str) -> list[Mapping[str, Any]]:
    """Return the parameters of the migrator's calls of an operation, as they come."""
    found: list[Mapping[str, Any]] = []
    client = getattr(world.parts.runtime.clients, operation.partition(".")[0])
    client.meta.events.register(f"before-parameter-build.{operation}", lambda params, **_: found.append(dict(params)))
    return found


def message(world: Migration) -> str:
    """Return the body of the one message of the work queue, which stays there."""
    (found,) = world.sqs.receive_message(QueueUrl=world.work, VisibilityTimeout=0)["Messages"]
    return str(found["Body"])


def work(world: Migration, body: str, seconds: float = 300) -> None:
    sweep.handle(received(body), context(seconds), world.parts)


class TestTwoWorkers:
    @pytest.mark.parametrize("page", [1, 2, 3])
    @pytest.mark.parametrize("pages", [1, 2])
    def test_given_another_worker_that_commits_first_when_a_page_is_committed_then_it_is_counted_once(
        self, world: Migration, page: int, pages: int
    ) -> None:
        """The other one does one page or more, while this one has read its own and not committed it."""
        world.pages_of(10)
        for number in range(25):
            world.put(f"s{number}")
        sweep_id = world.start("encrypt", segments=1)
        body = message(world)
        scans = iter(range(1, 1000))

        def other() -> None:
            for _ in range(pages):
                work(world, body, seconds=10)  # One page a message.

        stop = world.interrupt("after", "dynamodb.Scan", other, when=lambda _: next(scans) == page)
        work(world, body)
        stop()
        world.pump()

        done = world.sweep(sweep_id)
        assert (done["state"], done["scanned"], done["counts"]) == ("done", 25, {"nothing": 25})
        assert done["segmentsDetail"][0]["pages"] == 3
        assert done["segmentsDone"] == 1

    @pytest.mark.parametrize("pages", [0, 1])
    def test_given_another_worker_that_commits_first_when_a_page_comes_to_nothing_then_the_pace_is_left_alone(
        self, world: Migration, pages: int
    ) -> None:
        world.pages_of(10)
        for number in range(25):
            world.put(f"s{number}")
        sweep_id, sweeps = world.start("encrypt", segments=1), world.parts.sweeps
        body = message(world)
        for _ in range(pages):
            work(world, body, seconds=10)  # One page a message.
        stale = sweeps.segment(sweep_id, 0)
        work(world, body, seconds=10)
        committed = sweeps.segment(sweep_id, 0)

        sweeps.slow_down(sweep_id, stale, Pace(1.0, 2.0, LimitedBy.TABLE_THROTTLED))

        assert (stale.pages, committed.pages) == (pages, pages + 1)
        assert sweeps.segment(sweep_id, 0) == committed

    @pytest.mark.parametrize("seed", range(6))
    def test_given_workers_that_overtake_one_another_and_crash_amid_calls_then_each_item_is_counted_once(
        self, world: Migration, seed: int
    ) -> None:
        """Each call of a worker may be where it is lost, before the call takes effect or after, or overtaken."""
        chance = random.Random(seed)
        world.pages_of(10)
        for number in range(46):
            world.put(f"s{number}", **({"history": {"S": "x"}} if number % 10 == 0 else {}))
        sweep_id = world.start("encrypt", segments=2)
        work_bodies = [str(m["Body"]) for m in all_messages(world)]
        depth = 0

        def worst_moment() -> None:
            nonlocal depth
            if depth or chance.random() > 0.15:
                return
            if chance.random() < 0.3:
                raise Crash
            depth += 1
            try:
                work(world, chance.choice(work_bodies), seconds=10)
            finally:
                depth -= 1

        stops = [
            world.interrupt(moment, operation, worst_moment, times=ALWAYS)
            for operation in ("dynamodb.Scan", "dynamodb.TransactWriteItems", "dynamodb.UpdateItem", "sqs.SendMessage")
            for moment in ("before", "after")
        ]
        for _ in range(6):
            try:
                work(world, chance.choice(work_bodies), seconds=chance.choice([10, 300]))
            except Crash:
                depth = 0
        for stop in stops:
            stop()
        for body in work_bodies:
            work(world, body)
        world.pump()

        done = world.sweep(sweep_id)
        assert (done["state"], done["scanned"], done["segmentsDone"]) == ("done", 46, 2)
        assert sum(done["counts"].values()) == 46
        assert not any("history" in item for item in world.all().values())
        assert "error" not in world.command("start", goal="verify")


def all_messages(world: Migration) -> list[Any]:
    return list(world.sqs.receive_message(QueueUrl=world.work, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"])


class TestEnd:
    def test_given_a_crash_between_the_last_page_and_the_end_when_the_message_comes_again_then_it_is_done_and_unlocked(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        world.interrupt("before", "dynamodb.TransactWriteItems", crash, when=unlocks)

        with pytest.raises(Crash):
            world.pump()
        assert world.sweep(sweep_id)["state"] == "running"
        assert world.command("start", goal="verify")["error"]["code"] == "conflict"
        world.pump()

        assert world.sweep(sweep_id)["state"] == "done"
        assert "error" not in world.command("start", goal="verify")

    def test_given_the_end_when_it_is_written_then_state_and_lock_change_as_one(self, world: Migration) -> None:
        world.plain("s1")
        transactions = asked(world, "dynamodb.TransactWriteItems")

        world.run("encrypt", segments=1)

        (end,) = [parameters["TransactItems"] for parameters in transactions if unlocks(parameters)]
        assert [next(iter(step)) for step in end] == ["Update", "Delete"]
        assert end[0]["Update"]["ExpressionAttributeValues"][":new"] == {"S": "done"}


def unlocks(parameters: Mapping[str, Any]) -> bool:
    return any("Delete" in step for step in parameters["TransactItems"])


class TestBetweenPages:
    @pytest.mark.parametrize(("command", "state"), [("pause", "paused"), ("cancel", "cancelled")])
    def test_given_a_pause_or_cancel_amid_a_message_when_a_page_is_done_then_it_is_the_last(
        self, world: Migration, command: str, state: str
    ) -> None:
        world.pages_of(10)
        for number in range(35):
            world.put(f"s{number}")
        sweep_id = world.start("encrypt", segments=1)
        world.interrupt("before", "dynamodb.Scan", lambda: world.command(command, sweep=sweep_id), when=next_page)

        world.pump()

        stopped = world.sweep(sweep_id)
        assert (stopped["state"], stopped["scanned"]) == (state, 20)  # The page in hand is finished.

    def test_given_a_rate_and_segments_when_swept_then_each_has_its_share(self, world: Migration) -> None:
        for number in range(60):
            world.put(f"s{number}")
        scans = asked(world, "dynamodb.Scan")
        messages = asked(world, "sqs.SendMessage")
        world.start("encrypt", segments=4, rate=8)
        for _ in range(4):
            assert world.deliver(world.work, sweep.handle, 76.0) == 1

        # A second's worth of a quarter of the rate; of a third, a half and all of it, once segments have ended.
        limits = [scan["Limit"] for scan in scans]
        assert (limits, set(limits)) == (sorted(limits), {2, 4, 8})
        assert {scan["Segment"] for scan in scans} == {0, 1, 2, 3}
        assert all(sent["DelaySeconds"] <= 1 for sent in messages)

    def test_given_a_segment_when_it_is_taken_up_then_that_is_told_of_it(self, world: Migration) -> None:
        sweep_id, sweeps = world.start("encrypt", segments=1), world.parts.sweeps
        assert sweeps.segment(sweep_id, 0).begun_at is None
        assert sweeps.begin(sweep_id, 0, NOW).begun_at == NOW
        assert sweeps.segment(sweep_id, 0).begun_at == NOW

    def test_given_another_setting_when_a_message_comes_then_it_is_done_with_and_says_so(
        self, world: Migration
    ) -> None:
        sweep_id = world.start("encrypt", segments=1)
        world.switch(False, 0)
        work = SegmentWork(sweep_id, 0, 0)
        assert world.parts.worker.carry_on(work, lambda: 300.0) is Carried.SETTING_CHANGED
        assert world.parts.worker.carry_on(work, lambda: 300.0) is Carried.NOT_RUNNING

    def test_given_a_sweep_at_the_hop_limit_when_messages_come_then_it_is_counted_as_dead_once(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        body = SegmentWork(world.start("encrypt", segments=1), 0, MAX_HOPS).body()
        capsys.readouterr()
        work(world, body)
        assert metrics(capsys.readouterr().out)["SweepsDead"] == [1.0]

        work(world, body)
        assert "SweepsDead" not in metrics(capsys.readouterr().out)

    def test_given_a_paused_sweep_when_its_message_comes_then_it_is_not_counted_as_dead(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep_id = world.start("encrypt", segments=1)
        world.command("pause", sweep=sweep_id)
        capsys.readouterr()
        work(world, SegmentWork(sweep_id, 0, MAX_HOPS).body())
        output = capsys.readouterr().out
        assert [line["state"] for line in json_lines(output) if line.get("message") == "segment"] == ["not-running"]
        assert "SweepsDead" not in metrics(output)

    def test_given_a_rate_when_pages_follow_one_another_in_a_message_then_it_waits_between_them(
        self, world: Migration
    ) -> None:
        for number in range(25):
            world.put(f"s{number}")
        sweep_id = world.start("encrypt", segments=1, rate=1)
        waits: list[float] = []

        worker = replace(world.parts.worker, sleep=waits.append)
        assert worker.carry_on(SegmentWork(sweep_id, 0, 0), lambda: 300.0) is Carried.DONE

        # A second's worth a page, less what the page took itself; after the last one nobody waits.
        assert len(waits) == 24
        assert all(0.5 < wait <= 1 for wait in waits)

    def test_given_a_rate_when_a_message_ends_after_a_page_then_the_next_one_is_held_back_for_it(
        self, world: Migration
    ) -> None:
        for number in range(3):
            world.put(f"s{number}")
        world.start("encrypt", segments=1, rate=0.1)
        messages = asked(world, "sqs.SendMessage")

        work(world, message(world), seconds=10)

        # Ten seconds for the one item, less what the page took itself.
        (delay,) = [sent["DelaySeconds"] for sent in messages]
        assert 5 <= delay <= 10

    @pytest.mark.parametrize("rate", [1, 0.01])
    def test_given_a_rate_below_the_segments_when_swept_then_a_page_has_one_item_at_least(
        self, world: Migration, rate: float
    ) -> None:
        world.plain("s1")
        scans = asked(world, "dynamodb.Scan")
        done = world.run("encrypt", segments=20, rate=rate)
        assert (done["state"], done["counts"]) == ("done", {"encrypted": 1})
        assert {scan["Limit"] for scan in scans} == {1}

    @pytest.mark.parametrize(("refusals", "state"), [(5, "done"), (6, "running")])
    def test_given_a_throttled_scan_when_swept_then_it_is_tried_six_times(
        self, world: Migration, refusals: int, state: str
    ) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        refuse(world.parts.runtime.clients.dynamodb, "dynamodb.Scan", "ThrottlingException", times=refusals)

        world.pump()

        assert world.sweep(sweep_id)["state"] == state

    @pytest.mark.parametrize("refusals", [5, 6])
    def test_given_a_throttled_scan_when_it_is_tried_again_then_after_waits_that_double(
        self, world: Migration, refusals: int
    ) -> None:
        sweep_id = world.start("encrypt", segments=1)
        refuse(world.clients.dynamodb, "dynamodb.Scan", "ThrottlingException", times=refusals)
        waits: list[float] = []

        worker = replace(world.parts.worker, sleep=waits.append)
        with pytest.raises(TransientError) if refusals == 6 else nullcontext():
            worker.carry_on(SegmentWork(sweep_id, 0, 0), lambda: 300.0)

        assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2])


class TestOutage:
    def test_given_an_outage_when_a_message_comes_again_and_again_then_it_outlasts_two_hours(
        self, world: Migration
    ) -> None:
        """What the function asks for when a service refuses, receipt by receipt, as often as the queue allows."""
        most = source()["Resources"]["WorkQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
        world.plain("s1")
        world.start("encrypt", segments=1)
        (found,) = all_messages(world)
        refuse(world.parts.runtime.clients.dynamodb, "dynamodb.Scan", "AccessDeniedException")
        shown_again = asked(world, "sqs.ChangeMessageVisibility")
        for receives in range(1, most + 1):
            event = received(found["Body"], found["ReceiptHandle"])
            event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receives)
            assert sweep.handle(event, context(), world.parts)["batchItemFailures"]

        waits = [shown["VisibilityTimeout"] for shown in shown_again]
        # After the last receipt there is no further one.
        assert len(waits) == most
        assert sum(waits[:-1]) > 2 * 3600
        assert max(waits) <= 600  # Nor does it wait for long once the outage is over.
        assert waits[0] <= 10

    def test_given_a_queue_that_refuses_too_when_a_message_fails_then_it_comes_again_later_and_that_is_told(
        self, world: Migration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.start("encrypt", segments=1)
        refuse(world.clients.dynamodb, "dynamodb.Scan", "AccessDeniedException")
        refuse(world.clients.sqs, "sqs.ChangeMessageVisibility", "AccessDenied")
        capsys.readouterr()

        assert sweep.handle(received(message(world)), context(), world.parts)["batchItemFailures"]

        problems = [line["message"] for line in json_lines(capsys.readouterr().out) if line.get("level") == "ERROR"]
        assert problems == ["a failed message waits for its visibility timeout"]

    def test_given_an_outage_when_a_switch_asks_for_a_sweep_then_its_message_comes_again_soon(
        self, world: Migration
    ) -> None:
        body = '{"kind": "start", "goal": "encrypt", "by": "a", "settingVersion": 0}'
        world.sqs.send_message(QueueUrl=world.work, MessageBody=body)
        (found,) = all_messages(world)
        refuse(world.parts.runtime.clients.dynamodb, "dynamodb.TransactWriteItems", "AccessDeniedException")
        shown_again = asked(world, "sqs.ChangeMessageVisibility")

        assert sweep.handle(received(body, found["ReceiptHandle"]), context(), world.parts)["batchItemFailures"]

        assert [shown["VisibilityTimeout"] for shown in shown_again] == [10]
        assert bodies(world.failures) == []
