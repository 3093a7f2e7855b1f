"""Ciphertexts as base64 text and as binary: both are read, one is written, and one becomes the other without a key."""

import base64
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from item_crypto import Action, ItemCipher, ItemTooLarge, Reconciler, Role, Status, UnknownForm, decide
from item_crypto.core.change import applied
from item_crypto.core.codec import item_size, to_json
from item_crypto.core.encoding import Encoding, encoding_of, message_of
from item_crypto.core.stored_form import EncryptedValue, View
from item_crypto.forms import open_envelope
from item_crypto.plan import Planner
from stream_encryptor.records import hint_of
from tests.scene import CONFIGURATION, HISTORY, NOW, Scene
from tests.strategies import values

BOTH = list(Encoding)
OTHER = {Encoding.BASE64: Encoding.BINARY, Encoding.BINARY: Encoding.BASE64}
NAMES = ("encrypted_history", "encrypted_configuration")
NEWER: Any = {"L": [{"S": "newer"}]}


@pytest.fixture
def calls(scene: Scene) -> Iterator[list[str]]:
    """The operations that KMS is asked for."""
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)

    scene.kms.meta.events.register("before-call.kms", note)
    yield seen
    scene.kms.meta.events.unregister("before-call.kms", note)


def in_encoding(encoding: Encoding, stored: dict[str, Any]) -> dict[str, Any]:
    """Return an item with its ciphertexts in ``encoding``, by the tests' own code."""
    return {name: as_stored(encoding, value) if name in NAMES else value for name, value in stored.items()}


def as_stored(encoding: Encoding, value: dict[str, Any]) -> dict[str, Any]:
    message = value["B"] if "B" in value else base64.b64decode(value["S"])
    return {"B": message} if encoding is Encoding.BINARY else {"S": base64.b64encode(message).decode()}


