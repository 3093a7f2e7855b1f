"""What a request may cost is bounded before it is spent."""

import json
from typing import Any

import pytest

from http_api.errors import BadRequest, BodyTooLarge
from http_api.requests import MAX_BODY, routable
from item_crypto import ItemTooLarge
from item_crypto.core.codec import MAX_ITEM_SIZE, value_size
from reader.json_values import Number, parse_object, to_value
from tests.factories import request


def put(body: str | bytes) -> dict[str, Any]:
    return request("PUT", "dlg-1", body=body)


@pytest.mark.parametrize("kind", [str, bytes])
def test_body_of_3_mb_when_looked_at_then_it_is_taken_and_a_byte_more_is_refused(kind: type) -> None:
    fits = "[" * MAX_BODY
    over = fits + "["

    assert routable(put(fits if kind is str else fits.encode()))["body"] == fits
    with pytest.raises(BodyTooLarge):
        routable(put(over + "[[" if kind is str else (over + "[[").encode()))


def test_body_when_it_is_measured_then_its_bytes_count_and_not_its_characters() -> None:
    with pytest.raises(BodyTooLarge):
        routable(put("é" * (MAX_BODY // 2 + 1)))


def test_body_over_3_mb_when_it_is_no_json_and_so_announced_then_it_is_too_large_all_the_same() -> None:
    event = put("x" * (MAX_BODY + 1))
    event["headers"]["content-type"] = "text/plain"

    with pytest.raises(BodyTooLarge):
        routable(event)


class Endless(list[Any]):
    """A list that says how far somebody went through it."""

    seen = 0

    def __iter__(self) -> Any:
        for member in super().__iter__():
            self.seen += 1
            yield member


@pytest.mark.parametrize(
    ("unit", "size"),
    [(Number("1"), 3), (Number("1.5"), 4), ([], 4), ({}, 4), ("abcde", 6), (None, 2), ({"name": True}, 10)],
    ids=repr,
)
def test_conversion_when_what_it_made_is_over_400_kb_then_it_stops(unit: Any, size: int) -> None:
    content = Endless([unit] * 50_000 + [[unit] * 3_000_000])

    with pytest.raises(ItemTooLarge):
        to_value(content, "history")

    assert content.seen <= 50_001
    assert value_size(to_value([unit] * 10, "history")) == 3 + 10 * size


def test_value_of_exactly_400_kb_when_converted_then_it_is_taken() -> None:
    text = "x" * MAX_ITEM_SIZE

    assert to_value(text, "name") == {"S": text}
    with pytest.raises(ItemTooLarge):
        to_value(text + "x", "name")


@pytest.mark.parametrize(("name", "fits"), [("", False), ("a", True), ("é" * 32_767, True), ("é" * 32_768, False)])
def test_name_of_a_member_when_dynamodb_could_not_hold_it_then_it_is_refused(name: str, fits: bool) -> None:
    content = [{name: "x"}]
    if fits:
        assert to_value(content, "history") == {"L": [{"M": {name: {"S": "x"}}}]}
    else:
        with pytest.raises(BadRequest) as refused:
            to_value(content, "history")
        assert refused.value.field == "history[0]"


def test_number_of_endless_zeros_when_converted_then_one_digit_is_stored() -> None:
    text = "1." + "0" * 3_000_000

    assert to_value(parse_object(f'{{"history": [{text}]}}')["history"], "history") == {"L": [{"N": "1"}]}
    assert json.loads(text) == 1
