"""A key as an operator types it, and an item as one is shown."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.item_key import read_key
from dynamodb_stream_encryptor.output import json_text
from dynamodb_stream_encryptor.plain_json import plain_json


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": "x"}', {"a": {"S": "x"}}),
        ('{"a": "7", "b": 7}', {"a": {"S": "7"}, "b": {"N": "7"}}),
        ('{"a": 1.10}', {"a": {"N": "1.10"}}),
        ('{"a": 12345678901234567890123456789012345678}', {"a": {"N": "12345678901234567890123456789012345678"}}),
        ('{"a": {"S": "x"}, "b": {"N": "1e3"}}', {"a": {"S": "x"}, "b": {"N": "1e3"}}),
        ('{"a": {"N": 5}}', {"a": {"N": "5"}}),
        ('{"a": {"B": "AAE="}}', {"a": {"B": "AAE="}}),
        ('{"a": {"S": "x"}, "b": "y"}', {"a": {"S": "x"}, "b": {"S": "y"}}),
    ],
)
def test_plain_and_dynamodb_json_are_told_apart_by_attribute(text, key):
    assert read_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["", "dlg-1", "[]", "{}", '"x"', "null", '{"a": 1, "b": 2, "c": 3}', '{"a": null}', '{"a": true}', '{"a": []}',
     '{"a": {"S": 5}}', '{"a": {"S": "x", "N": "1"}}', '{"a": {"B": "no base64"}}', '{"a": {"BOOL": true}}',
     '{"a": "x", "a": "y"}', '{"a": NaN}', "[" * 100_000],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match="KEY"):
        read_key(text)


def test_an_item_is_shown_with_every_digit():
    item = {
        "s": {"S": 'q"\n'},
        "n": {"N": "0.10"},
        "t": {"BOOL": True},
        "z": {"NULL": True},
        "b": {"B": "AAE="},
        "l": {"L": [{"N": "12345678901234567890123456789012345678"}, {"M": {}}, {"L": []}]},
        "m": {"M": {"inner": {"SS": ["x", "y"]}}},
        "ns": {"NS": ["1", "2.0"]},
    }
    shown = json.loads(plain_json(item), parse_float=Decimal)
    assert shown == {
        "s": 'q"\n',
        "n": Decimal("0.10"),
        "t": True,
        "z": None,
        "b": "AAE=",
        "l": [12345678901234567890123456789012345678, {}, []],
        "m": {"inner": ["x", "y"]},
        "ns": [1, Decimal("2.0")],
    }
    assert '"n": 0.10' in plain_json(item)


@pytest.mark.parametrize("value", [{}, {"S": "a", "N": "1"}, {"X": "a"}, "a", None])
def test_what_is_no_value_is_refused(value):
    with pytest.raises(ValueError, match="not a DynamoDB value"):
        plain_json({"a": value})


@given(st.dictionaries(st.text(), st.text()))
def test_text_of_any_kind_comes_through_json_and_moves_no_cursor(texts):
    for shown in (plain_json({name: {"S": text} for name, text in texts.items()}), json_text(texts)):
        assert json.loads(shown) == texts
        assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown.replace("\n", ""))
