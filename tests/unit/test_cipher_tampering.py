"""Whatever is done to a message, a value comes out only where it was put in."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import DecryptionFailed, KeyNotListed, Keyrings, UnknownForm, ValueCipher
from item_crypto.core.codec import encode_value
from item_crypto.forms import open_envelope
from item_crypto.keys.cached import CachedKeys
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Keys
from tests.fake_kms import fake_kms
from tests.scene import CONFIGURATION, HISTORY, Scene
from tests.vectors.load import CURRENT_KEY, EARLIER_KEY, data_keys, vector

LIST = vector("current/list")
MESSAGE = base64.b64decode(LIST["ciphertext"])
SIGNED = base64.b64decode(vector("current/signed")["ciphertext"])
GZIP = base64.b64decode(vector("current/gzip")["ciphertext"])
CONTEXT = LIST["context"]
REFUSALS = (DecryptionFailed, UnknownForm)


WHENCE = ["asked for", "remembered"]
"""Where data keys come from: a remembered one must not make anything readable that KMS would not."""


class Remembering(ValueCipher):
    """Remembers the data key of each message that it makes, by reading it."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(CachedKeys(keys, 300))

    def encrypt(self, values: Any, context: Any) -> dict[str, str]:
        ciphertexts = super().encrypt(values, context)
        self.decrypt({name: open_envelope({"S": text}) for name, text in ciphertexts.items()}, context)
        return ciphertexts


@pytest.fixture(scope="module", params=WHENCE)
def cipher(request: pytest.FixtureRequest) -> ValueCipher:
    keys = Keyrings(fake_kms(data_keys()), CURRENT_KEY, [EARLIER_KEY])
    if request.param == "asked for":
        return ValueCipher(keys)
    remembering = Remembering(keys)
    for message in (MESSAGE, SIGNED, GZIP, base64.b64decode(vector("lisa/list")["ciphertext"])):
        decrypt(remembering, message)
    return remembering


@pytest.fixture(params=WHENCE)
def scene(scene: Scene, request: pytest.FixtureRequest) -> Scene:
    if request.param == "remembered":
        scene.cipher = Remembering(scene.cipher.keys)
    return scene


def decrypt(cipher: ValueCipher, message: bytes, name: str = "history", context: Any = None) -> Any:
    envelope = open_envelope({"S": base64.b64encode(message).decode()})
    return cipher.decrypt({name: envelope}, context or CONTEXT)[name]


def regions(message: bytes) -> dict[str, tuple[int, int]]:
    """Return where each part of a version 2 message lies (AWS Encryption SDK message format reference)."""
    parts: dict[str, tuple[int, int]] = {"format version": (0, 1), "suite": (1, 3), "message id": (3, 35)}
    position = 35

    def take(name: str, length: int) -> None:
        nonlocal position
        parts[name] = (position, position + length)
        position += length

    take("context length", 2)
    take("context", int.from_bytes(message[35:37]))
    take("data key count", 2)
    for part in ("provider", "key ARN", "encrypted data key"):
        length = int.from_bytes(message[position : position + 2])
        take(f"{part} length", 2)
        take(part, length)
    take("content type", 1)
    take("frame length", 4)
    take("commitment", 32)
    take("header tag", 16)
    take("final frame mark", 4)
    take("sequence number", 4)
    take("frame IV", 12)
    length = int.from_bytes(message[position : position + 4])
    take("content length", 4)
    take("content", length)
    take("content tag", 16)
    if position < len(message):
        take("signature length", 2)
        take("signature", len(message) - position)
    assert position == len(message)
    return parts


