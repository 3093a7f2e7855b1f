import json
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryptor_runtime.failures import RETRY_DELAY, Failures, Hint, hint_from_message
from item_crypto import SystemicError, TransientError, UnsupportedValue
from tests.fake_kms import failing
from tests.scene import CLIENT
from tests.strategies import documents

KEY: Any = {"sessionId": {"S": "dlg-1"}, "number": {"N": "1E2"}}
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
        self.failures = self.with_deferred(self.urls["deferred"])

    def with_deferred(self, url: str | None) -> Failures:
        return Failures(
            self.sqs, "sessions", self.urls["retry"], self.urls["failure"], deferred_queue_url=url, now=lambda: EAST
        )

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.sent.append(dict(params))


@pytest.fixture
def queues(aws: None) -> Queues:
    return Queues()


def test_transient_failure_when_sent_then_it_waits_in_the_retry_queue(queues: Queues) -> None:
    queues.failures.retry(Hint(KEY, "event-1", 1767340800.25), "kms-ThrottlingException")

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
    queues.failures.dead_letter(Hint(BINARY), "unknown-form", attempts=3)

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
    queues.failures.defer(Hint(KEY), "old-form")
    queues.with_deferred(None).defer(Hint(KEY), "old-form")

    (sent,) = queues.sent
    assert sent["QueueUrl"] == queues.urls["deferred"]
    assert json.loads(sent["MessageBody"])["kind"] == "deferred"


@pytest.mark.parametrize(
    "hint", [Hint(KEY, "event-1", 1767340800.5), Hint(BINARY, None, None)], ids=["all", "key only"]
)
def test_message_when_read_back_then_it_is_the_same_hint(queues: Queues, hint: Hint) -> None:
    queues.failures.retry(hint, "reason")

    assert hint_from_message(queues.sent[0]["MessageBody"], "sessions") == hint


@pytest.mark.parametrize(
    ("code", "error"),
    [("ThrottlingException", TransientError), ("AWS.SimpleQueueService.NonExistentQueue", SystemicError)],
)
def test_queue_when_it_does_not_take_the_message_then_it_is_told(
    queues: Queues, code: str, error: type[Exception]
) -> None:
    failing(queues.sqs, "sqs", code)

    with pytest.raises(error):
        queues.failures.retry(Hint(KEY), "reason")
    with pytest.raises(error):
        queues.failures.dead_letter(Hint(KEY), "reason")


def message(**changes: Any) -> str:
    return json.dumps({"table": "sessions", "key": KEY} | changes)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param("[]", id="no object"),
        pytest.param(message(table="other"), id="another table"),
        pytest.param(json.dumps({"key": KEY}), id="no table"),
        pytest.param(message(key=None), id="no key"),
        pytest.param(message(key={}), id="an empty key"),
        pytest.param(message(key={"a": {"S": "1"}, "b": {"S": "1"}, "c": {"S": "1"}}), id="a key of three parts"),
        pytest.param(message(key={"a": {"BOOL": True}}), id="a key of another type"),
        pytest.param(message(key={"a": {"N": "secret-6021"}}), id="no number"),
        pytest.param(message(key={"a": "secret-6021"}), id="no value"),
    ],
)
def test_message_when_it_is_malformed_then_refused_without_quoting_it(body: str) -> None:
    with pytest.raises(UnsupportedValue) as refusal:
        hint_from_message(body, "sessions")

    assert "6021" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "1" + "0" * 400, '"soon"', "null", "[]"])
def test_time_of_the_write_when_it_is_no_time_then_it_is_not_known(text: str) -> None:
    body = message()[:-1] + f', "writtenAt": {text}}}'

    assert hint_from_message(body, "sessions").written_at is None


@given(documents(), documents())
def test_any_message_when_read_then_it_is_a_hint_or_refused(key: Any, rest: Any) -> None:
    body = json.dumps({"table": "sessions", "key": key, "recordId": rest, "writtenAt": rest})
    try:
        hint = hint_from_message(body, "sessions")
    except UnsupportedValue:
        return
    assert 1 <= len(hint.key) <= 2


@given(st.text(max_size=50))
def test_any_text_when_read_then_it_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedValue):
        hint_from_message(text, "sessions")
