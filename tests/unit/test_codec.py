import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import ItemTooLarge, UnsupportedValue
from item_crypto.core.codec import (
    MAX_INFLATED_SIZE,
    MAX_ITEM_SIZE,
    check_value,
    decode_new_value,
    decode_value,
    encode_value,
    from_json,
    is_number,
    item_size,
    key_from_json,
    to_json,
    value_from_json,
    value_size,
)
from tests.strategies import documents, spellings, values


def nested(levels: int, innermost: Any, kind: str = "L") -> dict[str, Any]:
    value: dict[str, Any] = innermost
    for _ in range(levels):
        value = {"L": [value]} if kind == "L" else {"M": {"m": value}}
    return value


# Round trips


@given(st.text(min_size=1, max_size=20), values())
def test_any_value_of_any_type_when_encoded_and_decoded_then_it_is_equal(name: str, value: dict[str, Any]) -> None:
    assert decode_value(name, encode_value(name, value)) == value


@given(values())
def test_any_value_when_sent_as_json_and_back_then_it_is_equal(value: dict[str, Any]) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"S": ""}, id="empty string"),
        pytest.param({"B": b""}, id="empty binary"),
        pytest.param({"L": []}, id="empty list"),
        pytest.param({"M": {}}, id="empty map"),
        pytest.param({"M": {"": {"S": ""}}}, id="empty name in a map"),
        pytest.param({"S": "\x00\u2028é🙂\U0010ffff"}, id="awkward characters"),
        pytest.param({"S": "\x1f\x8b"}, id="gzip's magic bytes as text"),
        pytest.param({"N": "1E-130"}, id="smallest number"),
        pytest.param({"N": "-9.9999999999999999999999999999999999999E+125"}, id="largest negative number"),
        pytest.param({"N": "0.1"}, id="a number that is no float"),
        pytest.param({"B": bytes(range(256))}, id="every byte"),
        pytest.param(nested(31, {"S": "deep"}), id="31 levels of lists"),
        pytest.param(nested(31, {"N": "1"}, "M"), id="31 levels of maps"),
    ],
)
def test_edge_value_when_encoded_and_decoded_then_it_is_equal(value: dict[str, Any]) -> None:
    assert decode_value("history", encode_value("history", value)) == value


def test_repetitive_value_when_encoded_then_it_is_gzip_and_smaller() -> None:
    data = encode_value("history", {"S": "tide " * 1000})

    assert data.startswith(b"\x1f\x8b")
    assert data[4:8] == bytes(4)  # It does not tell when it was made (RFC 1952, MTIME).
    assert json.loads(gzip.decompress(data)) == {"history": {"S": "tide " * 1000}}
    assert len(data) < 200


def test_value_that_gzip_makes_no_smaller_when_encoded_then_it_is_left_as_it_is() -> None:
    texts = (f'{{"history":{{"S":"{"a" * length}"}}}}'.encode() for length in range(100))
    text = next(text for text in texts if len(gzip.compress(text, compresslevel=6, mtime=0)) == len(text))

    assert encode_value("history", json.loads(text)["history"]) == text


def test_short_value_when_encoded_then_it_is_the_documented_json() -> None:
    value = {"L": [{"M": {"type": {"S": "human"}, "sent": {"N": "1767340800"}, "raw": {"B": b"\xff"}}}]}

    assert encode_value("history", value) == (
        b'{"history":{"L":[{"M":{"type":{"S":"human"},"sent":{"N":"1767340800"},"raw":{"B":"/w=="}}}]}}'
    )


def test_same_value_when_encoded_twice_then_the_bytes_are_equal() -> None:
    value = {"S": "tide " * 1000}

    assert encode_value("history", value) == encode_value("history", value)


# Refusals


@given(st.binary(max_size=200))
def test_any_bytes_when_decoded_then_they_are_refused_as_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedValue):
        decode_value("history", data)


