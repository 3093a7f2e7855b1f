"""`status`, `watch` and `set-rate`: which sweep, how it comes on, and what becomes of one that does not."""

import json
import time
from datetime import UTC, datetime

import pytest

from tests.fake_control import WHO, FakeControl, sweep
from tests.integration.test_cli import FAST, control, document, fake_aws, run  # noqa: F401 - fixtures


def test_status_tells_what_stands_still_and_what_helps(run, control):  # noqa: F811
    control.sweeps = {
        "a": sweep(id="a", state="running", finishedAt=None, minutesWithoutProgress=4),
        "b": sweep(id="b", state="paused", finishedAt=None, minutesWithoutProgress=None),
    }
    result = run("status")
    assert result.exit_code == 0, result.stderr
    assert "A sweep stands still: no progress for 4 min; `resume a`." in result.stdout
    assert result.stdout.count("stands still") == 1


def test_watch_tells_it_at_once_and_goes_on(run, control):  # noqa: F811
    control._start({"goal": "encrypt", "segments": 2})
    control.sweeps["sweep-1"]["minutesWithoutProgress"] = 4
    result = run("watch", *FAST)
    assert result.exit_code == 0, result.stderr
    assert "no progress for 4 min; `resume sweep-1`" in result.stderr
    assert result.stderr.count("makes no progress") == 1
    assert "`stream-encryptor resume sweep-1 --stack" in result.stderr


def test_watch_says_nothing_of_a_sweep_that_comes_forward(run, control):  # noqa: F811
    control._start({"goal": "encrypt", "segments": 2})
    assert "no progress" not in run("watch", *FAST).stderr


def just_switched_on(version=2):
    now = datetime.now(UTC).isoformat()
    return {"enabled": True, "version": version, "changedBy": "jane", "changedAt": now}