def flipped(message: bytes, bit: int) -> bytes:
    data = bytearray(message)
    data[bit // 8] ^= 1 << (bit % 8)
    return bytes(data)


def test_message_when_untouched_then_it_decrypts(cipher: ValueCipher) -> None:
    assert decrypt(cipher, MESSAGE) == HISTORY_OF_VECTOR
    assert decrypt(cipher, SIGNED) == HISTORY_OF_VECTOR


HISTORY_OF_VECTOR = LIST["value"]


@pytest.mark.parametrize("message", [pytest.param(MESSAGE, id="unsigned"), pytest.param(SIGNED, id="signed")])
@pytest.mark.parametrize("region", regions(SIGNED))
def test_every_byte_of_a_region_when_flipped_then_refused(cipher: ValueCipher, message: bytes, region: str) -> None:
    start, end = regions(message).get(region, (0, 0))
    for position in range(start, end):
        with pytest.raises(REFUSALS):
            decrypt(cipher, flipped(message, position * 8 + position % 8))


@given(st.integers(min_value=0, max_value=len(MESSAGE) * 8 - 1))
def test_any_single_bit_when_flipped_then_refused(cipher: ValueCipher, bit: int) -> None:
    with pytest.raises(REFUSALS):
        decrypt(cipher, flipped(MESSAGE, bit))


@given(st.integers(min_value=0, max_value=len(SIGNED) * 8 - 1))
def test_any_single_bit_of_a_signed_message_when_flipped_then_refused(cipher: ValueCipher, bit: int) -> None:
    with pytest.raises(REFUSALS):
        decrypt(cipher, flipped(SIGNED, bit))


@given(
    st.sampled_from([MESSAGE, SIGNED, GZIP]),
    st.integers(min_value=0),
    st.integers(min_value=0, max_value=40),
    st.binary(max_size=40),
)
def test_any_stretch_of_bytes_when_replaced_then_refused(
    cipher: ValueCipher, message: bytes, start: int, length: int, replacement: bytes
) -> None:
    start %= len(message)
    changed = message[:start] + replacement + message[start + length :]
    if changed == message:
        return

    with pytest.raises(REFUSALS):
        decrypt(cipher, changed)


@given(st.integers(min_value=0, max_value=len(SIGNED) - 1))
def test_message_when_cut_anywhere_then_refused(cipher: ValueCipher, length: int) -> None:
    with pytest.raises(REFUSALS):
        decrypt(cipher, SIGNED[:length])
    with pytest.raises(REFUSALS):
        decrypt(cipher, MESSAGE[: min(length, len(MESSAGE) - 1)])


@given(st.sampled_from([MESSAGE, SIGNED]), st.binary(min_size=1, max_size=20))
def test_message_when_bytes_are_appended_then_refused(cipher: ValueCipher, message: bytes, tail: bytes) -> None:
    with pytest.raises(REFUSALS):
        decrypt(cipher, message + tail)


def test_two_messages_when_put_in_a_row_then_refused(cipher: ValueCipher) -> None:
    with pytest.raises(DecryptionFailed) as refusal:
        decrypt(cipher, MESSAGE + MESSAGE)

    assert refusal.value.detail == "trailing-bytes"


# Parts of sound messages put together anew


@pytest.mark.parametrize(
    "region",
    ["message id", "encrypted data key", "commitment", "header tag", "frame IV", "content", "content tag"],
)
def test_region_of_a_message_when_taken_from_another_of_the_same_item_then_refused(scene: Scene, region: str) -> None:
    key = scene.new_key()
    one, other = (
        base64.b64decode(scene.encrypted(key, history={"S": text})["encrypted_history"]["S"]) for text in ("one", "two")
    )
    start, end = regions(one)[region]
    if region in ("frame IV",):
        assert one[start:end] == other[start:end]  # The same by design: each message has a key of its own.
        return

    assert one[start:end] != other[start:end]
    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt(
            {"history": open_envelope(as_value(one[:start] + other[start:end] + one[end:]))}, scene.context(key)
        )


def as_value(message: bytes) -> dict[str, str]:
    return {"S": base64.b64encode(message).decode()}


def test_body_when_moved_under_the_header_of_the_items_other_attribute_then_refused(scene: Scene) -> None:
    # Both share a data key, so only the key derived from each message's id keeps them apart.
    key = scene.new_key()
    stored = scene.encrypted(key, history={"S": "a"}, configuration={"S": "b"})
    one, other = (base64.b64decode(stored[f"encrypted_{name}"]["S"]) for name in ("history", "configuration"))
    body = regions(one)["final frame mark"][0]

    assert regions(one)["encrypted data key"] == regions(other)["encrypted data key"]
    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": open_envelope(as_value(one[:body] + other[body:]))}, scene.context(key))


def test_commitment_when_made_anew_for_another_data_key_then_refused(scene: Scene) -> None:
    # The header of one message, commitment and tag and body of another: the key KMS gives is not the one committed to.
    key = scene.new_key()
    one, other = (
        base64.b64decode(scene.encrypted(key, history={"S": text})["encrypted_history"]["S"]) for text in ("a", "b")
    )
    cut = regions(one)["commitment"][0]

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": open_envelope(as_value(one[:cut] + other[cut:]))}, scene.context(key))


def test_two_attributes_of_an_item_when_swapped_then_refused(scene: Scene) -> None:
    key = scene.new_key()
    stored = scene.encrypted(key, history=HISTORY, configuration=CONFIGURATION)
    swapped = {
        "history": open_envelope(stored["encrypted_configuration"]),
        "configuration": open_envelope(stored["encrypted_history"]),
    }

    with pytest.raises(DecryptionFailed) as refusal:
        scene.cipher.decrypt(swapped, scene.context(key))

    assert refusal.value.detail == "wrong-attribute-or-content"


def test_kept_conflict_when_put_in_the_place_of_the_value_then_refused(scene: Scene) -> None:
    key = scene.new_key()
    stored = scene.encrypted(key, history_conflict=HISTORY)

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": open_envelope(stored["encrypted_history_conflict"])}, scene.context(key))


@pytest.mark.parametrize("signed", [False, True])
def test_ciphertext_when_read_from_another_users_item_then_refused_before_kms_is_asked(
    scene: Scene, signed: bool
) -> None:
    meter = KmsMeter()
    cipher = ValueCipher(Keyrings(scene.kms, scene.key_arn, meter=meter), signed)
    key = scene.new_key()
    envelope = open_envelope({"S": cipher.encrypt({"history": HISTORY}, scene.context(key))["history"]})
    meter.drain()

    for change in ({"userId": "user-other"}, {"sessionId": "dlg-other"}, {"purpose": "other"}, {"more": "x"}):
        with pytest.raises(DecryptionFailed) as refusal:
            cipher.decrypt({"history": envelope}, scene.context(key) | change)
        assert refusal.value.detail == "context-mismatch"

    assert meter.drain() == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"role": "admin"}, id="a member more"),
        pytest.param({"sessionId": None}, id="a member less"),
        pytest.param({"sessionId": "dlg-other"}, id="another member"),
    ],
)
def test_message_made_with_the_key_but_another_context_when_decrypted_then_refused(scene: Scene, change: Any) -> None:
    key = scene.new_key()
    context = {name: text for name, text in (scene.context(key) | change).items() if text is not None}
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    message, _ = client.encrypt(
        source=encode_value("history", HISTORY),
        materials_manager=Keyrings(scene.kms, scene.key_arn).for_encryption(context),
        encryption_context=context,
    )

    with pytest.raises(DecryptionFailed) as refusal:
        scene.cipher.decrypt({"history": open_envelope(as_value(message))}, scene.context(key))

    assert refusal.value.detail == "context-mismatch"


