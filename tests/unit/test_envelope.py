import base64
import io
import json
from typing import Any

import pytest
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import UnknownForm
from item_crypto.core.context import own_context
from item_crypto.core.stored_form import Envelope
from item_crypto.forms import CURRENT as CURRENT_FORM
from item_crypto.forms import LISA as LISA_FORM
from item_crypto.forms import open_envelope
from tests.scene import CONFIGURATION, HISTORY, Scene
from tests.vectors.load import vector

CURRENT = vector("current/list")["ciphertext"]
SIGNED = vector("current/signed")["ciphertext"]
LISA = vector("lisa/list")["ciphertext"]
MESSAGE = base64.b64decode(CURRENT)


def text(data: bytes) -> dict[str, Any]:
    return {"S": base64.b64encode(data).decode()}


def lisa_text(**changes: Any) -> dict[str, Any]:
    document = json.loads(base64.b64decode(LISA)) | changes
    return text(json.dumps({name: member for name, member in document.items() if member is not ...}).encode())


# The two forms


def test_current_message_when_opened_then_it_tells_key_and_context(scene: Scene) -> None:
    key = scene.new_key()
    stored = scene.encrypted(key, history=HISTORY)

    envelope = open_envelope(stored["encrypted_history"])

    assert envelope.form is CURRENT_FORM
    assert envelope.key == scene.key_arn
    assert envelope.context == scene.context(key)
    assert envelope.body == base64.b64decode(stored["encrypted_history"]["S"])


def test_signed_message_when_opened_then_the_sdks_own_context_is_left_out() -> None:
    header, _ = deserialize_header(io.BytesIO(base64.b64decode(SIGNED)))

    assert "aws-crypto-public-key" in header.encryption_context
    assert open_envelope({"S": SIGNED}).context == own_context(header.encryption_context)
    assert not any(name.startswith("aws-crypto-") for name in open_envelope({"S": SIGNED}).context)


def test_old_form_when_opened_then_it_names_no_key_and_no_context(scene: Scene) -> None:
    envelope = open_envelope(scene.lisa(scene.new_key(), configuration=CONFIGURATION)["encrypted_configuration"])

    assert (envelope.form, envelope.key, envelope.context) == (LISA_FORM, None, {})


def test_envelope_when_shown_then_neither_body_nor_key_nor_context_appears() -> None:
    envelope = open_envelope({"S": CURRENT})

    assert isinstance(envelope, Envelope)
    assert "body" not in repr(envelope)
    assert "user-24" not in repr(envelope)


# Neither


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"S": ""}, id="empty"),
        pytest.param({"S": "not base64!"}, id="no base64"),
        pytest.param({"S": "é"}, id="not even ASCII"),
        pytest.param({"S": CURRENT + "\n"}, id="white space after it"),
        pytest.param({"S": CURRENT[:-1]}, id="base64 cut short"),
        pytest.param({"B": base64.b64encode(MESSAGE)}, id="base64 as binary"),
        pytest.param({"M": {}}, id="a map"),
        pytest.param({"NULL": True}, id="null"),
        pytest.param(text(b"plaintext, by accident"), id="base64 of prose"),
        pytest.param(text(b"{}"), id="JSON without members"),
        pytest.param(text(b'{"a":'), id="JSON cut short"),
        pytest.param(text(b"[]"), id="a JSON list"),
        pytest.param(text(b"{" * 100_000), id="JSON too deep"),
        pytest.param(text(b'{"\xff": 1}'), id="JSON that is not UTF-8"),
        pytest.param(lisa_text(encrypted_key=...), id="old form without a key"),
        pytest.param(lisa_text(encrypted_data=...), id="old form without data"),
        pytest.param(lisa_text(encryption_version=...), id="old form without a version"),
        pytest.param(lisa_text(encryption_version="2.0"), id="old form of another version"),
        pytest.param(lisa_text(encrypted_key=7), id="old form whose key is a number"),
        pytest.param(lisa_text(encrypted_data="é"), id="old form whose data is no base64"),
        pytest.param(lisa_text(encrypted_data=""), id="old form whose data is empty"),
        pytest.param(lisa_text(more="x"), id="old form with another member"),
    ],
)
def test_neither_form_when_opened_then_it_is_unknown_and_not_quoted(value: dict[str, Any]) -> None:
    with pytest.raises(UnknownForm) as refusal:
        open_envelope(value)

    assert str(value.get("S", "\n"))[:20] not in str(refusal.value) or value.get("S") == ""
    assert refusal.value.__cause__ is None


