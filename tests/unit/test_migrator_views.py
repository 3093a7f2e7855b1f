"""What the operator is shown, number by number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from encryptor_runtime.messages import Goal
from migrator import views
from migrator.adaptive_rate import LimitedBy, Pace
from migrator.letters import Letter
from migrator.progress import Segment, State, Sweep

START = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)
SWEEP = Sweep("20260102T083000-1f2e", Goal.VERIFY, State.RUNNING, "operator", START, 3, 2, 1, 500, rate=2.5, deep=True)
SEGMENTS = [
    Segment(0, True, None, 2, 150, {"encrypted": 100, "values": 90}, {"arn:a": 100}, START + timedelta(seconds=100)),
    Segment(1, False, None, 1, 90, {"encrypted": 40, "mixed": 50, "values.decrypted": 80}, {"arn:a": 40, "arn:b": 1}),
]


def test_sweep_when_shown_then_its_segments_are_added_up() -> None:
    assert views.sweep(SWEEP, SEGMENTS, START + timedelta(seconds=160)) == {
        "id": "20260102T083000-1f2e",
        "goal": "verify",
        "state": "running",
        "startedBy": "operator",
        "startedAt": "2026-01-02T08:30:00+00:00",
        "finishedAt": None,
        "settingVersion": 3,
        "segments": 2,
        "segmentsDone": 1,
        "scanned": 240,
        "estimatedItems": 500,
        "counts": {"encrypted": 140, "mixed": 50},
        "outside": {},
        "attributes": {},
        "strays": {},
        "encodings": {},
        "values": {"seen": 90, "decrypted": 80},
        "underKey": {"arn:a": 140, "arn:b": 1},
        "rate": 2.5,
        "olderThan": None,
        "deep": True,
        "itemsPerSecond": 1.5,
        "rateNow": 0.0,
        "limitedBy": None,
        "estimatedEnd": None,
        "segmentsRunning": 0,
        "itemsFailed": 0,
        "reason": None,
        "minutesWithoutProgress": 1,
    }


def test_sweep_when_it_has_ended_then_its_speed_is_that_until_its_end_and_nothing_stands_still() -> None:
    ended = replace(SWEEP, state=State.STOPPED, finished_at=START + timedelta(seconds=24), reason="hop-limit")

    shown = views.sweep(replace(ended, older_than=START), SEGMENTS, START + timedelta(days=1))

    assert shown["itemsPerSecond"] == 10.0
    assert shown["finishedAt"] == "2026-01-02T08:30:24+00:00"
    assert shown["olderThan"] == "2026-01-02T08:30:00+00:00"
    assert (shown["reason"], shown["minutesWithoutProgress"]) == ("hop-limit", None)


@pytest.mark.parametrize(("seconds", "minutes"), [(-5, 0), (0, 0), (59, 0), (60, 1), (119, 1), (120, 2)], ids=str)
def test_sweep_when_it_has_committed_nothing_then_it_stands_still_since_its_start(seconds: int, minutes: int) -> None:
    shown = views.sweep(SWEEP, [Segment(0), Segment(1)], START + timedelta(seconds=seconds))

    assert shown["minutesWithoutProgress"] == minutes
    assert shown["itemsPerSecond"] == 0.0


def test_sweep_when_it_began_this_moment_then_it_has_a_speed_all_the_same() -> None:
    assert views.sweep(SWEEP, [Segment(0, scanned=1)], START)["itemsPerSecond"] == 1000.0


NOW = START + timedelta(seconds=100)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Segment(3, True, committed_at=NOW), "done"),
        (Segment(3), "waiting"),
        (Segment(3, begun_at=NOW), "running"),
        (Segment(3, begun_at=START, committed_at=NOW - timedelta(seconds=59)), "running"),
        (Segment(3, begun_at=START, committed_at=NOW - timedelta(seconds=61)), "waiting"),
    ],
)
def test_segment_when_shown_then_with_its_state(found: Segment, state: str) -> None:
    more = replace(found, pages=2, scanned=150, counts={"encrypted": 150, "values": 9}, speed=12.5)
    more = replace(more, pace=Pace(20.0, 0.0, LimitedBy.FUNCTION))
    assert views.segment(more, SWEEP, NOW) == {
        "segment": 3,
        "state": state,
        "pages": 2,
        "scanned": 150,
        "counts": {"encrypted": 150},
        "rateNow": 12.5 if state == "running" else None,
        "limitedBy": "function" if state == "running" else None,
    }


def at_work(number: int, speed: float, limited_by: LimitedBy | None, **counts: int) -> Segment:
    return Segment(number, scanned=50, counts=counts, committed_at=NOW, pace=Pace(speed, 0.0, limited_by), speed=speed)


def test_sweep_when_segments_are_at_work_then_their_speeds_are_added_up_and_the_end_is_foreseen() -> None:
    segments = [
        at_work(0, 10.0, LimitedBy.TABLE_THROTTLED, failed=2),
        at_work(1, 15.5, LimitedBy.TABLE_THROTTLED, destroyed=1),
        at_work(2, 4.5, None, encrypted=4),
        Segment(3, True, scanned=50, speed=99.0, committed_at=NOW),  # Done: it adds no speed.
        Segment(4, scanned=0, speed=99.0, committed_at=START),  # Nobody has it in hand.
    ]

    shown = views.sweep(replace(SWEEP, goal=Goal.ENCRYPT, segments=5), segments, NOW)

    assert (shown["rateNow"], shown["limitedBy"], shown["segmentsRunning"]) == (30.0, "table-throttled", 3)
    assert shown["estimatedEnd"] == (NOW + timedelta(seconds=10)).isoformat()  # 300 of 500 items are left.
    assert shown["itemsFailed"] == 2


def test_sweep_when_it_does_not_run_then_it_has_no_rate_and_no_end_to_come() -> None:
    shown = views.sweep(replace(SWEEP, state=State.PAUSED), [at_work(0, 10.0, LimitedBy.CEILING)], NOW)

    assert (shown["rateNow"], shown["limitedBy"], shown["estimatedEnd"], shown["segmentsRunning"]) == (
        None,
        None,
        None,
        0,
    )


@pytest.mark.parametrize(("estimated", "speed"), [(0, 10.0), (500, 0.0), (10**12, 0.1)])
def test_sweep_when_its_end_cannot_be_told_then_it_is_not(estimated: int, speed: float) -> None:
    shown = views.sweep(replace(SWEEP, estimated_items=estimated), [at_work(0, speed, None)], NOW)
    assert shown["estimatedEnd"] is None


TABLE = {"TableName": "t", "TableArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/t", "ItemCount": 7}


@pytest.mark.parametrize(
    ("stream", "view_type"),
    [
        ({"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, "KEYS_ONLY"),
        ({"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}, None),
        (None, None),
    ],
)
def test_table_when_shown_then_with_what_its_stream_carries(stream: Any, view_type: str | None) -> None:
    shown = views.table({**TABLE, "StreamSpecification": stream, "LatestStreamArn": "s"})

    assert shown == {
        "table": "t",
        "tableArn": TABLE["TableArn"],
        "account": "111122223333",
        "tableItemCount": 7,
        "stream": {"arn": "s", "viewType": view_type},
    }


def test_key_and_recovery_when_shown_then_dates_are_text() -> None:
    assert views.key("arn", {"KeyState": "Enabled"}, {"KeyRotationEnabled": True, "NextRotationDate": START}) == {
        "arn": "arn",
        "state": "Enabled",
        "rotationEnabled": True,
        "rotationPeriodInDays": None,
        "nextRotationDate": "2026-01-02T08:30:00+00:00",
    }
    assert views.recovery({"PointInTimeRecoveryStatus": "ENABLED", "EarliestRestorableDateTime": START}) == {
        "pitr": True,
        "days": None,
        "earliest": "2026-01-02T08:30:00+00:00",
        "latest": None,
    }
    assert views.recovery({"PointInTimeRecoveryStatus": "DISABLED"})["pitr"] is False


def letter(**document: Any) -> Letter:
    return Letter("m-1", "handle", "{}", document, 3, "item")


def test_letter_when_it_is_a_keys_then_its_own_reason_and_time_come_first() -> None:
    shown = views.letter(
        letter(
            key={"sessionId": {"S": "s"}},
            reason="context-mismatch",
            time="2026-01-02T08:30:00+00:00",
            timestamp="other",
            requestContext={"condition": "other"},
            value="secret",
        )
    )

    assert (shown["id"], shown["kind"], shown["attempts"]) == ("m-1", "item", 3)
    assert (shown["reason"], shown["time"]) == ("context-mismatch", "2026-01-02T08:30:00+00:00")
    assert shown["range"] is None
    assert "secret" not in str(shown)


def test_letter_when_it_is_the_mappings_then_its_range_and_condition_are_shown() -> None:
    batch = {"shardId": "shard", "startSequenceNumber": "1", "endSequenceNumber": "2", "streamArn": "s", "other": "x"}

    shown = views.letter(
        letter(DDBStreamBatchInfo=batch, requestContext={"condition": "RetryAttemptsExhausted"}, timestamp="2026-01-02")
    )

    assert (shown["reason"], shown["time"]) == ("RetryAttemptsExhausted", "2026-01-02")
    assert shown["range"] == {name: value for name, value in batch.items() if name != "other"}


@pytest.mark.parametrize("odd", [None, 3, "text", []])
def test_letter_when_its_members_are_odd_then_it_is_shown_without_them(odd: Any) -> None:
    shown = views.letter(letter(requestContext=odd, DDBStreamBatchInfo=odd))

    assert (shown["reason"], shown["range"]) == (None, None)