def put(scene: Scene, encoding: Encoding, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Store an encrypted item, and return its key and what is stored."""
    key = scene.new_key()
    scene.store(key | {"history": HISTORY, "configuration": CONFIGURATION} | more)
    scene.reconcile(key, encoding=encoding)
    stored = scene.stored(key)
    assert stored is not None
    assert [encoding_of(stored[name]) for name in NAMES] == [encoding] * 2
    return key, stored


# Bytes


@given(st.binary(min_size=1))
def test_any_message_when_stored_in_either_encoding_then_its_bytes_are_read_again(message: bytes) -> None:
    for encoding in BOTH:
        stored = encoding.stored(message)
        assert (message_of(stored), encoding_of(stored)) == (message, encoding)
    assert message_of({"B": bytearray(message)}) == message


@pytest.mark.parametrize("content", [b"", bytearray(), "AgR4", None, 7, [b"\x02"]], ids=repr)
def test_binary_that_is_none_when_opened_then_it_is_unknown(content: Any) -> None:
    with pytest.raises(UnknownForm):
        open_envelope({"B": content})


def test_old_form_when_it_is_binary_then_it_is_unknown_since_nobody_ever_stored_it_so(scene: Scene) -> None:
    key = scene.new_key()
    text = scene.lisa(key, history=HISTORY)["encrypted_history"]
    assert open_envelope(text).form.name == "lisa"

    with pytest.raises(UnknownForm):
        open_envelope(as_stored(Encoding.BINARY, text))

    item = key | {"encrypted_history": as_stored(Encoding.BINARY, text)}
    scene.store(item)
    outcome = scene.reconcile(key, Role.MIGRATOR)
    assert (outcome.status, outcome.reason, scene.stored(key)) == (Status.FAILED, "unknown-form", item)


# Whole items


@hypothesis_settings(max_examples=60)
@given(values(), values(), st.sampled_from(BOTH))
def test_any_values_when_stored_in_either_encoding_then_an_item_comes_back_equal_whoever_reads_it(
    scene: Scene, history: Any, configuration: Any, encoding: Encoding
) -> None:
    policy = replace(scene.policy, encoding=encoding)
    other = replace(scene.policy, encoding=OTHER[encoding])
    item = scene.new_key() | {"history": history, "configuration": configuration}

    stored = ItemCipher(scene.cipher, policy, now=lambda: NOW).encrypt_item(item)

    assert [encoding_of(stored[name]) for name in NAMES] == [encoding] * 2
    mixed = {**stored, NAMES[0]: as_stored(OTHER[encoding], stored[NAMES[0]])}
    for reader in (policy, other):
        for seen in (stored, mixed):
            assert ItemCipher(scene.cipher, reader).decrypt_item(seen) == item


def test_item_in_the_resources_style_when_stored_as_binary_then_it_comes_back_equal(scene: Scene) -> None:
    items = ItemCipher(scene.cipher, replace(scene.policy, encoding=Encoding.BINARY), now=lambda: NOW)
    item = {"userId": "u", "sessionId": "s", "history": ["tide"], "configuration": {"on": True}}

    stored = items.encrypt_item(item)

    assert stored["encrypted_history"].value[:1] == b"\x02"  # boto3's Binary: what its Table takes
    assert items.decrypt_item(stored) == item


def test_binary_when_compared_with_base64_then_it_takes_a_quarter_less(scene: Scene) -> None:
    (_, text), (_, binary) = (put(scene, encoding) for encoding in BOTH)

    for name in NAMES:
        length = len(binary[name]["B"])
        assert len(text[name]["S"]) == -(-len(as_stored(Encoding.BINARY, text[name])["B"]) // 3) * 4
        assert length < 0.76 * len(text[name]["S"])
    assert item_size(binary) < item_size(text)


# From one into the other


@pytest.mark.parametrize("asked", BOTH)
@pytest.mark.parametrize("role", [Role.READER, Role.MIGRATOR])
def test_item_in_the_other_encoding_when_reconciled_then_it_is_rewritten_and_kms_is_not_asked(
    scene: Scene, calls: list[str], asked: Encoding, role: Role
) -> None:
    key, before = put(scene, OTHER[asked], name={"S": "ferry"})
    calls.clear()
    later = Reconciler(scene.table, scene.cipher, now=lambda: NOW + timedelta(days=3))

    (outcome,) = later.reconcile([key], replace(scene.policy, encoding=asked), role).values()

    assert (outcome.status, outcome.reason) == (Status.ENCRYPTED, "other-encoding")
    # The same messages, and so the same age: a sweep that renews what is old still finds it.
    assert scene.stored(key) == in_encoding(asked, before)
    assert calls == []
    assert scene.reconcile(key, role, encoding=asked).status is Status.NOTHING


@pytest.mark.parametrize("asked", BOTH)
def test_item_in_the_other_encoding_when_the_stream_leads_to_it_then_it_stays(scene: Scene, asked: Encoding) -> None:
    key, before = put(scene, OTHER[asked])

    assert scene.reconcile(key, Role.ENCRYPTOR, encoding=asked).status is Status.NOTHING
    assert scene.stored(key) == before


@pytest.mark.parametrize("asked", BOTH)
def test_one_attribute_that_is_new_when_the_stream_leads_to_it_then_it_alone_has_the_asked_encoding(
    scene: Scene, asked: Encoding
) -> None:
    key, before = put(scene, OTHER[asked])
    scene.set(key, history=NEWER)

    assert scene.reconcile(key, Role.ENCRYPTOR, encoding=asked).status is Status.ENCRYPTED

    mixed = scene.stored(key) or {}
    assert encoding_of(mixed["encrypted_history"]) is asked
    assert mixed["encrypted_configuration"] == before["encrypted_configuration"]
    assert scene.seen(key, mixed) == key | {"history": NEWER, "configuration": CONFIGURATION}
    assert scene.reconcile(key, Role.MIGRATOR, encoding=asked).attributes == ("configuration",)
    assert scene.stored(key) == in_encoding(asked, mixed)


@pytest.mark.parametrize("asked", BOTH)
def test_age_when_a_sweep_asks_for_newer_keys_then_the_item_is_encrypted_anew_in_the_asked_encoding(
    scene: Scene, asked: Encoding
) -> None:
    key, before = put(scene, OTHER[asked])
    renew = NOW + timedelta(hours=1)

    assert scene.reconcile(key, Role.MIGRATOR, encoding=asked, renew_before=renew).reason == "aged"

    after = scene.stored(key) or {}
    assert [encoding_of(after[name]) for name in NAMES] == [asked] * 2
    assert all(after[name] != in_encoding(asked, before)[name] for name in NAMES)


@pytest.mark.parametrize("changes", [{"enabled": False}, {"enabled": False, "decrypt_all": True}], ids=repr)
def test_encryption_off_when_a_sweep_meets_the_other_encoding_then_it_is_left_or_decrypted(
    scene: Scene, changes: Any
) -> None:
    key, before = put(scene, Encoding.BINARY)

    scene.reconcile(key, Role.MIGRATOR, **changes)

    clear = key | {"history": HISTORY, "configuration": CONFIGURATION}
    assert scene.stored(key) == (clear if "decrypt_all" in changes else before)


def test_kept_conflict_in_the_other_encoding_when_swept_then_it_changes_too_and_is_guarded(
    scene: Scene, calls: list[str]
) -> None:
    key, before = put(scene, Encoding.BASE64)
    kept = scene.encrypted(key, history_conflict=NEWER)
    name = "encrypted_history_conflict"
    scene.store(before | kept)
    calls.clear()
    with scene.before_next_update(lambda: scene.set(key, **{name: {"S": "another"}})):
        lost = scene.reconcile(key, Role.MIGRATOR, encoding=Encoding.BINARY)
    assert (lost.status, lost.unfollowed) == (Status.SUPERSEDED, True)
    assert scene.stored(key) == before | {name: {"S": "another"}}

    scene.store(before | kept)
    outcome = scene.reconcile(key, Role.MIGRATOR, encoding=Encoding.BINARY)

    assert outcome.reason == "other-encoding"
    expected = in_encoding(Encoding.BINARY, before) | {name: as_stored(Encoding.BINARY, kept[name])}
    assert scene.stored(key) == expected
    assert calls == []


def test_item_that_is_too_large_as_base64_when_swept_then_it_fails_and_is_read_all_the_same(scene: Scene) -> None:
    # moto counts binary by its base64, so the item is not stored there; tests/dynamodb has one that is.
    key = scene.new_key()
    clear = key | {"history": {"B": random.Random(1).randbytes(300_000)}, "name": {"S": "x" * 50_000}}
    binary = replace(scene.policy, encoding=Encoding.BINARY)
    planner = Planner(scene.cipher, lambda: NOW)
    made = planner.plan(key, clear, binary, Role.ENCRYPTOR).change
    assert made is not None
    stored = applied(made, clear)

    with pytest.raises(ItemTooLarge):
        planner.plan(key, stored, scene.policy, Role.MIGRATOR)
    assert planner.view(key, stored, scene.policy, View.CLEAR) == clear


# Somebody writes in between


@pytest.mark.parametrize("asked", BOTH)
@pytest.mark.parametrize("role", [Role.READER, Role.MIGRATOR])
def test_writer_at_the_worst_moment_when_the_encoding_is_changed_then_their_write_stands_and_the_item_comes_again(
    scene: Scene, asked: Encoding, role: Role
) -> None:
    key, before = put(scene, OTHER[asked])

    with scene.before_next_update(lambda: scene.set(key, history=NEWER)):
        outcome = scene.reconcile(key, role, encoding=asked)

    # The stream leads the encryptor to what was written, and not to the other attribute: so it is told as unfollowed.
    assert (outcome.status, outcome.unfollowed) == (Status.SUPERSEDED, True)
    assert scene.stored(key) == before | {"history": NEWER}
    scene.reconcile(key, role, encoding=asked)
    after = scene.stored(key) or {}
    assert [encoding_of(after[name]) for name in NAMES] == [asked] * 2
    assert scene.seen(key, after) == key | {"history": NEWER, "configuration": CONFIGURATION}


def test_owner_who_deletes_when_the_encoding_is_changed_then_the_item_does_not_come_back(scene: Scene) -> None:
    key, _ = put(scene, Encoding.BASE64)

    with scene.before_next_update(lambda: scene.delete(key)):
        outcome = scene.reconcile(key, Role.MIGRATOR, encoding=Encoding.BINARY)

    assert (outcome.status, scene.stored(key)) == (Status.SUPERSEDED, None)


def test_another_who_changes_the_encoding_at_the_same_time_when_written_then_both_are_content(scene: Scene) -> None:
    key, before = put(scene, Encoding.BASE64)
    binary = in_encoding(Encoding.BINARY, before)

    with scene.before_next_update(lambda: scene.store(binary)):
        assert scene.reconcile(key, Role.MIGRATOR, encoding=Encoding.BINARY).status is Status.SUPERSEDED

    assert scene.stored(key) == binary


@pytest.mark.parametrize("asked", BOTH)
@pytest.mark.parametrize("stored", BOTH)
def test_record_of_an_encrypted_item_when_the_stream_shows_its_image_then_there_is_nothing_to_do(
    scene: Scene, asked: Encoding, stored: Encoding
) -> None:
    key, item = put(scene, stored)
    policy = replace(scene.policy, encoding=asked)
    image = {name: to_json(value) for name, value in item.items()}  # As Lambda gives it: binary as base64 text.
    record = {"eventID": "e1", "eventName": "MODIFY", "dynamodb": {"Keys": key, "NewImage": image}}

    def needs_work(shown: Any) -> bool:
        assert shown == item
        return decide(shown, policy, Role.ENCRYPTOR, scene.cipher.keys).action is not Action.NOTHING

    assert hint_of(record, needs_work) is None


# Who reads, and who sends


@pytest.mark.parametrize("asked", BOTH)
def test_access_when_the_encoding_is_another_then_it_is_changed_and_clients_see_the_same_base64(
    scene: Scene, calls: list[str], asked: Encoding
) -> None:
    policy = replace(scene.policy, encoding=asked)
    key, before = put(scene, OTHER[asked])
    calls.clear()

    access = scene.reconciler.access(key, policy, View.ENCRYPTED)

    assert access.item == key | {name: as_stored(Encoding.BASE64, before[name]) for name in NAMES}
    assert (access.outcome.reason, access.decrypted, calls) == ("other-encoding", 0, [])
    assert scene.stored(key) == in_encoding(asked, before)
    assert scene.reconciler.access(key, policy, View.ENCRYPTED).item == access.item
    assert scene.reconciler.access(key, policy).item == key | {"history": HISTORY, "configuration": CONFIGURATION}


def test_message_of_a_client_when_binary_is_asked_then_its_very_bytes_are_stored(scene: Scene) -> None:
    key = scene.new_key()
    message = scene.cipher.messages({"history": HISTORY}, scene.context(key))["history"]
    policy = replace(scene.policy, encoding=Encoding.BINARY)

    access, _ = scene.reconciler.put(
        key, policy, {"history": EncryptedValue(HISTORY, message)}, {}, view=View.ENCRYPTED
    )

    assert (scene.stored(key) or {})["encrypted_history"] == {"B": message}
    assert access.item == key | {"encrypted_history": {"S": base64.b64encode(message).decode()}}


@pytest.mark.parametrize("asked", BOTH)
def test_put_of_one_attribute_when_the_other_has_the_other_encoding_then_that_one_stays(
    scene: Scene, asked: Encoding
) -> None:
    # A lost answer is told by what only this write made; the other encoding of a message, anybody makes the same.
    key, before = put(scene, OTHER[asked])

    scene.reconciler.put(key, replace(scene.policy, encoding=asked), {"history": NEWER}, {})

    after = scene.stored(key) or {}
    assert encoding_of(after["encrypted_history"]) is asked
    assert after["encrypted_configuration"] == before["encrypted_configuration"]


def test_two_functions_that_are_told_different_encodings_when_the_stream_leads_to_them_then_they_do_not_take_turns(
    scene: Scene,
) -> None:
    key, _ = put(scene, Encoding.BASE64)
    scene.set(key, history=NEWER)
    writes: list[str] = []
    other = Reconciler(scene.table, scene.cipher, now=lambda: NOW)

    for _ in range(3):
        for encoding, reconciler in ((Encoding.BINARY, other), (Encoding.BASE64, scene.reconciler)):
            policy = replace(scene.policy, encoding=encoding)
            (outcome,) = reconciler.reconcile([key], policy, Role.ENCRYPTOR).values()
            writes += [outcome.reason] if outcome.attributes else []

    assert writes == ["newer-plaintext"]
