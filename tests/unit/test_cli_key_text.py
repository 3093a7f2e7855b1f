"""Keys as a person reads them in a list: each has one text, and no two have the same."""

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamodb_stream_encryptor.item_key import key_text
from dynamodb_stream_encryptor.output import printable

NAMES = st.one_of(st.sampled_from(["sessionId", "userId", "a b", "a=b", "7"]), st.text(min_size=1, max_size=5))
TEXTS = st.one_of(
    st.sampled_from(["alice", "7", "1e5", "-7", "7.0", "a b", "a=b", '"7"', "{}", "", "dlg-1", "a userId=b", "\u202e"]),
    st.text(max_size=8),
    st.from_regex(r"[-+.e0-9]{1,6}", fullmatch=True),
)
NUMBERS = st.one_of(st.integers().map(str), st.sampled_from(["7", "1e5", "1E+5", "-7", "7.0", "0.10"]))
PARTS = st.one_of(
    TEXTS.map(lambda text: {"S": text}),
    NUMBERS.map(lambda digits: {"N": digits}),
    st.binary(max_size=4).map(lambda octets: {"B": base64.b64encode(octets).decode()}),
)
KEYS = st.dictionaries(NAMES, PARTS, min_size=1, max_size=2)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"sessionId": {"S": "poison-1"}, "userId": {"S": "mallory"}}, "sessionId=poison-1 userId=mallory"),
        ({"orderId": {"N": "7"}, "at": {"S": "2026-01-02T08:30:00Z"}}, "orderId=7 at=2026-01-02T08:30:00Z"),
        ({"id": {"S": "7"}}, 'id="7"'),
        ({"id": {"S": "1e5"}}, 'id="1e5"'),
        ({"id": {"S": "two words"}}, 'id="two words"'),
        ({"id": {"B": "AAE="}}, 'id={"B": "AAE="}'),
    ],
    ids=["text", "number and time", "digits", "an exponent", "spaces", "binary"],
)
def test_a_key_is_short_where_its_types_are_clear(key, text):
    assert key_text(key) == text


@given(KEYS, KEYS)
def test_other_keys_have_other_texts(one, other):
    assert (printable(key_text(one)) == printable(key_text(other))) == (list(one.items()) == list(other.items()))


@given(KEYS)
def test_a_key_is_one_line(key):
    assert not re.search(r"[\x00-\x1f]", printable(key_text(key)))


@pytest.mark.parametrize("key", ["text", 7, [], {"id": None}, {"id": {"S": 7}}, {"id": {"S": "a", "N": "1"}}])
def test_what_is_no_key_is_shown_as_json(key):
    assert json.dumps(next(iter(key.values())) if isinstance(key, dict) else key) in key_text(key)
