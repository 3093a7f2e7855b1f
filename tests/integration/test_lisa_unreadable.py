"""What LISA can read and DynamoDB cannot hold: kept as it is, reported, never lost, in every direction."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests import lisa
from tests.migration import SECRET, TABLE, Migration
from tests.records import bodies

UNREADABLE = {
    "NaN": "NaN",
    "infinity": "-Infinity",
    "1e400": "1e400",
    "39 digits": "123456789012345678901234567890123456789",
    "lone surrogate": '"\\ud800"',
    "lone surrogate in a name": '{"\\udfff": 1}',
    "float of 39 digits": "0.123456789012345678901234567890123456789",
}


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)


@pytest.fixture(params=UNREADABLE.values(), ids=UNREADABLE)
def stored(request: pytest.FixtureRequest, migration: Migration) -> dict[str, Any]:
    """A session of LISA's that holds such a value among others."""
    context = {"userId": "alice", "sessionId": "s-1", "purpose": "session-encryption"}
    key = migration.kms.generate_data_key(KeyId=migration.key_arn, KeySpec="AES_256", EncryptionContext=context)
    text = f'[{{"type": "human", "content": {json.dumps(SECRET)}, "extra": {request.param}}}]'
    item = migration.put(
        "s-1",
        encrypted_history={"S": lisa.sealed(text, key["Plaintext"], key["CiphertextBlob"])},
        encryption_version={"S": "1.0"},
        is_encrypted={"BOOL": True},
    )
    assert migration.get("s-1") == item
    return item


def told(migration: Migration) -> list[str]:
    """Return the reasons of the dead letters, of which none holds a value."""
    assert SECRET not in json.dumps(bodies(migration.failures))
    return [letter["reason"] for letter in migration.letters()]


@pytest.mark.parametrize("goal", ["encrypt", "re-encrypt"])
def test_sweep_when_it_meets_one_then_it_stays_and_a_dead_letter_says_why(
    migration: Migration, stored: dict[str, Any], goal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = migration.run(goal)

    assert (done["state"], done["counts"]) == ("done", {"failed": 1})
    assert migration.get("s-1") == stored
    assert told(migration) == ["unsupported-value"]
    assert SECRET not in "".join(capsys.readouterr())


def test_decrypt_when_it_meets_one_then_it_stays_and_a_dead_letter_says_why(
    migration: Migration, stored: dict[str, Any]
) -> None:
    migration.switch(False, 0)

    assert migration.run("decrypt")["counts"] == {"failed": 1}
    assert migration.get("s-1") == stored
    assert told(migration) == ["unsupported-value"]


def test_verification_when_it_meets_one_then_a_deep_one_says_that_it_cannot_be_decrypted(
    migration: Migration, stored: dict[str, Any]
) -> None:
    assert migration.run("verify")["counts"] == {"oldForm": 1}
    deep = migration.run("verify", deep=True)
    assert (deep["counts"], deep["values"]) == ({"undecryptable": 1}, {"seen": 1, "decrypted": 0})
    assert migration.get("s-1") == stored


def test_operator_when_they_ask_for_one_then_they_are_told_and_nothing_is_shown(
    migration: Migration, stored: dict[str, Any]
) -> None:
    answer = migration.command("decrypt-item", key={"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}})

    assert answer == {"error": {"code": "undecryptable", "message": "The item could not be decrypted."}}


def test_newer_value_when_one_stands_beside_it_then_neither_is_lost(
    migration: Migration, stored: dict[str, Any]
) -> None:
    newer = {"L": [{"S": "newer"}]}
    migration.dynamodb.update_item(
        TableName=TABLE,
        Key={"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}},
        UpdateExpression="SET history = :h, is_encrypted = :no",
        ExpressionAttributeValues={":h": newer, ":no": {"BOOL": False}},
    )

    migration.run("encrypt")

    kept = migration.get("s-1")
    assert (kept["encrypted_history"], kept["history"]) == (stored["encrypted_history"], newer)
    assert told(migration) == ["unsupported-value"]
