import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from item_crypto import (
    ConflictUnresolved,
    ContextUnusable,
    DecryptionFailed,
    ItemCipher,
    ItemTooLarge,
    MarkerUnusable,
    Role,
    UnknownForm,
    UnsupportedValue,
    ValueCipher,
)
from tests.faults import failing
from tests.scene import CONFIGURATION, HISTORY, NOW, Scene
from tests.strategies import values

NEWER: Any = {"L": [{"S": "newer"}]}
PLAIN: dict[str, Any] = {
    "userId": "user-24",
    "sessionId": "dlg-1",
    "history": [{"type": "human", "sent": Decimal("1767340800"), "raw": Binary(b"\xff")}],
    "configuration": {"temperature": Decimal("0.7"), "stop": {"a", "b"}, "none": None, "on": True},
    "name": "ferry",
}


@pytest.fixture(scope="module")
def items(scene: Scene) -> ItemCipher:
    return ItemCipher(scene.cipher, scene.policy, now=lambda: NOW)


def test_item_in_the_resources_style_when_encrypted_and_decrypted_then_equal(items: ItemCipher) -> None:
    before = dict(PLAIN)

    stored = items.encrypt_item(PLAIN)

    assert sorted(stored) == [
        "encrypted_at",
        "encrypted_configuration",
        "encrypted_history",
        "encryption_version",
        "is_encrypted",
        "name",
        "sessionId",
        "userId",
    ]
    assert (stored["is_encrypted"], stored["encrypted_at"]) == (True, "2026-01-02T08:30:00Z")
    assert items.decrypt_item(stored) == PLAIN == before


@hypothesis_settings(max_examples=40)
@given(values(), values())
def test_item_in_the_clients_style_when_encrypted_and_decrypted_then_equal(
    items: ItemCipher, history: Any, configuration: Any
) -> None:
    item = {"userId": {"S": "u"}, "sessionId": {"S": "s"}, "history": history, "configuration": configuration}

    stored = items.encrypt_item(item)

    assert not {"history", "configuration"} & set(stored)
    assert items.decrypt_item(stored) == item


def test_stored_item_when_put_into_a_table_then_the_reconciler_finds_nothing_to_do(
    scene: Scene, items: ItemCipher
) -> None:
    key = scene.new_key()
    scene.store(items.encrypt_item(key | {"history": HISTORY}))

    assert scene.reconcile(key).reason == "as-it-should-be"
    assert scene.reconciler.access(key, scene.policy).item == key | {"history": HISTORY}


def test_item_without_the_attributes_when_encrypted_or_decrypted_then_unchanged(items: ItemCipher) -> None:
    item = {"userId": "u", "sessionId": "s", "name": "x"}

    assert items.encrypt_item(item) == items.decrypt_item(item) == item


def test_encrypted_item_when_encrypted_again_then_its_ciphertexts_stay(scene: Scene, items: ItemCipher) -> None:
    stored = items.encrypt_item(PLAIN)

    assert items.encrypt_item(stored) == stored


def test_newer_plaintext_when_encrypted_then_it_replaces_its_ciphertext(items: ItemCipher) -> None:
    stored = items.encrypt_item(PLAIN) | {"history": ["newer"]}

    again = items.encrypt_item(stored)

    assert again["encrypted_configuration"] == stored["encrypted_configuration"]
    assert items.decrypt_item(stored) == items.decrypt_item(again) == PLAIN | {"history": ["newer"]}


def test_encryption_when_only_plaintext_is_there_then_kms_is_never_asked_to_decrypt(
    scene: Scene, items: ItemCipher
) -> None:
    with failing(scene.kms, "kms.Decrypt", "AccessDeniedException"):
        items.encrypt_item(PLAIN)
        items.encrypt_item(items.encrypt_item(PLAIN) | {"history": ["newer"]})


def test_appended_list_when_encrypted_then_its_beginning_is_not_lost(scene: Scene) -> None:
    items = ItemCipher(scene.cipher, replace(scene.policy, appended=frozenset({"history"})))
    stored = items.encrypt_item(PLAIN | {"history": ["1"]}) | {"history": ["2"]}

    assert items.decrypt_item(items.encrypt_item(stored))["history"] == ["1", "2"]


@pytest.mark.parametrize(("marker", "seen", "kept"), [(True, HISTORY, NEWER), (False, NEWER, HISTORY)])
def test_old_form_beside_plaintext_when_encrypted_then_the_marker_decides_and_the_other_is_kept(
    scene: Scene, items: ItemCipher, marker: bool, seen: Any, kept: Any
) -> None:
    key = scene.new_key()
    item = key | scene.lisa(key, history=HISTORY) | {"history": NEWER, "is_encrypted": {"BOOL": marker}}

    stored = items.encrypt_item(item)

    scene.store(stored)
    assert scene.held(key, "history") == [seen, kept]
    assert items.decrypt_item(stored) == items.decrypt_item(item) == key | {"history": seen}


