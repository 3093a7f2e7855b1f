"""Hypothesis strategies for what DynamoDB can hold."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from item_crypto.core.codec import canonical_number

Value = dict[str, Any]


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """Numbers to 38 digits over the whole exponent range, in any spelling that DynamoDB takes."""
    digits = draw(st.integers(min_value=1, max_value=10**38 - 1).map(str))
    adjusted = draw(st.integers(min_value=-130, max_value=125))
    sign = draw(st.sampled_from(["", "-"]))
    number = Decimal(f"{sign}{digits}E{adjusted - len(digits) + 1}")
    return draw(st.sampled_from([str(number), format(number, "f"), format(number, "E"), "0", "-0.0", "0E+3"]))


def numbers() -> st.SearchStrategy[str]:
    """Numbers in the one spelling that they are stored in."""
    return spellings().map(canonical_number)


def _distinct(members: st.SearchStrategy[Any], key: Any = None) -> st.SearchStrategy[list[Any]]:
    return st.lists(members, min_size=1, max_size=4, unique_by=key or (lambda member: member))


def scalars() -> st.SearchStrategy[Value]:
    """Values that hold no other values, sets included."""
    return st.one_of(
        st.text(max_size=20).map(lambda content: {"S": content}),
        numbers().map(lambda content: {"N": content}),
        st.binary(max_size=20).map(lambda content: {"B": content}),
        st.booleans().map(lambda content: {"BOOL": content}),
        st.just({"NULL": True}),
        _distinct(st.text(max_size=10)).map(lambda content: {"SS": content}),
        _distinct(numbers(), Decimal).map(lambda content: {"NS": content}),
        _distinct(st.binary(max_size=10)).map(lambda content: {"BS": content}),
    )


def values() -> st.SearchStrategy[Value]:
    """Any value, lists and maps included, empty ones too."""
    return st.recursive(
        scalars(),
        lambda members: st.one_of(
            st.lists(members, max_size=4).map(lambda content: {"L": content}),
            st.dictionaries(st.text(max_size=8), members, max_size=4).map(lambda content: {"M": content}),
        ),
        max_leaves=12,
    )


def documents() -> st.SearchStrategy[Any]:
    """JSON documents that look almost like DynamoDB values."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6))
    kinds = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M", "X", ""])
    return st.recursive(
        leaves,
        lambda members: st.one_of(
            st.lists(members, max_size=3),
            st.dictionaries(kinds, members, max_size=2),
            st.dictionaries(st.text(max_size=4), members, max_size=2),
        ),
        max_leaves=10,
    )
