"""Plain JSON to DynamoDB values and back."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api.errors import BadRequest
from item_crypto.core.codec import canonical_number, check_value
from reader.json_values import Number, parse_object, to_json_text, to_value
from tests import strategies


def parsed(text: str) -> Any:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def stored(text: str) -> Any:
    return to_value(parse_object(text)["configuration"], "configuration")


def json_documents() -> st.SearchStrategy[Any]:
    """JSON whose numbers DynamoDB can hold, as Decimal."""
    leaves = st.one_of(st.none(), st.booleans(), st.text(max_size=12), strategies.spellings().map(Decimal))
    return st.recursive(
        leaves,
        lambda members: st.one_of(
            st.lists(members, max_size=4), st.dictionaries(st.text(min_size=1, max_size=8), members, max_size=4)
        ),
        max_leaves=15,
    )


def as_text(content: Any) -> str:
    """Write JSON with Decimals as numbers, independently of what is tested."""
    match content:
        case Decimal():
            return str(content)
        case list():
            return "[" + ", ".join(map(as_text, content)) + "]"
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {as_text(member)}" for name, member in content.items()) + "}"
        case _:
            return json.dumps(content)


@given(json_documents())
def test_given_json_when_stored_and_read_then_it_is_equal_and_numbers_are_exact(content: Any) -> None:
    value = stored(f'{{"configuration": {as_text(content)}}}')

    check_value(value)
    assert parsed(to_json_text(value)) == content


@given(strategies.values())
def test_given_any_dynamodb_value_when_written_as_json_then_it_is_json_with_exact_numbers(value: Any) -> None:
    def expected(value: Any) -> Any:
        ((kind, content),) = value.items()
        match kind:
            case "N":
                return Decimal(content)
            case "NS":
                return [Decimal(member) for member in content]
            case "L":
                return [expected(member) for member in content]
            case "M":
                return {name: expected(member) for name, member in content.items()}
            case "NULL":
                return None
            case "B" | "BS":
                return ...  # Compared below, by example.
            case _:
                return content

    def same(seen: Any, wanted: Any) -> bool:
        if wanted is ...:
            return isinstance(seen, str | list)
        if isinstance(wanted, list):
            return len(seen) == len(wanted) and all(map(same, seen, wanted))
        if isinstance(wanted, dict):
            return seen.keys() == wanted.keys() and all(same(seen[name], wanted[name]) for name in wanted)
        return bool(seen == wanted)

    assert same(parsed(to_json_text(value)), expected(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"B": b"\x00\xff"}, '"AP8="'),
        ({"BS": [b"a", b""]}, '["YQ==",""]'),
        ({"SS": ["a", "é"]}, '["a","é"]'),
        ({"NS": ["1", "0.10"]}, "[1,0.1]"),
        ({"N": "+.5"}, "0.5"),
        ({"N": "007"}, "7"),
        ({"N": "1."}, "1"),
        ({"M": {}}, "{}"),
        ({"L": []}, "[]"),
        ({"NULL": True}, "null"),
    ],
)
def test_given_what_json_has_no_word_for_when_written_then_it_is_plain_json(value: Any, text: str) -> None:
    assert to_json_text(value) == text


@pytest.mark.parametrize(
    "number",
    [
        "0.1",
        "12345678901234567890123456789012345678",
        "-0.0000012345678901234567890123456789012345678",
        "1E-130",
        "9.9999999999999999999999999999999999999E+125",
        "1e125",
        "100000000000000000000000000000000000000000",
        "0",
        "-0",
        "1.50",
    ],
)
def test_given_a_number_at_the_limits_when_stored_and_read_then_every_digit_is_there(number: str) -> None:
    value = stored(f'{{"configuration": {number}}}')

    assert value == {"N": canonical_number(number)}
    assert parsed(to_json_text(value)) == Decimal(number)


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e126", "1e400", "1e-131", "1e99999999999999999999", "9" * 39, "0." + "1" * 39],
)
@pytest.mark.parametrize(
    ("template", "place"),
    [
        ('{"configuration": %s}', "configuration"),
        ('{"configuration": {"limits": [1, %s]}}', "configuration.limits[1]"),
    ],
)
def test_given_a_number_dynamodb_cannot_hold_when_stored_then_its_place_is_named_and_not_its_value(
    number: str, template: str, place: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        stored(template % number)

    assert refused.value.field == place
    assert number not in refused.value.message


def test_given_a_huge_number_when_parsed_then_it_costs_no_conversion() -> None:
    # int() of so many digits is refused by Python itself, with another error.
    assert parse_object('{"a": %s}' % ("7" * 100_000))["a"] == Number("7" * 100_000)


@pytest.mark.parametrize(("depth", "fits"), [(31, True), (32, False)])
def test_given_nesting_when_stored_then_31_levels_fit(depth: int, fits: bool) -> None:
    text = f'{{"configuration": {"[" * depth}1{"]" * depth}}}'
    if fits:
        check_value(stored(text))
    else:
        with pytest.raises(BadRequest, match="31 levels"):
            stored(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ('[{"name": "a"}]', "body"),
        ('"name"', "body"),
        ("null", "body"),
        ("17", "body"),
        ("[" * 100_000, "body"),
        ('{"name": "a", "name": "b"}', "name"),
        ('{"configuration": {"a": {"b": 1, "b": 2}}}', "b"),
        ('{"configuration": "\\ud800"}', "configuration"),
        ('{"configuration": ["\\udfff"]}', "configuration[0]"),
        ('{"configuration": {"\\ud800": 1}}', "configuration"),
    ],
)
def test_given_what_is_no_usable_object_when_parsed_then_the_field_is_named(text: str, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        stored(text)

    assert refused.value.field == field


def test_given_endless_member_names_when_refused_then_the_answer_names_a_bounded_place() -> None:
    with pytest.raises(BadRequest) as refused:
        stored('{"configuration": {"%s": NaN}}' % ("n" * 100_000))

    assert len(refused.value.message) < 400