def test_old_form_beside_plaintext_when_the_marker_does_not_tell_then_refused(scene: Scene, items: ItemCipher) -> None:
    key = scene.new_key()
    item = key | scene.lisa(key, history=HISTORY) | {"history": NEWER}

    with pytest.raises(MarkerUnusable):
        items.encrypt_item(item)
    with pytest.raises(MarkerUnusable):
        items.decrypt_item(item)


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("form", ["encrypted", "encrypted_earlier", "lisa"])
def test_item_in_any_form_when_decrypted_then_it_is_in_the_clear(scene: Scene, form: str, enabled: bool) -> None:
    key = scene.new_key()
    items = ItemCipher(scene.cipher, replace(scene.policy, enabled=enabled))
    item = key | getattr(scene, form)(key, history=HISTORY) | {"is_encrypted": {"BOOL": True}}

    assert items.decrypt_item(item) == key | {"history": HISTORY}


def test_library_when_the_setting_is_off_then_encrypt_item_still_encrypts(scene: Scene) -> None:
    # Its caller asked for it by name; the setting is for triggers.
    items = ItemCipher(scene.cipher, replace(scene.policy, enabled=False))

    assert "history" not in items.encrypt_item(PLAIN)


def test_garbage_when_encrypted_or_decrypted_then_refused(items: ItemCipher) -> None:
    item = PLAIN | {"encrypted_history": "Z2FyYmFnZQ=="}

    with pytest.raises(UnknownForm):
        items.decrypt_item(item)
    with pytest.raises(UnknownForm):
        items.encrypt_item(item)


def test_ciphertext_of_another_item_when_decrypted_then_refused(items: ItemCipher) -> None:
    stored = items.encrypt_item(PLAIN) | {"userId": "user-25"}

    with pytest.raises(DecryptionFailed):
        items.decrypt_item(stored)


@pytest.mark.parametrize("missing", ["userId", "sessionId"])
def test_item_without_a_part_of_its_key_when_encrypted_or_decrypted_then_refused(
    items: ItemCipher, missing: str
) -> None:
    stored = items.encrypt_item(PLAIN)
    for work, item in ((items.encrypt_item, PLAIN), (items.decrypt_item, stored)):
        with pytest.raises(ContextUnusable) as refusal:
            work({name: value for name, value in item.items() if name != missing})
        assert refusal.value.attribute == missing


def deep(levels: int) -> Any:
    return [] if levels == 0 else [deep(levels - 1)]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(6021.5, id="float"),
        pytest.param(Decimal("NaN"), id="NaN"),
        pytest.param(Decimal("Infinity"), id="infinity"),
        pytest.param(Decimal("6021" * 10), id="40 digits"),
        pytest.param(object(), id="an object"),
        pytest.param({"6021": {1.5}}, id="a set of floats"),
        pytest.param(set(), id="an empty set"),
        pytest.param("6021\ud800", id="half a surrogate pair"),
        pytest.param(deep(40), id="40 levels"),
        pytest.param(deep(900), id="900 levels"),
    ],
)
def test_value_that_dynamodb_cannot_hold_when_encrypted_then_refused_without_quoting_it(
    items: ItemCipher, value: Any
) -> None:
    with pytest.raises(UnsupportedValue) as refusal:
        items.encrypt_item(PLAIN | {"history": value})

    assert "6021" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_item_when_it_is_too_large_in_plaintext_or_encrypted_then_refused(items: ItemCipher) -> None:
    with pytest.raises(ItemTooLarge):
        items.encrypt_item(PLAIN | {"history": "a" * 410_000})
    with pytest.raises(ItemTooLarge):
        items.encrypt_item(PLAIN | {"history": Binary(random.Random(1).randbytes(308_000))})


def test_standing_conflict_when_another_would_replace_it_then_encryption_is_refused_and_decryption_is_not(
    scene: Scene, items: ItemCipher
) -> None:
    key = scene.new_key()
    item = key | scene.lisa(key, history=HISTORY) | {"history": NEWER, "is_encrypted": {"BOOL": True}}
    item |= scene.encrypted(key, history_conflict=CONFIGURATION)

    assert items.decrypt_item(item) == key | {"history": HISTORY}
    with pytest.raises(ConflictUnresolved):
        items.encrypt_item(item)


def test_library_when_used_for_reading_then_role_and_setting_do_not_matter(scene: Scene, items: ItemCipher) -> None:
    assert isinstance(scene.cipher, ValueCipher)
    key = scene.new_key()
    scene.store(key | {"history": HISTORY, "configuration": CONFIGURATION})
    scene.reconcile(key, Role.ENCRYPTOR)
    stored = scene.stored(key)
    assert stored is not None

    assert items.decrypt_item(stored) == key | {"history": HISTORY, "configuration": CONFIGURATION}