@given(documents())
def test_any_json_when_taken_for_a_value_then_it_is_a_sound_one_or_refused(document: Any) -> None:
    try:
        value = value_from_json(document)
    except UnsupportedValue:
        return
    check_value(value)
    assert decode_value("history", encode_value("history", value)) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"history":{"S":"a"},"history":{"S":"b"}}', id="the attribute twice"),
        pytest.param('{"history":{"M":{"a":{"S":"1"},"a":{"S":"2"}}}}', id="a map's member twice"),
        pytest.param('{"history":{"S":"a","S":"b"}}', id="a type code twice"),
        pytest.param('{"configuration":{"S":"a"}}', id="another attribute"),
        pytest.param('{"history":{"S":"a"},"configuration":{"S":"b"}}', id="two attributes"),
        pytest.param("{}", id="no attribute"),
        pytest.param('[{"S":"a"}]', id="no object"),
        pytest.param('{"history":{"N":NaN}}', id="NaN"),
        pytest.param('{"history":{"N":"NaN"}}', id="NaN as text"),
        pytest.param('{"history":{"N":"Infinity"}}', id="infinity as text"),
        pytest.param('{"history":{"N":1}}', id="a number that is no text"),
        pytest.param('{"history":{"N":"1_000"}}', id="a number in Python's spelling"),
        pytest.param('{"history":{"N":"\\u0661"}}', id="a digit that is not ASCII"),
        pytest.param('{"history":{"N":" 1"}}', id="a number after a space"),
        pytest.param('{"history":{"B":"a"}}', id="base64 cut short"),
        pytest.param('{"history":{"B":"_w=="}}', id="the other base64 alphabet"),
        pytest.param('{"history":{"BOOL":1}}', id="a boolean that is a number"),
        pytest.param('{"history":{"NULL":false}}', id="NULL that is false"),
        pytest.param('{"history":{"SS":[]}}', id="an empty set"),
        pytest.param('{"history":{"SS":["a","a"]}}', id="a set with a string twice"),
        pytest.param('{"history":{"NS":["1","1.0"]}}', id="a set with a number twice"),
        pytest.param('{"history":{"BS":["/w==","/w=="]}}', id="a set with bytes twice"),
        pytest.param('{"history":{"S":"\\ud800"}}', id="half a surrogate pair"),
        pytest.param('{"history":{"M":{"\\ud800":{"S":""}}}}', id="half a surrogate pair in a name"),
        pytest.param('{"history":{"SS":["\\ud800"]}}', id="half a surrogate pair in a set"),
        pytest.param('{"history":{"L":["a"]}}', id="a member without a type"),
        pytest.param('{"history":{"L":"ab"}}', id="a list that is text"),
        pytest.param('{"history":{"M":["a"]}}', id="a map that is a list"),
        pytest.param('{"history":"a"}', id="no value"),
        pytest.param('{"history":{"X":"a"}}', id="an unknown type"),
        pytest.param('{"history":' + '{"L":[' * 33 + '{"S":""}' + "]}" * 33 + "}", id="33 levels"),
        pytest.param('{"history":' + '{"L":[' * 5000 + '{"S":""}' + "]}" * 5000 + "}", id="5000 levels"),
        pytest.param('{"history":{"S":"a"}}x', id="trailing text"),
        pytest.param("", id="nothing"),
    ],
)
def test_malformed_text_when_decoded_then_it_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedValue):
        decode_value("history", text.encode())


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"N": "secret-6021"}, id="number"),
        pytest.param({"S": 6021}, id="string"),
        pytest.param({"SS": ["secret-6021", 1]}, id="set"),
        pytest.param({"secret-6021": "x"}, id="type code"),
        pytest.param({"M": {"secret-6021": {"N": "x"}}}, id="map"),
        pytest.param({"S": "secret-6021\ud800"}, id="surrogate"),
        pytest.param({"N": "6021" * 10}, id="too many digits"),
        pytest.param("secret-6021", id="no value"),
        pytest.param({}, id="no type code"),
        pytest.param({"S": "6021", "N": "6021"}, id="two type codes"),
        pytest.param({"L": [{"S": "a"}, "secret-6021"]}, id="no value in a list"),
    ],
)
def test_value_that_dynamodb_cannot_hold_when_encoded_then_refused_without_quoting_it(value: Any) -> None:
    with pytest.raises(UnsupportedValue) as refusal:
        encode_value("history", value)

    assert "6021" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_bomb_when_decoded_then_inflation_stops_at_four_mebibytes() -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(UnsupportedValue):
            decode_value("history", bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 3 * MAX_INFLATED_SIZE


@pytest.mark.parametrize(("excess", "accepted"), [(0, True), (1, False)])
def test_content_when_it_inflates_to_the_limit_then_it_is_read_and_one_byte_more_is_refused(
    excess: int, accepted: bool
) -> None:
    frame = b'{"history":{"S":""}}'
    text = frame.replace(b'""', b'"' + b"a" * (MAX_INFLATED_SIZE - len(frame) + excess) + b'"')

    if accepted:
        assert len(decode_value("history", gzip.compress(text))["S"]) == MAX_INFLATED_SIZE - len(frame)
    else:
        with pytest.raises(UnsupportedValue):
            decode_value("history", gzip.compress(text))


def test_value_that_could_not_be_inflated_again_when_encoded_then_it_is_refused() -> None:
    with pytest.raises(ItemTooLarge):
        encode_value("history", {"S": "a" * MAX_INFLATED_SIZE})


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-1], id="cut short"),
        pytest.param(lambda data: data + b"\x00", id="a byte after the end"),
        pytest.param(lambda data: data + data, id="a second gzip member"),
        pytest.param(lambda data: data[:-8] + b"\x00" * 8, id="a wrong checksum"),
        pytest.param(lambda data: b"\x1f\x8b" + zlib.compress(b"{}"), id="another container"),
    ],
)
def test_spoilt_gzip_when_decoded_then_it_is_refused(spoil: Any) -> None:
    data = encode_value("history", {"S": "tide " * 1000})

    with pytest.raises(UnsupportedValue):
        decode_value("history", spoil(data))