class TestWhichSweep:
    def test_watch_right_after_the_switch_waits_for_the_sweep_that_follows(self, run, control):  # noqa: F811
        control.sweeps = {"old": sweep(id="old", goal="encrypt", settingVersion=1)}
        control.status["setting"] = just_switched_on()
        looks = iter(range(3))

        def appears():
            if next(looks, None) is None and "new" not in control.sweeps:
                control._left = 1
                control.sweeps["new"] = sweep(
                    id="new", goal="encrypt", state="running", finishedAt=None, settingVersion=2, scanned=0, counts={}
                )
            return FakeControl._status(control)

        control._status = appears
        result = run("watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert result.stderr.count("waiting for the sweep that follows") == 1
        assert "Done: 710 items." in result.stdout
        assert {event["sweep"] for event in control.events if "sweep" in event} == {"new"}

    def test_watch_right_after_the_switch_for_a_part_waits_for_none(self, run, control):  # noqa: F811
        control.sweeps = {"old": sweep(id="old", goal="encrypt", settingVersion=1)}
        control.status["setting"] = {**just_switched_on(), "part": {"buckets": 100, "of": 10_000}}
        result = run("watch", "--wait", "--timeout", "1", *FAST)
        assert (result.exit_code, "waiting for the sweep" in result.stderr) == (0, False), result.stderr
        assert "The last one was old:" in result.stderr

    def test_watch_after_a_short_sweep_shows_how_it_ended(self, run, control):  # noqa: F811
        early, late = "2026-01-02T08:00:00+00:00", "2026-01-02T09:00:00+00:00"
        control.status["setting"] = just_switched_on()
        control.sweeps = {
            "a": sweep(id="a", goal="encrypt", counts={"failed": 1}, startedAt=early),
            "b": sweep(id="b", goal="encrypt", counts={"encrypted": 710}, startedAt=late, settingVersion=2),
        }
        result = run("watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert "The last one was b:" in result.stderr
        assert "Done: 710 items." in result.stdout

    def test_watch_shows_a_last_one_that_failed_by_its_exit_code(self, run, control):  # noqa: F811
        control.sweeps = {"a": sweep(id="a", goal="encrypt", counts={"failed": 1})}
        assert run("watch", *FAST).exit_code == 1

    def test_watch_where_there_never_was_a_sweep_says_so(self, run, control):  # noqa: F811
        result = run("watch", *FAST)
        assert (result.exit_code, control.commands()) == (5, ["status"])
        assert "No sweep was ever started." in result.stderr


class TestWait:
    def test_it_draws_nothing_and_tells_the_end(self, run, control):  # noqa: F811
        control._start({"goal": "encrypt", "segments": 2})
        result = run("watch", "--wait", *FAST)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "Done: 710 items." in result.stdout

    def test_as_json_it_is_one_document(self, run, control):  # noqa: F811
        control._start({"goal": "encrypt", "segments": 2})
        assert document(run("watch", "--wait", "--json", *FAST))["sweep"]["state"] == "done"

    @pytest.mark.parametrize(
        "outcome",
        [{"counts": {"failed": 3}}, {"state": "stopped", "reason": "setting-changed"}],
        ids=["failed", "stopped"],
    )
    def test_what_did_not_go_well_is_exit_code_1(self, run, control, outcome):  # noqa: F811
        control._start({"goal": "encrypt", "segments": 2})
        control.outcome = outcome
        assert run("watch", "--wait", *FAST).exit_code == 1

    @pytest.mark.parametrize(("minutes", "code"), [(34, 0), (35, 124)])
    def test_a_sweep_that_stands_still_is_given_up_and_told(self, run, control, minutes, code):  # noqa: F811
        control._start({"goal": "encrypt", "segments": 2})
        control.sweeps["sweep-1"]["minutesWithoutProgress"] = minutes
        result = run("watch", "--wait", *FAST)
        assert result.exit_code == code
        assert ("Gave up waiting: the sweep sweep-1 stands still" in result.stderr) == (code == 124)

    def test_a_shorter_patience_is_given(self, run, control):  # noqa: F811
        control._start({"goal": "encrypt", "segments": 2})
        control.sweeps["sweep-1"]["minutesWithoutProgress"] = 6
        result = run("watch", "--wait", "--stalled-after", "5", "--json", *FAST)
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (124, "stalled")

    def test_a_time_that_is_up_is_given_up(self, run, control):  # noqa: F811
        control.readings = 10**6
        control._start({"goal": "encrypt", "segments": 2})
        result = run("watch", "--wait", "--timeout", "0.2", "--json", *FAST)
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (124, "timed-out")
        assert control.sweeps["sweep-1"]["state"] == "running"

    def test_a_sweep_that_never_comes_is_waited_for_no_longer(self, run, control):  # noqa: F811
        control.status["setting"] = just_switched_on()
        assert run("watch", "--wait", "--timeout", "0.2", *FAST).exit_code == 124

    def test_a_time_out_without_waiting_is_wrong_usage(self, run):  # noqa: F811
        assert run("watch", "--timeout", "5").exit_code == 2


class TestSetRate:
    @pytest.mark.parametrize(
        ("given", "rate", "words"), [("200", 200.0, "200 items/s at most"), ("auto", None, "bear")]
    )
    def test_it_is_asked_for_with_who_asks(self, run, control, given, rate, words):  # noqa: F811
        control.answers["set-rate"] = {"sweep": sweep(id="a", goal="encrypt", state="running", rate=rate)}
        result = run("set-rate", "a", given)
        assert result.exit_code == 0, result.stderr
        assert control.events == [{"command": "set-rate", "sweep": "a", "rate": rate or "auto", "by": WHO}]
        assert (
            f"The sweep a (encrypt, running): {'' if rate else 'as fast as the table and KMS '}{words}."
            in result.stdout
        )

    @pytest.mark.parametrize("given", ["fast", "", "1,5"])
    def test_what_is_no_number_is_wrong_usage(self, run, control, given):  # noqa: F811
        assert (run("set-rate", "a", given).exit_code, control.events) == (2, [])

    def test_what_the_control_function_refuses_is_told(self, run, control):  # noqa: F811
        control.answers["set-rate"] = {"error": {"code": "stopped", "message": "The sweep is done."}}
        result = run("set-rate", "a", "5")
        assert (result.exit_code, "The sweep is done." in result.stderr) == (4, True)


def test_status_tells_how_fast_what_limits_and_when_it_ends(run, control, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        control.sweeps = {
            "a": sweep(
                id="a",
                goal="encrypt",
                state="running",
                finishedAt=None,
                scanned=350,
                segmentsDone=1,
                counts={"encrypted": 340, "failed": 7, "destroyed": 3},
                rateNow=12.5,
                limitedBy="table-throttled",
                estimatedEnd="2026-01-02T10:00:00+00:00",
                segmentsRunning=2,
                itemsPerSecond=20.0,
            )
        }
        result = run("status")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (
        "encrypt a:  50 %, 350 of about 700 items, 12 items/s now, limited by the table, which throttles, 20 items/s "
        "on average, 28 s left, ends about 2026-01-02 15:30, 7 failed, 1 of 4 segments done, 2 running" in result.stdout
    )
