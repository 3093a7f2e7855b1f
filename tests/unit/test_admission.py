"""Messages that somebody else made: whatever is done to one, it is refused; what is sound comes out as it went in."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import Keyrings, TransientError
from item_crypto.admission import admit
from item_crypto.core.codec import MAX_DEPTH, MAX_ITEM_SIZE, decode_new_value, encode_value, value_size
from item_crypto.errors import ItemTooLarge, MessageRefused, UnsupportedValue
from tests import strategies
from tests.fake_kms import fake_kms
from tests.faults import failing
from tests.vectors.load import CURRENT_KEY, EARLIER_KEY, data_keys, vector, vectors

SOUND = vector("current/list")
TEXT = SOUND["ciphertext"]
MESSAGE = base64.b64decode(TEXT)
KMS = fake_kms(data_keys())
KEYS = Keyrings(KMS, CURRENT_KEY, [EARLIER_KEY])


def admitted(text: str, name: str = "history", context: Any = None) -> Any:
    return admit({name: text}, context or SOUND["context"], KEYS)[name]


def test_a_sound_message_when_admitted_then_its_value_comes_out_and_its_bytes_as_they_were() -> None:
    given_value = admitted(TEXT)

    assert (given_value.value, given_value.message) == (SOUND["value"], MESSAGE)
    assert repr(MESSAGE)[2:-1] not in repr(given_value)
    assert str(SOUND["value"]) not in repr(given_value)


@pytest.mark.parametrize("name", vectors("refused"))
def test_every_vector_that_is_refused_when_admitted_then_it_is_refused_too(name: str) -> None:
    entry = vectors("refused")[name]

    with pytest.raises(MessageRefused) as refused:
        admitted(entry["ciphertext"], entry["attribute"], entry["context"])

    assert refused.value.attribute == entry["attribute"]


@pytest.mark.parametrize("name", vectors("current"))
def test_every_vector_that_is_read_when_admitted_then_only_what_would_be_written_so_today_is_taken(name: str) -> None:
    entry = vectors("current")[name]
    expected = None
    if MESSAGE[1:3] != base64.b64decode(entry["ciphertext"])[1:3]:
        expected = "signed"
    elif entry["dataKey"]["keyArn"] != CURRENT_KEY:
        expected = "key-not-current"
    elif nameless(entry["value"]) or depth(entry["value"]) > MAX_DEPTH:
        expected = "wrong-attribute-or-content"
    if expected is None:
        taken = admitted(entry["ciphertext"], entry["attribute"], entry["context"])
        assert taken.message == base64.b64decode(entry["ciphertext"])
        return

    with pytest.raises(MessageRefused) as refused:
        admitted(entry["ciphertext"], entry["attribute"], entry["context"])

    assert refused.value.detail == expected


def depth(value: Any) -> int:
    ((kind, content),) = value.items()
    members = content if kind == "L" else content.values() if kind == "M" else None
    return 0 if members is None else 1 + max(map(depth, members), default=0)


@given(st.integers(0, len(MESSAGE) * 8 - 1))
def test_any_bit_of_a_message_when_flipped_then_it_is_refused(bit: int) -> None:
    changed = bytearray(MESSAGE)
    changed[bit // 8] ^= 1 << (bit % 8)

    with pytest.raises(MessageRefused):
        admitted(base64.b64encode(changed).decode())


@given(st.integers(0, len(MESSAGE)), st.integers(0, 40), st.binary(max_size=40))
def test_any_stretch_of_a_message_when_replaced_then_it_is_refused_unless_it_is_the_same(
    start: int, length: int, replacement: bytes
) -> None:
    changed = MESSAGE[:start] + replacement + MESSAGE[start + length :]
    text = base64.b64encode(changed).decode()
    if changed == MESSAGE:
        assert admitted(text).message == MESSAGE
        return

    with pytest.raises(MessageRefused):
        admitted(text)


@given(st.integers(0, len(TEXT)), st.integers(0, 3), st.text(max_size=4))
def test_any_stretch_of_the_text_when_replaced_then_it_is_refused_unless_it_is_the_same(
    start: int, length: int, replacement: str
) -> None:
    changed = TEXT[:start] + replacement + TEXT[start + length :]
    if changed == TEXT:
        return

    with pytest.raises(MessageRefused):
        admitted(changed)


@given(st.dictionaries(st.sampled_from([*SOUND["context"], "more"]), st.text(max_size=9), min_size=1))
def test_any_other_context_when_admitted_then_it_is_refused_before_a_key_is_asked_for(change: dict[str, str]) -> None:
    context = SOUND["context"] | change
    if context == SOUND["context"]:
        return
    with failing(KMS, "kms", AssertionError("asked")), pytest.raises(MessageRefused) as refused:
        admitted(TEXT, context=context)

    assert refused.value.detail == "other-context"


def test_a_key_service_that_is_throttled_when_asked_then_it_is_no_fault_of_the_message() -> None:
    with failing(KMS, "kms", "ThrottlingException"), pytest.raises(TransientError):
        admitted(TEXT)


# What may be new


@given(strategies.values())
def test_any_value_when_it_is_new_then_it_is_taken_unless_a_member_has_no_name(value: dict[str, Any]) -> None:
    data = encode_value("history", value)
    if nameless(value):
        with pytest.raises(UnsupportedValue):
            decode_new_value("history", data)
    else:
        assert decode_new_value("history", data) == value


def nameless(value: Any) -> bool:
    match value:
        case {"M": members}:
            return "" in members or any(map(nameless, members.values()))
        case {"L": members}:
            return any(map(nameless, members))
        case _:
            return False


@pytest.mark.parametrize(
    "value",
    [
        {"L": [{"S": "a" * (MAX_ITEM_SIZE - 4)}]},
        # As many as there can be of each, in one list, and all of them are counted for what they are: two bytes.
        {"L": [{"NULL": True}, {"N": "0"}, {"SS": ["", "a"]}, {"S": ""}, {"B": b""}] * 51_199 + [{"NULL": True}] * 2},
        {"M": {"a" * 65_535: {"B": b"a" * (MAX_ITEM_SIZE - 65_535 - 4)}}},
    ],
    ids=["text", "small", "names"],
)
def test_a_value_of_as_many_bytes_as_an_item_when_new_then_it_is_taken_and_one_byte_more_is_not(value: Any) -> None:
    assert MAX_ITEM_SIZE - 2 < value_size(value) <= MAX_ITEM_SIZE
    assert decode_new_value("history", encode_value("history", value)) == value

    with pytest.raises(ItemTooLarge):
        decode_new_value("history", encode_value("history", {"L": [value]}))
