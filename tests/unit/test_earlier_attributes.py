"""Earlier attributes: read, brought back, never newly encrypted, and never a reason to drop the markers."""

from dataclasses import replace
from typing import Any

import pytest

from item_crypto import ItemCipher, Role, Status
from tests.scene import CONFIGURATION, HISTORY, POLICY, Scene

ON = replace(POLICY, earlier=frozenset({"configuration"}))
OFF = replace(ON, enabled=False)


def stored(scene: Scene) -> tuple[Any, Any, Any]:
    """Return a new item's key, the item, and how it is stored encrypted."""
    key = scene.new_key()
    item = {**key, "history": HISTORY, "configuration": CONFIGURATION}
    return key, item, ItemCipher(scene.cipher, POLICY).encrypt_item(item)


def test_encryptor_when_an_earlier_attribute_is_in_plaintext_then_it_stays_and_the_item_counts_as_encrypted(
    scene: Scene,
) -> None:
    _, item, _ = stored(scene)

    result = ItemCipher(scene.cipher, ON).encrypt_item(item)

    assert (result["configuration"], "history" in result) == (CONFIGURATION, False)
    assert result["is_encrypted"] == {"BOOL": True}


@pytest.mark.parametrize("policy", [ON, OFF], ids=["on", "off"])
def test_item_when_an_earlier_attribute_is_encrypted_then_it_is_read_as_all_else(scene: Scene, policy: Any) -> None:
    _, item, encrypted = stored(scene)

    assert ItemCipher(scene.cipher, policy).decrypt_item(encrypted) == item


def test_encryptor_when_an_earlier_attribute_is_encrypted_then_it_leaves_it_and_its_markers(scene: Scene) -> None:
    key, _, encrypted = stored(scene)
    scene.store(encrypted)

    (outcome,) = scene.reconciler.reconcile([key], ON, Role.ENCRYPTOR).values()

    assert (outcome.status, scene.stored(key)) == (Status.NOTHING, encrypted)


def test_write_when_only_an_earlier_attribute_stays_encrypted_then_the_markers_stay(scene: Scene) -> None:
    key, _, encrypted = stored(scene)
    # Somebody removed the one attribute that is still configured, and wrote it anew while encryption is off.
    mixed = {name: value for name, value in encrypted.items() if name != "encrypted_history"} | {"history": HISTORY}
    scene.store(mixed)

    (outcome,) = scene.reconciler.reconcile([key], ON, Role.ENCRYPTOR).values()

    assert outcome.status is Status.ENCRYPTED
    result = scene.stored(key)
    assert result["encrypted_configuration"] == encrypted["encrypted_configuration"]
    assert (result["is_encrypted"], result["encryption_version"]) == ({"BOOL": True}, {"S": "1.0"})


def test_access_when_an_earlier_attribute_is_encrypted_then_it_is_brought_back_and_counted_as_decrypted(
    scene: Scene,
) -> None:
    key, item, encrypted = stored(scene)
    scene.store(encrypted)

    access = scene.reconciler.access(key, ON)

    assert (access.item, access.outcome.status) == (item, Status.DECRYPTED)
    assert scene.stored(key)["configuration"] == CONFIGURATION
    assert "encrypted_history" in scene.stored(key)


@pytest.mark.parametrize(
    ("name", "status"), [("history", Status.ENCRYPTED), ("configuration", Status.NOTHING), ("name", Status.NOTHING)]
)
def test_put_when_it_writes_then_what_it_did_not_encrypt_is_not_counted_as_encrypted(
    scene: Scene, name: str, status: Status
) -> None:
    access, _ = scene.reconciler.put(scene.new_key(), ON, {name: {"L": [{"S": "v"}]}}, {})

    assert access.outcome.status is status
