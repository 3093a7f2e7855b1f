"""The operator's fields, at the edges of their ranges and in the wrong types."""

from collections.abc import Mapping
from typing import Any

import pytest

from encryptor_runtime.messages import MAX_SEGMENTS, Goal
from migrator import requests
from migrator.requests import ChangeRequest, DiscardRequest, Refused, StartRequest

START = {"goal": "re-encrypt", "by": "operator"}


def started(**fields: Any) -> StartRequest:
    return requests.start({**START, **fields})


def refused(of: Any, event: Mapping[str, Any]) -> str:
    with pytest.raises(Refused) as told:
        of(event)
    assert told.value.code == "invalid-request"
    assert str(told.value) == told.value.message
    return str(told.value).partition(" must be ")[0]


def test_start_when_only_the_goal_is_given_then_the_rest_is_as_documented() -> None:
    assert requests.start({"goal": "encrypt"}) == StartRequest(Goal.ENCRYPT, "unknown", 4, None, None, False, False)


@pytest.mark.parametrize("goal", list(Goal))
def test_start_when_any_goal_is_given_then_it_is_taken(goal: Goal) -> None:
    assert requests.start({"goal": goal.value}).goal is goal


@pytest.mark.parametrize(
    ("field", "member", "value"),
    [
        ("segments", "segments", 1),
        ("segments", "segments", MAX_SEGMENTS),
        ("rate", "rate", 0.001),
        ("rate", "rate", 1_000_000),
        ("rate", "rate", 3),
        ("olderThanDays", "older_than_days", 0),
        ("olderThanDays", "older_than_days", 36_500),
        ("olderThanDays", "older_than_days", 0.5),
        ("deep", "deep", True),
        ("deep", "deep", False),
        ("force", "force", True),
        ("force", "force", False),
    ],
)
def test_start_when_a_field_is_at_the_edge_then_it_is_taken(field: str, member: str, value: Any) -> None:
    assert getattr(started(**{field: value}), member) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("goal", "encipher"),
        ("goal", None),
        ("goal", 1),
        ("segments", 0),
        ("segments", MAX_SEGMENTS + 1),
        ("segments", True),
        ("segments", 2.0),
        ("segments", "4"),
        ("rate", 0),
        ("rate", -1),
        ("rate", 1_000_001),
        ("rate", True),
        ("rate", "3"),
        ("rate", float("nan")),
        ("olderThanDays", -0.1),
        ("olderThanDays", 36_501),
        ("olderThanDays", False),
        ("olderThanDays", "1"),
        ("deep", 1),
        ("force", "yes"),
    ],
)
def test_start_when_a_field_is_past_the_edge_or_of_another_type_then_it_is_named(field: str, value: Any) -> None:
    assert refused(requests.start, {**START, field: value}) == field


@pytest.mark.parametrize("goal", [goal for goal in Goal if goal is not Goal.REENCRYPT])
def test_age_when_the_goal_is_another_then_it_is_refused(goal: Goal) -> None:
    assert refused(requests.start, {"goal": goal.value, "olderThanDays": 1}) == "olderThanDays"
    assert requests.start({"goal": goal.value, "olderThanDays": None}).older_than_days is None


def test_numbers_when_given_whole_then_they_are_floats() -> None:
    request = started(rate=3, olderThanDays=1)
    assert (type(request.rate), type(request.older_than_days)) == (float, float)


def test_part_when_it_is_none_then_what_may_be_one_is_said() -> None:
    with pytest.raises(Refused) as told:
        requests.change({"enabled": True, "version": 0, "by": "a", "part": {"buckets": 0}})
    assert '{"buckets": 1 to 9999} or {"keys": 1 to 100 item keys' in str(told.value)


def test_sweep_when_it_is_named_then_by_text() -> None:
    assert requests.sweep_id({"sweep": "s"}) == "s"
    assert [refused(requests.sweep_id, {"sweep": value}) for value in ("", None, 1)] == ["sweep"] * 3


def test_change_when_switching_off_then_it_has_to_be_confirmed_and_on_needs_no_word() -> None:
    on = {"enabled": True, "version": 0, "by": "a"}
    off = {"enabled": False, "version": 1, "by": "a"}

    assert requests.change(on) == ChangeRequest(True, "a", 0, None, False)
    assert requests.change({**off, "confirm": "switch-off"}) == ChangeRequest(False, "a", 1, None, True)
    assert refused(requests.change, off) == "confirm"
    assert refused(requests.change, {**off, "confirm": "switch-on"}) == "confirm"


@pytest.mark.parametrize(
    ("field", "value"),
    [("enabled", None), ("enabled", 1), ("version", -1), ("version", None), ("version", True), ("version", "1")],
)
def test_change_when_a_field_is_missing_or_wrong_then_it_is_named(field: str, value: Any) -> None:
    assert refused(requests.change, {"enabled": True, "version": 1, field: value}) == field


def test_letters_when_some_are_asked_for_then_1_to_1000() -> None:
    assert [requests.limit({"max": number}, 50) for number in (1, 1000)] == [1, 1000]
    assert requests.limit({}, 50) == 50
    assert [refused(lambda event: requests.limit(event, 50), {"max": number}) for number in (0, 1001, True)] == (
        ["max"] * 3
    )


def test_discard_when_asked_for_then_with_a_reason() -> None:
    assert requests.discard({"id": "m", "reason": "why", "by": "a"}) == DiscardRequest("m", "a", "why")
    assert refused(requests.discard, {"id": "", "reason": "why"}) == "id"
    assert [refused(requests.discard, {"id": "m", "reason": text}) for text in ("", "  ", None)] == ["reason"] * 3


def test_key_when_given_then_in_dynamodb_json() -> None:
    key = {"sessionId": {"S": "s"}, "userId": {"S": "u"}}
    assert requests.item_key({"key": key}) == key
    assert [refused(requests.item_key, {"key": value}) for value in (None, "s", {"sessionId": "s"})] == ["key"] * 3


@pytest.mark.parametrize(
    ("given", "kept"),
    [("líne\n~ \\", r"l\xedne\n~ \\"), ("", "unknown"), (None, "unknown"), (7, "7")],
)
def test_name_of_the_caller_when_given_then_it_is_printable(given: Any, kept: str) -> None:
    assert requests.by({"by": given}) == kept
