"""The encoding of a whole table is changed and changed back, by sweeps, while others write."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from item_crypto import ItemCipher, Keyrings, Role, ValueCipher
from item_crypto.core.encoding import Encoding, encoding_of
from tests.migration import Migration

NAMES = ("encrypted_history", "encrypted_configuration")
OTHER = {"base64": "binary", "binary": "base64"}
SESSIONS = [f"s-{number}" for number in range(7)]


@pytest.fixture
def migration(aws: None, monkeypatch: pytest.MonkeyPatch) -> Migration:
    return Migration(monkeypatch)


def encodings(migration: Migration) -> Counter[str]:
    items = migration.all().values()
    return Counter(encoding_of(item[name]).value for item in items for name in NAMES if name in item)


def kms_calls(migration: Migration) -> list[str]:
    seen: list[str] = []
    migration.clients.kms.meta.events.register("before-call.kms", lambda model, **_: seen.append(model.name))
    return seen


def in_text(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with binary as base64 text."""
    return {
        name: {"S": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }


@pytest.mark.parametrize("first", ["base64", "binary"])
def test_table_when_its_encoding_is_changed_and_changed_back_then_every_value_is_the_same_and_kms_is_not_asked(
    migration: Migration, first: str
) -> None:
    migration.set(CIPHERTEXT_ENCODING=first)
    clear = {session: migration.plain(session, number) for number, session in enumerate(SESSIONS)}
    migration.run("encrypt", segments=2)
    before = migration.all()
    assert encodings(migration) == {first: 14}
    assert migration.run("verify", deep=True)["encodings"] == {first: 14}

    for asked in (OTHER[first], first):
        migration.set(CIPHERTEXT_ENCODING=asked)
        assert migration.run("verify")["encodings"] == {OTHER[asked]: 14}
        foreseen = migration.command("dry-run", of="start", goal="re-encrypt")["counts"]
        calls = kms_calls(migration)
        swept = migration.run("re-encrypt", segments=2)
        assert [name for name in calls if name != "DescribeKey"] == []
        assert (swept["state"], swept["counts"]["encrypted"], foreseen) == ("done", 7, {"encrypted": 7})
        verified = migration.run("verify", deep=True)
        assert (verified["encodings"], verified["values"]) == ({asked: 14}, {"seen": 14, "decrypted": 14})
        # The messages and the markers are what they were, the age too.
        assert {session: in_text(item) for session, item in migration.all().items()} == {
            session: in_text(item) for session, item in before.items()
        }
        assert {session: migration.clear(session) for session in SESSIONS} == clear
        assert migration.run("re-encrypt")["counts"].get("encrypted", 0) == 0
    assert migration.all() == before


def test_verify_when_a_table_is_halfway_then_it_says_how_many_values_are_stored_how(migration: Migration) -> None:
    migration.plain("a")
    migration.run("encrypt")
    migration.set(CIPHERTEXT_ENCODING="binary")
    migration.plain("b")
    migration.lisa("c", ["old"])
    migration.reconcile("b", Role.ENCRYPTOR)

    assert migration.run("verify")["encodings"] == {"base64": 3, "binary": 2}
    assert migration.command("status")["encoding"] == "binary"
    migration.run("re-encrypt")
    assert migration.run("verify", deep=True)["encodings"] == {"binary": 5}


def rewritten(migration: Migration, session: str) -> dict[str, Any]:
    return migration.put(session, history={"L": [{"S": "newer"}]})


def added_plaintext(migration: Migration, session: str) -> dict[str, Any]:
    key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    newer = {"L": [{"S": "newer"}]}
    migration.dynamodb.update_item(
        TableName="sessions", Key=key, UpdateExpression="SET history = :h", ExpressionAttributeValues={":h": newer}
    )
    return migration.get(session)


def deleted(migration: Migration, session: str) -> dict[str, Any]:
    migration.dynamodb.delete_item(TableName="sessions", Key={"sessionId": {"S": session}, "userId": {"S": "alice"}})
    return {}


@pytest.mark.parametrize("asked", ["base64", "binary"])
@pytest.mark.parametrize("write", [rewritten, added_plaintext, deleted], ids=lambda write: write.__name__)
def test_writer_who_comes_between_reading_and_writing_when_the_encoding_is_swept_then_their_write_stands(
    migration: Migration, write: Callable[[Migration, str], dict[str, Any]], asked: str
) -> None:
    migration.set(CIPHERTEXT_ENCODING=OTHER[asked])
    migration.plain("s")
    migration.run("encrypt")
    migration.set(CIPHERTEXT_ENCODING=asked)
    left: list[dict[str, Any]] = []
    migration.interrupt("before", "dynamodb.UpdateItem", lambda: left.append(write(migration, "s")),
                        when=lambda call: call.get("TableName") == "sessions")  # fmt: skip

    migration.run("re-encrypt", segments=1)

    assert len(left) == 1
    if write is deleted:
        assert migration.get("s") == {}
        return
    seen = migration.clear("s")
    assert seen["history"] == {"L": [{"S": "newer"}]}
    # The sweep came back to it: nothing of it has the other encoding.
    assert set(encodings(migration)) <= {asked}


def test_client_of_another_kind_when_an_item_is_binary_then_any_aws_encryption_sdk_reads_the_bytes(
    migration: Migration,
) -> None:
    migration.set(CIPHERTEXT_ENCODING="binary")
    clear = migration.plain("s")
    migration.run("encrypt")
    stored = migration.get("s")

    items = ItemCipher(ValueCipher(Keyrings(migration.kms, migration.key_arn)), migration.parts.runtime.settings.policy)

    assert items.decrypt_item(stored) == clear
    assert stored["encrypted_history"]["B"][:3] == bytes([2, 0x04, 0x78])
    assert json.dumps(in_text(stored)["encrypted_history"]).startswith('{"S": "AgR4')
    assert Encoding(migration.command("status")["encoding"]) is Encoding.BINARY
