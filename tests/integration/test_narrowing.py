"""An attribute that is no longer to be encrypted: nothing of it is orphaned, whatever is done next."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from item_crypto import ConfigurationError, Role
from tests.migration import TABLE, Migration

HISTORY: Any = {"L": [{"S": "what is the tide in Porto?"}]}
CONFIGURATION: Any = {"M": {"model": {"S": "small"}}}
MARKERS = {"is_encrypted", "encryption_version", "encrypted_at"}


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)


def encrypted(migration: Migration, session: str = "s-1") -> dict[str, Any]:
    """Return a session as its writer wrote it, which is now stored encrypted."""
    item = migration.put(session, history=HISTORY, configuration=CONFIGURATION)
    migration.run("encrypt")
    assert {"encrypted_history", "encrypted_configuration"} <= set(migration.get(session))
    return item


def narrow(migration: Migration) -> None:
    migration.set(ENCRYPTED_ATTRIBUTES="history", EARLIER_ATTRIBUTES="configuration")


def test_list_when_it_is_narrowed_without_a_word_then_the_start_is_refused(migration: Migration) -> None:
    encrypted(migration)
    migration.set(ENCRYPTED_ATTRIBUTES="history")

    with pytest.raises(ConfigurationError, match=r"EarlierAttributes .* to configuration"):
        migration.command("status")


def test_decrypt_when_the_list_was_narrowed_then_nothing_encrypted_is_left(migration: Migration) -> None:
    item = encrypted(migration)
    narrow(migration)
    migration.switch(False, 0)

    done = migration.run("decrypt")

    assert (done["state"], done["counts"]) == ("done", {"decrypted": 1})
    assert migration.get("s-1") == item


def test_migrate_when_the_list_was_narrowed_then_the_attribute_alone_is_plaintext_again(migration: Migration) -> None:
    item = encrypted(migration)
    before = migration.get("s-1")
    narrow(migration)

    done = migration.run("encrypt")

    stored = migration.get("s-1")
    # It was decrypted, and is not counted as encrypted: the report dates the end of plaintext by that count.
    assert done["counts"] == {"decrypted": 1}
    assert stored["configuration"] == item["configuration"]
    assert "encrypted_configuration" not in stored
    assert {name: stored[name] for name in {"encrypted_history", *MARKERS}} == {
        name: before[name] for name in {"encrypted_history", *MARKERS}
    }
    assert stored["is_encrypted"] == {"BOOL": True}
    assert migration.run("encrypt")["counts"] == {"nothing": 1}


def test_migrate_when_a_writer_comes_at_the_worst_moment_then_the_earlier_attribute_is_plaintext_again_all_the_same(
    migration: Migration,
) -> None:
    """The writer's own trigger leaves an earlier attribute as it is: nobody else would come back to it."""
    encrypted(migration)
    narrow(migration)
    newer: Any = {"L": [{"S": "newer"}]}

    def write() -> None:
        migration.dynamodb.update_item(
            TableName=TABLE,
            Key={"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}},
            UpdateExpression="SET history = :h",
            ExpressionAttributeValues={":h": newer},
        )

    migration.interrupt("before", "dynamodb.UpdateItem", write)
    done = migration.run("encrypt")
    migration.reconcile("s-1", Role.ENCRYPTOR)
    migration.pump()

    assert done["state"] == "done"
    stored = migration.get("s-1")
    assert stored["configuration"] == CONFIGURATION
    assert "encrypted_configuration" not in stored
    assert migration.clear("s-1")["history"] == newer


def test_attribute_when_it_is_listed_again_then_it_is_encrypted_again(migration: Migration) -> None:
    item = encrypted(migration)
    narrow(migration)
    migration.run("encrypt")

    migration.set(ENCRYPTED_ATTRIBUTES="history,configuration", EARLIER_ATTRIBUTES="")
    assert migration.run("encrypt")["counts"] == {"encrypted": 1}

    assert "configuration" not in migration.get("s-1")
    assert migration.clear("s-1") == item


def test_writer_when_it_sets_an_earlier_attribute_beside_its_ciphertext_then_the_newer_value_stands(
    migration: Migration,
) -> None:
    encrypted(migration)
    narrow(migration)
    newer = {"M": {"model": {"S": "large"}}}
    key = {"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}}
    migration.dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET configuration = :v",
        ExpressionAttributeValues={":v": newer},
    )

    migration.run("encrypt")

    stored = migration.get("s-1")
    assert (stored["configuration"], "encrypted_configuration" in stored) == (newer, False)


def test_operator_when_an_earlier_attribute_is_still_encrypted_then_it_is_read(migration: Migration) -> None:
    encrypted(migration)
    narrow(migration)

    answer = migration.command("decrypt-item", key={"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}})

    assert answer["item"]["configuration"] == CONFIGURATION
    assert not MARKERS & set(answer["item"])


def test_old_form_when_its_attribute_is_an_earlier_one_then_it_is_decrypted_back_too(migration: Migration) -> None:
    migration.lisa("s-1", ["what is the tide in Porto?"])
    migration.set(ENCRYPTED_ATTRIBUTES="configuration", EARLIER_ATTRIBUTES="history")

    assert migration.run("re-encrypt")["counts"] == {"decrypted": 1}

    stored = migration.get("s-1")
    assert stored["history"] == HISTORY
    assert not MARKERS & set(stored)