@pytest.mark.parametrize(
    "member",
    [
        {"N": "0"},
        {"BOOL": True},
        {"NULL": True},
        {"S": "a"},
        {"SS": ["a"]},
        {"NS": ["0"]},
        {"BS": [b"a"]},
        {"L": []},
        {"M": {}},
        {"L": [{"S": ""}]},
        {"M": {"a": {"S": ""}}},
    ],
    ids=str,
)
def test_new_value_of_as_many_bytes_as_an_item_when_decoded_then_taken_and_one_byte_more_is_not(
    member: dict[str, Any],
) -> None:
    rest = MAX_ITEM_SIZE - value_size({"L": [member, {"S": ""}]})
    largest = {"L": [member, {"S": "x" * rest}]}

    assert decode_new_value("history", encode_value("history", largest)) == largest
    with pytest.raises(ItemTooLarge):
        decode_new_value("history", encode_value("history", {"L": [member, {"S": "x" * (rest + 1)}]}))


# Numbers


@given(spellings())
def test_number_that_dynamodb_can_hold_when_asked_then_it_is_one(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "1E126",
        "9.99E+126",
        "1E-131",
        "-1E-131",
        "1" * 39,
        "1.00000000000000000000000000000000000001",
        "",
        "-",
        ".",
        "1e",
    ],
)
def test_number_out_of_range_or_with_39_digits_when_asked_then_it_is_none(text: str) -> None:
    assert not is_number(text)


def test_number_with_38_digits_and_many_zeros_when_asked_then_it_is_one() -> None:
    assert is_number("1" * 38 + "0" * 80)
    assert is_number("0." + "0" * 100 + "1" * 30)


# Sizes: Developer Guide, "DynamoDB item sizes and formats"


@pytest.mark.parametrize(
    ("item", "size"),
    [
        pytest.param({"a": {"S": "hé"}}, 1 + 3, id="a string is its UTF-8 bytes"),
        pytest.param({"ä": {"S": ""}}, 2, id="a name is its UTF-8 bytes"),
        pytest.param({"a": {"N": "27"}}, 1 + 1 + 1, id="a byte for two digits and one more"),
        pytest.param({"a": {"N": "-27"}}, 1 + 1 + 1 + 1, id="a negative number has one more"),
        pytest.param({"a": {"N": "461"}}, 1 + 2 + 1, id="three digits take two bytes"),
        pytest.param({"a": {"N": "1200"}}, 1 + 1 + 1, id="trailing zeros are trimmed"),
        pytest.param({"a": {"N": "0.0012"}}, 1 + 1 + 1, id="leading zeros are trimmed"),
        pytest.param({"a": {"N": "0"}}, 1 + 1, id="zero"),
        pytest.param({"a": {"B": b"12345"}}, 1 + 5, id="binary is its raw bytes"),
        pytest.param({"a": {"BOOL": True}}, 1 + 1, id="a boolean is one byte"),
        pytest.param({"a": {"NULL": True}}, 1 + 1, id="null is one byte"),
        pytest.param({"a": {"L": []}}, 1 + 3, id="an empty list is three bytes"),
        pytest.param({"a": {"M": {}}}, 1 + 3, id="an empty map is three bytes"),
        pytest.param({"a": {"L": [{"S": "xy"}, {"BOOL": True}]}}, 1 + 3 + (1 + 2) + (1 + 1), id="a list"),
        pytest.param({"a": {"M": {"key": {"S": "xy"}}}}, 1 + 3 + (1 + 3 + 2), id="a map"),
        pytest.param({"a": {"SS": ["x", "yz"]}}, 1 + 3, id="a set of strings"),
        pytest.param({"a": {"NS": ["1", "22"]}}, 1 + 4, id="a set of numbers"),
        pytest.param({"a": {"BS": [b"1", b"22"]}}, 1 + 3, id="a set of binaries"),
        pytest.param({"a": {"S": "x"}, "bc": {"S": "yz"}}, 2 + 4, id="two attributes"),
    ],
)
def test_item_when_sized_then_it_follows_the_developer_guide(item: dict[str, Any], size: int) -> None:
    assert item_size(item) == size


# Keys from queue messages and stream records


@given(documents())
def test_any_json_when_taken_for_a_key_then_it_is_a_key_or_refused(document: Any) -> None:
    try:
        key = key_from_json(document)
    except UnsupportedValue:
        return
    assert 1 <= len(key) <= 2
    assert all(next(iter(value)) in ("S", "N", "B") for value in key.values())


def test_key_of_each_type_when_read_from_json_then_binary_is_bytes() -> None:
    document = {"a": {"B": "/w=="}, "b": {"N": "1E2"}}

    assert key_from_json(document) == {"a": {"B": b"\xff"}, "b": {"N": "100"}}
