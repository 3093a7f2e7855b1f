"""Numbers in one spelling, sizes and nesting, each as DynamoDB Local 3.3.0 was seen to have them."""

from decimal import Context, Decimal, Inexact, Rounded
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import ItemCipher, UnsupportedValue
from item_crypto.core.codec import (
    MAX_DEPTH,
    MAX_ITEM_SIZE,
    canonical_number,
    check_value,
    decode_value,
    encode_value,
    is_number,
    item_size,
    to_json,
    value_from_json,
    value_size,
)
from tests.scene import Scene
from tests.strategies import spellings

EXACT = Context(prec=38, traps=[Inexact, Rounded])  # As boto3's resource reads numbers.


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1.", "1"),
        ("1.0", "1"),
        ("+1", "1"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1e2", "100"),
        ("01", "1"),
        ("0.10", "0.1"),
        ("-0", "0"),
        ("0e999", "0"),
        ("1767340800", "1767340800"),
        ("1E37", "1" + "0" * 37),
        ("1E38", "1E+38"),
        ("1" + "0" * 125, "1E+125"),
        ("-12E99", "-1.2E+100"),
        ("0." + "0" * 129 + "1", "1E-130"),
        ("0." + "1" * 38, "0." + "1" * 38),
        pytest.param("1." + "0" * 3_900_000, "1", id="1. and 3.9 million zeros"),
        pytest.param("0" * 3_900_000 + "1", "1", id="3.9 million zeros and 1"),
    ],
)
def test_number_in_any_spelling_when_encrypted_then_it_is_stored_in_one(text: str, stored: str) -> None:
    assert decode_value("a", encode_value("a", {"N": text})) == {"N": stored}
    assert decode_value("a", encode_value("a", {"M": {"m": {"L": [{"NS": [text]}]}}})) == {
        "M": {"m": {"L": [{"NS": [stored]}]}}
    }
    assert to_json({"L": [{"N": text}]}) == {"L": [{"N": stored}]}


@given(spellings())
def test_number_when_made_canonical_then_it_is_the_same_number_and_boto3_reads_it(text: str) -> None:
    canonical = canonical_number(text)

    assert Decimal(canonical) == Decimal(text)
    assert canonical_number(canonical) == canonical
    assert EXACT.create_decimal(canonical) == TypeDeserializer().deserialize({"N": canonical}) == Decimal(text)
    assert len(canonical) <= 45


@given(st.from_regex(r"-?[0-9]{1,24}(\.[0-9]{1,24})?", fullmatch=True))
def test_number_when_it_is_spelled_in_another_way_then_its_one_spelling_is_the_same(text: str) -> None:
    """Most numbers are found to have it already, at little cost: those must be the ones that all the rules give."""
    other = text.replace("-", "-0") if text.startswith("-") else f"+{text}"

    assert is_number(text) == is_number(other) == is_number(f"{text}E0")
    if is_number(text):
        assert canonical_number(text) == canonical_number(other) == canonical_number(f"{text}E0")
    else:
        assert canonical_number(text) == text


def test_number_stored_before_there_was_one_spelling_when_read_then_it_has_it() -> None:
    assert value_from_json({"L": [{"N": "1.000"}, {"NS": ["1E0"]}]}) == {"L": [{"N": "1"}, {"NS": ["1"]}]}


@pytest.mark.parametrize("text", ["1.", "1" + "0" * 125, "0." + "0" * 129 + "1", "1." + "0" * 100])
def test_number_of_many_zeros_when_an_item_is_decrypted_as_a_resource_gives_it_then_nothing_is_rounded(
    scene: Scene, text: str
) -> None:
    key = scene.new_key()
    stored = {**key, **scene.encrypted(key, history={"L": [{"N": text}]})}
    resource_style = {name: next(iter(value.values())) for name, value in stored.items()}

    item = ItemCipher(scene.cipher, scene.policy).decrypt_item(resource_style)

    assert item["history"] == [Decimal(text)]


# Bytes that DynamoDB Local counts: how much text beside the value still fits into 400 KB


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("12345", 4),
        ("1.5", 3),
        ("15", 2),
        ("150", 3),
        ("10", 2),
        ("1000", 2),
        ("0.1", 2),
        ("0.01", 2),
        ("0.15", 2),
        ("0.015", 3),
        ("0.123", 3),
        ("0.0123", 3),
        ("-1", 3),
        ("-1.5", 4),
        ("1E100", 2),
        ("1E99", 2),
        ("1E-101", 2),
        ("12E100", 2),
        ("12E99", 3),
        ("9" * 38, 20),
        ("-" + "9" * 38, 21),
        ("9" * 37, 20),
        ("1." + "2" * 37, 21),
        ("123.45", 4),
        ("12.345", 4),
        ("1.", 2),
        ("0001.50", 3),
    ],
)
def test_number_when_sized_then_it_has_the_bytes_that_dynamodb_local_counts(text: str, size: int) -> None:
    assert value_size({"N": text}) == size
    assert value_size({"NS": [text, "7"]}) == size + 2
    assert value_size({"L": [{"N": text}] * 1000}) == 3 + 1000 * (1 + size)


def test_many_fractions_when_sized_then_they_are_too_large_as_dynamodb_finds_them() -> None:
    assert item_size({"history": {"L": [{"N": "1.5"}] * 125_000}}) == 7 + 3 + 125_000 * 4 > MAX_ITEM_SIZE


# Nesting


def nested(levels: int, innermost: Any, kind: str) -> Any:
    for _ in range(levels):
        innermost = {"L": [innermost]} if kind == "L" else {"M": {"a": innermost}}
    return innermost


@pytest.mark.parametrize("kind", ["L", "M"])
@pytest.mark.parametrize(("levels", "innermost"), [(31, {"S": "x"}), (30, {"L": []}), (30, {"M": {}})])
def test_31_lists_or_maps_when_checked_then_they_are_taken_and_one_more_is_refused(
    levels: int, innermost: Any, kind: str
) -> None:
    check_value(nested(levels, innermost, kind))
    with pytest.raises(UnsupportedValue, match=f"{MAX_DEPTH} levels"):
        check_value(nested(levels + 1, innermost, kind))
