from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import ContextUnusable
from item_crypto.core.codec import plain_number
from item_crypto.core.context import encryption_context
from tests.strategies import spellings


def test_item_when_its_context_is_made_then_it_is_the_key_and_the_purpose() -> None:
    item = {"userId": {"S": "user-24"}, "sessionId": {"S": "dlg-1"}, "history": {"S": "hidden"}}

    assert encryption_context(item, ("userId", "sessionId"), "session-encryption") == {
        "userId": "user-24",
        "sessionId": "dlg-1",
        "purpose": "session-encryption",
    }


def test_number_and_binary_parts_when_the_context_is_made_then_they_are_text() -> None:
    context = encryption_context({"a": {"N": "1.50E1"}, "b": {"B": b"\xff\x00"}}, ("a", "b"), "p")

    assert context == {"a": "15", "b": "/wA=", "purpose": "p"}


@given(spellings(), st.sampled_from(["f", "E"]), st.integers(min_value=0, max_value=5))
def test_equal_numbers_when_spelled_differently_then_their_text_is_equal(text: str, style: str, zeros: int) -> None:
    number = Decimal(text)
    spelled = format(number, style)
    if "." in spelled and "E" not in spelled:
        spelled += "0" * zeros

    assert Decimal(spelled) == number
    assert plain_number(spelled) == plain_number(text)


@given(spellings(), spellings())
def test_different_numbers_when_made_canonical_then_their_text_differs(one: str, other: str) -> None:
    assert (plain_number(one) == plain_number(other)) == (Decimal(one) == Decimal(other))


@given(spellings())
def test_number_when_made_canonical_then_it_is_the_same_number_in_plain_digits(text: str) -> None:
    plain = plain_number(text)

    assert Decimal(plain) == Decimal(text)
    assert set(plain) <= set("-.0123456789")


@pytest.mark.parametrize("text", ["0", "-0", "0.00", "0E+5", "-0E-7"])
def test_zero_when_made_canonical_then_it_has_one_spelling(text: str) -> None:
    assert plain_number(text) == "0"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="missing"),
        pytest.param({"S": ""}, id="empty string"),
        pytest.param({"B": b""}, id="empty binary"),
        pytest.param({"N": "abc"}, id="malformed number"),
        pytest.param({"N": "1" * 39}, id="number with 39 digits"),
        pytest.param({"S": "secret\ud800"}, id="half a surrogate pair"),
        pytest.param({"BOOL": True}, id="boolean"),
        pytest.param({"NULL": True}, id="null"),
        pytest.param({"L": [{"S": "secret"}]}, id="list"),
        pytest.param({"SS": ["secret"]}, id="set"),
        pytest.param({}, id="no type"),
    ],
)
def test_unusable_part_when_the_context_is_made_then_it_is_refused_by_name_and_not_by_value(value: Any) -> None:
    item = {"userId": {"S": "user-24"}} | ({} if value is None else {"sessionId": value})

    with pytest.raises(ContextUnusable) as refusal:
        encryption_context(item, ("userId", "sessionId"), "p")

    assert refusal.value.attribute == "sessionId"
    assert "secret" not in str(refusal.value)


def test_parts_of_two_items_when_their_texts_would_join_alike_then_their_contexts_differ() -> None:
    one = encryption_context({"a": {"S": "ab"}, "b": {"S": "c"}}, ("a", "b"), "p")
    other = encryption_context({"a": {"S": "a"}, "b": {"S": "bc"}}, ("a", "b"), "p")

    assert one != other


@pytest.mark.parametrize("name", ["purpose", "aws-crypto-public-key"])
def test_context_attribute_with_a_reserved_name_when_the_context_is_made_then_it_is_refused(name: str) -> None:
    with pytest.raises(ContextUnusable):
        encryption_context({name: {"S": "mine"}}, (name,), "session-encryption")
