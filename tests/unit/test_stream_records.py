"""Which stream records hint at work, whatever they look like."""

from typing import Any

import pytest

from encryptor_runtime.messages import Hint
from item_crypto import UnsupportedValue
from stream_encryptor.records import hint_of

KEY: dict[str, Any] = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}


def record(**change: Any) -> dict[str, Any]:
    return {"eventID": "e1", "eventName": "MODIFY", "dynamodb": {"Keys": KEY, **change}}


def never(item: Any) -> bool:
    raise AssertionError("nobody asks")


def test_record_of_keys_only_when_read_then_it_hints_at_its_key_since_its_time() -> None:
    assert hint_of(record(ApproximateCreationDateTime=7), never) == Hint(KEY, "e1", 7.0)


@pytest.mark.parametrize("time", [None, "7"])
def test_record_when_its_time_is_not_told_then_the_hint_has_none(time: Any) -> None:
    assert hint_of(record(ApproximateCreationDateTime=time), never) == Hint(KEY, "e1", None)


def test_removal_when_read_then_there_is_nothing_to_do() -> None:
    assert hint_of({**record(), "eventName": "REMOVE"}, never) is None


@pytest.mark.parametrize("needs_work", [True, False])
def test_record_with_an_image_when_read_then_the_image_decides(needs_work: bool) -> None:
    seen: list[Any] = []

    def judge(item: Any) -> bool:
        seen.append(item)
        return needs_work

    hint = hint_of(record(NewImage={**KEY, "data": {"B": "AQI="}}), judge)

    assert (hint is not None) is needs_work
    assert seen == [{**KEY, "data": {"B": b"\x01\x02"}}]


@pytest.mark.parametrize("image", [{"data": {"B": "%"}}, {"data": 3}, {"data": {}}])
def test_image_when_it_cannot_be_read_then_the_item_itself_decides(image: Any) -> None:
    assert hint_of(record(NewImage=image), never) == Hint(KEY, "e1", None)


@pytest.mark.parametrize(
    "change", [None, "text", [], {}, {"Keys": None}, {"Keys": {}}, {"Keys": {"a": {"BOOL": True}}}]
)
def test_record_when_it_has_no_usable_key_then_it_is_refused(change: Any) -> None:
    with pytest.raises(UnsupportedValue):
        hint_of({"eventID": "e1", "eventName": "INSERT", "dynamodb": change}, never)