NON_COMMITTING = {"0078": "no key derivation", "0178": "no commitment", "0378": "signed, no commitment"}


@pytest.mark.parametrize("suite", [pytest.param(suite, id=name) for suite, name in NON_COMMITTING.items()])
@pytest.mark.parametrize("version", [1, 2])
def test_message_of_a_suite_without_commitment_when_opened_then_it_is_unknown(suite: str, version: int) -> None:
    with pytest.raises(UnknownForm):
        open_envelope(text(reframed(version, bytes.fromhex(suite))))


def reframed(version: int, suite: bytes) -> bytes:
    """Return the header of MESSAGE again, as format version ``version`` under another suite."""
    context_length = int.from_bytes(MESSAGE[35:37])
    rest = MESSAGE[35 : 37 + context_length]  # the context; the data keys follow
    keys_end = MESSAGE.index(b"\x02\x00\x10\x00\x00", 37 + context_length)  # content type "framed", frame length 1 MiB
    keys = MESSAGE[37 + context_length : keys_end]
    if version == 2:
        return b"\x02" + suite + bytes(32) + rest + keys + MESSAGE[keys_end:]
    tail = b"\x02" + bytes(4) + b"\x0c" + (1024).to_bytes(4) + bytes(12 + 16 + 64)
    return b"\x01\x80" + suite + bytes(16) + rest + keys + tail


def test_version_one_message_of_the_sdk_when_opened_then_it_is_unknown() -> None:
    message = reframed(1, bytes.fromhex("0378"))
    header, _ = deserialize_header(io.BytesIO(message))  # It is a sound header: the refusal is ours.
    assert header.version.value == 1

    with pytest.raises(UnknownForm, match="without key commitment"):
        open_envelope(text(message))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\x00\x07aws-kms", b"\x00\x07aws-xxx", id="another provider"),
        pytest.param(b"arn:aws:kms:", b"\xffrn:aws:kms:", id="a key name that is not ASCII"),
        pytest.param(b"\x00\x01\x00\x07aws-kms", b"\x00\x02\x00\x07aws-kms", id="two data keys promised"),
        pytest.param(b"\x00\x01\x00\x07aws-kms", b"\x00\x00\x00\x07aws-kms", id="no data key promised"),
        pytest.param(b"\x00\x01\x00\x07aws-kms", b"\xff\xff\x00\x07aws-kms", id="65535 data keys promised"),
    ],
)
def test_message_with_another_data_key_when_opened_then_it_is_unknown(old: bytes, new: bytes) -> None:
    assert MESSAGE.count(old) == 1

    with pytest.raises(UnknownForm):
        open_envelope(text(MESSAGE.replace(old, new)))


# Whatever the bytes


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: b"\x02\x04\x78" + tail)))
def test_any_bytes_when_opened_then_they_are_unknown(data: bytes) -> None:
    with pytest.raises(UnknownForm):
        open_envelope(text(data))


@given(st.one_of(st.text(max_size=50), st.none(), st.integers()), st.sampled_from(["S", "N", "B", "M", "L"]))
def test_any_value_when_opened_then_it_is_unknown(content: Any, kind: str) -> None:
    with pytest.raises(UnknownForm):
        open_envelope({kind: content})


@given(st.integers(min_value=0, max_value=len(MESSAGE)))
def test_message_cut_anywhere_in_its_header_when_opened_then_it_is_unknown_or_a_message(length: int) -> None:
    try:
        envelope = open_envelope(text(MESSAGE[:length]))
    except UnknownForm:
        return
    assert envelope.form is CURRENT_FORM


@given(st.lists(st.tuples(st.integers(min_value=0, max_value=len(MESSAGE) - 1), st.integers(0, 255)), max_size=6))
def test_message_with_any_bytes_changed_when_opened_then_it_is_unknown_or_a_message(
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(MESSAGE)
    for position, byte in changes:
        data[position] = byte
    try:
        envelope = open_envelope(text(bytes(data)))
    except UnknownForm:
        return
    assert envelope.form is CURRENT_FORM


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda j: st.lists(j) | st.dictionaries(st.text(), j))
)
def test_old_form_with_any_members_when_opened_then_it_is_unknown(content: Any) -> None:
    with pytest.raises(UnknownForm):
        open_envelope(lisa_text(encrypted_key=content, encrypted_data=content, encryption_version=content))
