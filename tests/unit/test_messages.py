"""Queue messages: what is written is read, whatever else they hold is refused or kept."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryptor_runtime.messages import (
    Aim,
    Goal,
    Hint,
    KeyMessage,
    Kind,
    SegmentWork,
    StartWork,
    failed_again,
    work_from_body,
)
from item_crypto import UnsupportedValue
from tests.strategies import documents

KEY: Any = {"sessionId": {"S": "dlg-1"}, "number": {"N": "100"}}
BINARY: Any = {"id": {"B": b"\xff\x00"}}
TIME = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)


def hint_of(body: str) -> Hint:
    return KeyMessage.from_body(body, "sessions").hint


def message(**changes: Any) -> str:
    return json.dumps({"table": "sessions", "key": KEY} | changes)


@pytest.mark.parametrize(
    "hint", [Hint(KEY, "event-1", 1767340800.5), Hint(BINARY, None, None)], ids=["all", "key only"]
)
def test_message_when_read_back_then_it_is_the_same_hint(hint: Hint) -> None:
    body = KeyMessage(Kind.RETRY, "sessions", hint, "reason", TIME).body()

    assert hint_of(body) == hint


@pytest.mark.parametrize(
    "written",
    [
        KeyMessage(Kind.RETRY, "sessions", Hint(KEY, "event-1", 1767340800.5), "reason", TIME, aim=Aim()),
        KeyMessage(Kind.DEFERRED, "sessions", Hint(KEY, "event-1"), "reason", TIME, aim=Aim()),
        KeyMessage(Kind.DEFERRED, "sessions", Hint(KEY), "reason", aim=Aim(Goal.REENCRYPT, TIME)),
        KeyMessage(Kind.DEAD_LETTER, "sessions", Hint(BINARY), "reason", TIME, 3, Aim(Goal.DECRYPT)),
    ],
    ids=lambda message: str(message.kind),
)
def test_every_member_when_written_then_it_is_read(written: KeyMessage) -> None:
    assert KeyMessage.from_body(written.body(), "sessions") == written


@pytest.mark.parametrize("work", [SegmentWork("20260102T083000-1f2e", 3, 12), StartWork("alice", 4)])
def test_work_when_written_then_it_is_read(work: SegmentWork | StartWork) -> None:
    assert work_from_body(work.body()) == work


def test_letter_when_it_fails_again_then_it_keeps_members_of_later_versions_too() -> None:
    body = message(kind="item", reason="old", attempts=2, goal="decrypt", writtenAt=1.5, severity={"new": ["member"]})

    assert json.loads(failed_again(body, "new")) == {
        "table": "sessions",
        "key": KEY,
        "kind": "item",
        "reason": "new",
        "attempts": 3,
        "goal": "decrypt",
        "writtenAt": 1.5,
        "severity": {"new": ["member"]},
    }


def test_letter_when_it_would_outgrow_the_queue_then_it_stays_as_it_is() -> None:
    body = '{"more": "' + "\u00e9" * 200_000 + '"}'

    assert failed_again(body, "new") == body


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
        hint_of(body)

    assert "6021" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "1" + "0" * 400, '"soon"', "null", "[]"])
def test_time_of_the_write_when_it_is_no_time_then_it_is_not_known(text: str) -> None:
    body = message()[:-1] + f', "writtenAt": {text}}}'

    assert hint_of(body).written_at is None


@given(documents(), documents())
def test_any_message_when_read_then_it_is_a_hint_or_refused(key: Any, rest: Any) -> None:
    body = json.dumps({"table": "sessions", "key": key, "recordId": rest, "writtenAt": rest})
    try:
        hint = hint_of(body)
    except UnsupportedValue:
        return
    assert 1 <= len(hint.key) <= 2


@given(st.text(max_size=50))
def test_any_text_when_read_then_it_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedValue):
        hint_of(text)
