"""A part of the items: its buckets, its keys, and what holds however it grows."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import ContextUnusable, Policy, UnsupportedValue
from item_crypto.core.part import (
    ALL_BUCKETS,
    MAX_KEYS,
    Buckets,
    ListedKeys,
    bucket,
    covers,
    in_words,
    keys_as_json,
    read_part,
)
from tests.scene import POLICY

NAMES = ("userId", "sessionId")


def key(session: str = "dlg-1", user: str = "alice") -> dict[str, Any]:
    return {"sessionId": {"S": session}, "userId": {"S": user}}


# The vectors of docs/canary.md. They never change: an item would move between parts.
VECTORS: list[tuple[dict[str, Any], str, int]] = [
    (key(), "9:sessionId,5:dlg-1,6:userId,5:alice,", 5666),
    (key("dlg-35143226", "user-24"), "9:sessionId,12:dlg-35143226,6:userId,7:user-24,", 3357),
    ({"orderId": {"N": "17"}}, "7:orderId,2:17,", 6191),
    ({"orderId": {"N": "1.70E1"}}, "7:orderId,2:17,", 6191),
    ({"at": {"S": "2026-01-02"}, "orderId": {"N": "-0.5"}}, "2:at,10:2026-01-02,7:orderId,4:-0.5,", 658),
    ({"id": {"B": b"\x00\xff"}}, "2:id,4:AP8=,", 2501),
    ({"id": {"S": "Köln, 3:ü"}}, "2:id,11:Köln, 3:ü,", 5600),
]


@pytest.mark.parametrize(("item", "text", "expected"), VECTORS)
def test_bucket_given_a_vector_then_it_is_the_hash_of_its_text(item: dict[str, Any], text: str, expected: int) -> None:
    assert int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 10_000 == expected
    assert bucket(item, tuple(item)) == expected
    assert bucket({**item, "history": {"S": "not of the key"}}, tuple(reversed(item))) == expected


def test_vectors_given_the_documents_then_they_have_the_same() -> None:
    document = (Path(__file__).parents[2] / "docs" / "canary.md").read_text(encoding="utf-8")

    assert {(f"`{text}`", str(number)) for _, text, number in VECTORS} == set(
        re.findall(r"^\| .* \| (`[^|]*`) \| (\d+) \|$", document, re.MULTILINE)
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
keys = st.builds(key, texts, texts)
parts = st.one_of(
    st.builds(Buckets, st.integers(1, ALL_BUCKETS - 1)),
    st.lists(keys, min_size=1, max_size=5).map(ListedKeys.of),
)


@given(keys, st.integers(1, ALL_BUCKETS - 1), st.integers(1, ALL_BUCKETS - 1))
def test_given_a_part_that_grows_then_it_keeps_every_item_that_it_had(
    item: dict[str, Any], number: int, other: int
) -> None:
    small, large = Buckets(min(number, other)), Buckets(max(number, other))

    assert covers(large, small)
    assert large.has(item, NAMES) or not small.has(item, NAMES)


@given(keys, st.lists(keys, min_size=1, max_size=5), st.lists(keys, max_size=5))
def test_given_more_listed_keys_then_the_part_keeps_every_item(
    item: dict[str, Any], some: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    small, large = ListedKeys.of(some), ListedKeys.of([*some, *more])

    assert covers(large, small)
    assert large.has(item, NAMES) or not small.has(item, NAMES)
    assert small.has(item, NAMES) is (item in some)


@given(parts, parts, keys)
def test_given_one_part_covers_another_then_it_has_its_items(one: Any, other: Any, item: dict[str, Any]) -> None:
    assert covers(None, one)
    assert not covers(one, None)
    assert covers(one, one)
    if covers(one, other):
        assert one.has(item, NAMES) or not other.has(item, NAMES)


@given(texts, texts, texts, texts)
def test_given_two_keys_that_run_together_alike_then_their_texts_differ(a: str, b: str, c: str, d: str) -> None:
    if (a, b) != (c, d) and a + b == c + d:
        # Not by the buckets, of which there are few: by listing one of them.
        assert not ListedKeys.of([key(a, b)]).has(key(c, d), NAMES)


def test_given_many_keys_then_a_part_of_n_buckets_has_about_n_of_them() -> None:
    inside = sum(Buckets(1000).has(key(f"dlg-{number}"), NAMES) for number in range(5000))

    assert 430 < inside < 570  # 500 expected; five standard deviations are 106.


@pytest.mark.parametrize(
    "item",
    [{}, {"userId": {"S": "alice"}}, {**key(), "userId": {"S": ""}}, {**key(), "userId": {"BOOL": True}},
     {**key(), "userId": {"S": "\ud800"}}],
)  # fmt: skip
@pytest.mark.parametrize("part", [Buckets(9999), ListedKeys.of([key()])])
def test_given_a_key_that_cannot_be_told_then_it_is_neither_in_nor_out(part: Any, item: dict[str, Any]) -> None:
    with pytest.raises(ContextUnusable):
        part.has(item, NAMES)


def test_listed_keys_given_spellings_of_one_number_then_they_are_one_key() -> None:
    part = ListedKeys.of([{"orderId": {"N": "17"}}, {"orderId": {"N": "1.7E1"}}, {"orderId": {"N": "17.0"}}])

    assert part == ListedKeys.of([{"orderId": {"N": "17"}}])
    assert part.as_json() == {"keys": 1}
    assert part.has({"orderId": {"N": "17.00"}, "card": {"S": "…"}}, ("orderId",))


def test_read_part_given_what_the_operator_sends_then_it_is_that_part() -> None:
    listed = [key("dlg-2"), key("dlg-1")]

    assert read_part({"buckets": 1}) == Buckets(1)
    assert read_part({"keys": listed}) == ListedKeys.of(listed)
    assert keys_as_json(read_part({"keys": listed})) == [key("dlg-1"), key("dlg-2")]
    assert keys_as_json(ListedKeys.of([{"id": {"B": b"\xff"}}])) == [{"id": {"B": "/w=="}}]
    assert keys_as_json(Buckets(1)) is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        100,
        {"buckets": 0},
        {"buckets": -1},
        {"buckets": ALL_BUCKETS},
        {"buckets": True},
        {"buckets": 1.0},
        {"buckets": "1"},
        {"buckets": 1, "keys": [key()]},
        {"buckets": 1, "of": 10},
        {"keys": []},
        {"keys": [None]},
        {"keys": [{}]},
        {"keys": [{"a": {"BOOL": True}}]},
        {"keys": {"a": {"S": "b"}}},
        {"keys": [key(f"dlg-{number}") for number in range(MAX_KEYS + 1)]},
        {"keys": [key("x" * 1000, f"{number}") for number in range(33)]},
    ],
)
def test_read_part_given_anything_else_then_it_is_refused(document: object) -> None:
    with pytest.raises(UnsupportedValue):
        read_part(document)


def test_read_part_given_as_many_keys_as_can_be_then_they_are_taken() -> None:
    part = read_part({"keys": [key(f"dlg-{number}") for number in range(MAX_KEYS)]})

    assert isinstance(part, ListedKeys)
    assert len(part.keys) == MAX_KEYS


@pytest.mark.parametrize(
    ("number", "words"), [(1, "0.01%"), (10, "0.1%"), (100, "1%"), (1050, "10.5%"), (9999, "99.99%")]
)
def test_text_given_a_part_then_it_is_a_percentage(number: int, words: str) -> None:
    assert in_words(Buckets(number).as_json()) == f"{words} of the keys"


def test_text_given_listed_keys_then_they_are_counted() -> None:
    words = [in_words(ListedKeys.of(map(key, names)).as_json()) for names in ("a", "ab")]

    assert [*words, in_words({"colour": "red"})] == ["1 listed key", "2 listed keys", "a part"]


def test_repr_given_listed_keys_then_it_shows_none() -> None:
    policy = replace(POLICY, part=ListedKeys.of([key("Wilhelmine")]))

    assert "Wilhelmine" not in repr(policy)
    assert "Wilhelmine" not in f"{policy.part} {policy}"


def test_for_item_given_a_part_then_it_is_on_inside_and_off_outside_and_says_so_again() -> None:
    policy = replace(POLICY, part=ListedKeys.of([key()]))
    inside, outside = policy.for_item(key()), policy.for_item(key("dlg-2"))

    assert (inside.enabled, outside.enabled) == (True, False)
    assert (inside.encrypted, outside.encrypted) == ({"history", "configuration"}, frozenset())
    assert (inside.for_item(key()), outside.for_item(key("dlg-2"))) == (inside, outside)


@pytest.mark.parametrize("policy", [POLICY, replace(POLICY, enabled=False)])
def test_for_item_given_no_part_then_no_key_is_asked_for(policy: Policy) -> None:
    assert policy.for_item({}) is policy