@pytest.mark.parametrize("made_with", [{"sessionId": None}, {"purpose": None}, {"sessionId": "dlg-other"}])
def test_context_that_is_claimed_for_a_message_when_its_header_has_another_then_refused(
    scene: Scene, made_with: Any
) -> None:
    """What was compared before the key was asked for is not believed: the authenticated header is compared again."""
    key = scene.new_key()
    context = {name: text for name, text in (scene.context(key) | made_with).items() if text is not None}
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    message, _ = client.encrypt(
        source=encode_value("history", HISTORY),
        materials_manager=Keyrings(scene.kms, scene.key_arn).for_encryption(context),
        encryption_context=context,
    )
    envelope = replace(open_envelope(as_value(message)), context=scene.context(key))

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": envelope}, scene.context(key))


def test_message_under_an_unlisted_key_when_decrypted_then_refused_before_kms_is_asked(scene: Scene) -> None:
    key = scene.new_key()
    text = scene.unlisted_cipher.encrypt({"history": HISTORY}, scene.context(key))["history"]
    scene.meter.drain()

    with pytest.raises(KeyNotListed):
        scene.cipher.decrypt({"history": open_envelope({"S": text})}, scene.context(key))

    assert scene.meter.drain() == []


@pytest.mark.parametrize("name", ["current/list", "refused/unlisted-key"])
def test_key_arn_in_the_header_when_changed_to_another_listed_key_then_refused(cipher: ValueCipher, name: str) -> None:
    message = base64.b64decode(vector(name)["ciphertext"])
    relabelled = message.replace(vector(name)["dataKey"]["keyArn"].encode(), EARLIER_KEY.encode())

    assert relabelled != message
    with pytest.raises(DecryptionFailed):
        decrypt(cipher, relabelled)


def test_one_bad_value_of_two_when_decrypted_then_neither_is_released(scene: Scene) -> None:
    key = scene.new_key()
    stored = scene.encrypted(key, history=HISTORY, configuration=CONFIGURATION)
    bad = flipped(base64.b64decode(stored["encrypted_configuration"]["S"]), -1)
    envelopes = {"history": open_envelope(stored["encrypted_history"]), "configuration": open_envelope(as_value(bad))}

    with pytest.raises(REFUSALS):
        scene.cipher.decrypt(envelopes, scene.context(key))


# LISA's old form. Its outer JSON is not authenticated, so it may be spelled differently; what is in it may not.


OLD = vector("lisa/list")


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=3), st.binary(max_size=3))
def test_old_form_when_changed_anywhere_then_refused_or_the_same_value(
    cipher: ValueCipher, start: int, length: int, replacement: bytes
) -> None:
    data = base64.b64decode(OLD["ciphertext"])
    start %= len(data)
    changed = data[:start] + replacement + data[start + length :]
    try:
        value = decrypt(cipher, changed)
    except REFUSALS:
        return
    assert value == OLD["value"]


def test_token_of_the_old_form_when_moved_to_another_data_key_then_refused(cipher: ValueCipher) -> None:
    one, other = (json.loads(base64.b64decode(vector(f"lisa/{name}")["ciphertext"])) for name in ("list", "unicode"))

    with pytest.raises(DecryptionFailed):
        decrypt(cipher, json.dumps(one | {"encrypted_data": other["encrypted_data"]}).encode())
