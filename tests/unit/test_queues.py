"""What is sent to which queue, as SQS gets it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest

from encryptor_runtime.messages import Aim, Goal, Hint, SegmentWork, StartWork
from encryptor_runtime.queues import RETRY_DELAY, KeyQueues, Queue, WorkQueue
from item_crypto import SystemicError, TransientError
from tests.faults import failing
from tests.scene import CLIENT

KEY: Any = {"sessionId": {"S": "dlg-1"}, "number": {"N": "100"}}
BINARY: Any = {"id": {"B": b"\xff\x00"}}
EAST = datetime(2026, 1, 2, 10, 30, tzinfo=timezone(timedelta(hours=2)))


class Queues:
    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", **CLIENT)
        self.urls = {
            name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("retry", "failure", "deferred")
        }
        self.sent: list[dict[str, Any]] = []
        self.sqs.meta.events.register("before-parameter-build.sqs.SendMessage", self._note)
        self.retry, self.failure, self.deferred = (Queue(self.sqs, url) for url in self.urls.values())
        self.keys = self.with_deferred(self.deferred)

    def with_deferred(self, deferred: Queue | None) -> KeyQueues:
        return KeyQueues("sessions", self.retry, self.failure, deferred, now=lambda: EAST)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.sent.append(dict(params))


@pytest.fixture
def queues(aws: None) -> Queues:
    return Queues()


def test_transient_failure_when_sent_then_it_waits_in_the_retry_queue(queues: Queues) -> None:
    queues.keys.retry(Hint(KEY, "event-1", 1767340800.25), "kms-ThrottlingException")

    (sent,) = queues.sent
    assert (sent["QueueUrl"], sent["DelaySeconds"]) == (queues.urls["retry"], RETRY_DELAY)
    assert json.loads(sent["MessageBody"]) == {
        "kind": "retry",
        "table": "sessions",
        "key": KEY,
        "reason": "kms-ThrottlingException",
        "recordId": "event-1",
        "time": "2026-01-02T08:30:00Z",
        "writtenAt": 1767340800.25,
    }


def test_permanent_failure_when_sent_then_it_is_in_the_failure_queue(queues: Queues) -> None:
    queues.keys.dead_letter(Hint(BINARY), "unknown-form", attempts=3)

    (sent,) = queues.sent
    assert sent["QueueUrl"] == queues.urls["failure"]
    assert json.loads(sent["MessageBody"]) == {
        "kind": "item",
        "table": "sessions",
        "key": {"id": {"B": "/wA="}},
        "reason": "unknown-form",
        "recordId": None,
        "time": "2026-01-02T08:30:00Z",
        "attempts": 3,
    }


def test_deferral_when_sent_then_it_is_in_the_migrators_queue_if_there_is_one(queues: Queues) -> None:
    queues.keys.defer(Hint(KEY), "old-form")
    queues.with_deferred(None).defer(Hint(KEY), "old-form")

    (sent,) = queues.sent
    assert sent["QueueUrl"] == queues.urls["deferred"]
    assert json.loads(sent["MessageBody"])["kind"] == "deferred"


def test_deferral_when_sent_then_it_tells_the_record_and_no_goal(queues: Queues) -> None:
    queues.keys.defer(Hint(KEY, "event-1", 1767340800.25), "old-form")

    assert json.loads(queues.sent[0]["MessageBody"]) == {
        "kind": "deferred",
        "table": "sessions",
        "key": KEY,
        "reason": "old-form",
        "recordId": "event-1",
        "time": "2026-01-02T08:30:00Z",
    }


def test_key_of_a_sweep_when_postponed_then_it_waits_among_the_deferred_ones_with_the_sweeps_goal(
    queues: Queues,
) -> None:
    queues.keys.postpone(Hint(KEY), "kms-ThrottlingException", Aim(Goal.REENCRYPT, datetime(2026, 1, 1, tzinfo=UTC)))

    (sent,) = queues.sent
    assert (sent["QueueUrl"], sent["DelaySeconds"]) == (queues.urls["deferred"], RETRY_DELAY)
    assert json.loads(sent["MessageBody"]) == {
        "kind": "deferred",
        "table": "sessions",
        "key": KEY,
        "reason": "kms-ThrottlingException",
        "goal": "re-encrypt",
        "olderThan": "2026-01-01T00:00:00+00:00",
    }


@pytest.mark.parametrize(("goal", "text"), [(Goal.DECRYPT, "decrypt"), (None, None)])
def test_permanent_failure_of_the_migrator_when_sent_then_it_tells_what_was_tried(
    queues: Queues, goal: Goal | None, text: str | None
) -> None:
    queues.keys.dead_letter(Hint(KEY), "unknown-form", aim=Aim(goal))

    assert json.loads(queues.sent[0]["MessageBody"]) == {
        "kind": "item",
        "table": "sessions",
        "key": KEY,
        "reason": "unknown-form",
        "recordId": None,
        "time": "2026-01-02T08:30:00Z",
        "attempts": 1,
        "goal": text,
        "olderThan": None,
    }


def test_work_when_sent_then_it_is_in_the_work_queue(queues: Queues) -> None:
    work = WorkQueue(queues.sqs, queues.urls["retry"])

    work.carry_on(SegmentWork("20260102T083000-1f2e", 3, 12), delay=1e6)
    work.start(StartWork("alice", 4), delay=6)
    work.begin("20260102T083000-1f2e", range(11))

    segment, start = queues.sent
    assert (segment["DelaySeconds"], json.loads(segment["MessageBody"])) == (
        900,
        {"kind": "segment", "sweep": "20260102T083000-1f2e", "segment": 3, "hop": 12},
    )
    assert (start["DelaySeconds"], json.loads(start["MessageBody"])) == (
        6,
        {"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 4},
    )
    assert work.count() == 13


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", TransientError), ("AWS.SimpleQueueService.NonExistentQueue", SystemicError)],
)
def test_queue_when_it_does_not_take_the_message_then_it_is_told(
    queues: Queues, code: str, error: type[Exception]
) -> None:
    with failing(queues.sqs, "sqs", code):
        with pytest.raises(error):
            queues.keys.retry(Hint(KEY), "reason")
        with pytest.raises(error):
            queues.keys.dead_letter(Hint(KEY), "reason")
