"""Branch keys in the functions: who makes them, what waits for them, what clients are refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from item_crypto import ConfigurationError
from item_crypto.forms import open_envelope
from migrator.application import application as migrator
from reader import application
from stream_encryptor import handler as stream
from stream_encryptor.application import encryptor
from tests.branch_keys import ALICE, BRANCH_KEYS, HIERARCHICAL, create_branch_key_table
from tests.documented import fits
from tests.factories import CONTEXT, SECRET, World, metrics, session
from tests.key_requests import KeyWorld
from tests.migration import Migration
from tests.records import bodies, event_of, stream_record


def keys_of(item: dict[str, Any]) -> set[str | None]:
    names = ("encrypted_history", "encrypted_configuration")
    return {open_envelope(item[name]).key for name in names if name in item}


def rows() -> list[dict[str, Any]]:
    return list(boto3.client("dynamodb").scan(TableName=BRANCH_KEYS, ConsistentRead=True)["Items"])


# The migrator makes them


@pytest.fixture(autouse=True)
def no_encryptor_of_another_test() -> None:
    encryptor.cache_clear()


def arrives(world: Migration, name: str) -> None:
    """Let a record of the stream reach the stream's function."""
    encryptor.cache_clear()
    assert stream.lambda_handler(event_of(stream_record(name)), CONTEXT) == {"batchItemFailures": []}


@pytest.fixture
def stream_queues(branched: Migration, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RETRY_QUEUE_URL", branched.failures)
    yield
    encryptor.cache_clear()


def test_given_no_branch_key_when_a_write_arrives_then_it_is_encrypted_at_once_and_its_key_is_made_behind(
    branched: Migration, stream_queues: None
) -> None:
    plain = branched.plain("s1")

    arrives(branched, "s1")
    assert keys_of(branched.get("s1")) == {branched.key_arn}
    assert rows() == []

    arrives(branched, "s1")  # Its own write.
    assert [(each["kind"], each["reason"]) for each in bodies(branched.deferred)] == [("deferred", "earlier-key")]
    assert rows() == []

    assert branched.pump() == 1
    assert keys_of(branched.get("s1")) == {ALICE}
    assert {row["branch-key-id"]["S"] for row in rows()} == {ALICE}
    branched.plain("s2")
    arrives(branched, "s2")
    assert keys_of(branched.get("s2")) == {ALICE}
    world_reads(branched, "s1", plain)


def world_reads(world: Migration, name: str, plain: Any) -> None:
    access = world.parts.runtime.reconciler.access(
        {"sessionId": {"S": name}, "userId": {"S": "alice"}}, world.parts.runtime.policy()
    )
    assert access.item == plain


def test_given_a_table_under_kms_when_swept_then_all_of_it_comes_under_branch_keys_and_back(world: Migration) -> None:
    plain = {name: world.plain(name, number) for number, name in enumerate(("s1", "s2", "s3"))}
    world.run("encrypt")
    create_branch_key_table(world.dynamodb)

    world.set(**HIERARCHICAL)
    there = world.run("re-encrypt")

    assert there["counts"]["encrypted"] == 3
    assert {key for item in world.all().values() for key in keys_of(item)} == {ALICE}
    verified = world.run("verify", deep=True)
    assert verified["counts"]["encrypted"] == 3
    assert verified["underKey"] == {"branch keys": 3}

    world.set(KEYRING_TYPE="kms")  # The table of branch keys is still named, so that they read.
    back = world.run("re-encrypt")

    assert back["counts"]["encrypted"] == 3
    assert {key for item in world.all().values() for key in keys_of(item)} == {world.key_arn}
    world.set(BRANCH_KEY_TABLE_NAME="")
    for name, item in plain.items():
        world_reads(world, name, item)


def test_given_branch_keys_when_items_are_decrypted_back_then_they_are_as_they_were(branched: Migration) -> None:
    plain = branched.plain("s1")
    branched.run("encrypt")
    assert keys_of(branched.get("s1")) == {ALICE}
    branched.switch(False, 0)

    branched.run("decrypt")

    assert branched.get("s1") == plain


def test_given_old_form_and_appended_lists_when_swept_then_they_come_under_branch_keys(branched: Migration) -> None:
    branched.lisa("s1", [{"content": SECRET}])
    branched.plain("s2")

    branched.run("encrypt")

    assert keys_of(branched.get("s1")) | keys_of(branched.get("s2")) == {ALICE}


# What stands in the way


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"KEYRING_TYPE": "raw"}, "KEYRING_TYPE must be kms or hierarchical"),
        ({"BRANCH_KEY_TABLE_NAME": ""}, "BRANCH_KEY_TABLE_NAME is not set"),
        ({"TENANT_ATTRIBUTE": "tenantId"}, "TENANT_ATTRIBUTE: must be one of CONTEXT_ATTRIBUTES"),
        ({"BRANCH_KEY_CACHE_SECONDS": "0"}, "BRANCH_KEY_CACHE_SECONDS must be 1 to 3600"),
        ({"BRANCH_KEY_CACHE_SECONDS": "3601"}, "BRANCH_KEY_CACHE_SECONDS must be 1 to 3600"),
        ({"BRANCH_KEY_CACHE_SECONDS": "1.5"}, "BRANCH_KEY_CACHE_SECONDS must be 1 to 3600"),
        ({"BRANCH_KEY_TABLE_NAME": "sessions"}, "not keyed by branch-key-id and type"),
    ],
    ids=lambda each: "-".join(f"{name}={text}" for name, text in each.items()) if isinstance(each, dict) else "",
)
def test_given_settings_that_cannot_work_when_a_function_starts_then_it_refuses(
    branched: Migration, changes: dict[str, str], said: str
) -> None:
    branched.set(**changes)

    with pytest.raises(ConfigurationError, match=said):
        migrator()


# What clients are refused


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    world = World(monkeypatch)
    create_branch_key_table(world.dynamodb)
    world.set(**HIERARCHICAL)
    yield world
    application.reader.cache_clear()
    boto3.setup_default_session()


def send(world: World, method: str, query: str = "", body: Any = None) -> Any:
    answer = world.call(method, "dlg-1", query=query, body=None if body is None else json.dumps(body))
    fits("/session/{sessionId}", method, answer.status, answer.text, answer.headers)
    return answer


def test_given_branch_keys_when_a_session_is_asked_for_encrypted_then_409_and_in_the_clear_it_is_shown(
    reads: World,
) -> None:
    reads.store(session())

    for method, body in (("GET", None), ("PUT", {"name": "n"})):
        refused = send(reads, method, "form=encrypted", body)
        assert (refused.status, refused.body["message"]) == (
            409,
            "Sessions are not shown encrypted: each tenant has a key of its own.",
        )
    assert reads.stored() == session()
    assert send(reads, "GET").status == 200


def test_given_branch_keys_when_a_client_sends_a_message_then_409_and_nothing_is_stored(reads: World) -> None:
    refused = send(reads, "PUT", body={"encrypted_history": "AgV4"})

    assert (refused.status, reads.stored()) == (409, {})


def test_given_a_shredded_user_when_they_read_and_write_then_one_sentence_and_nothing_is_stored(
    reads: World, capsys: pytest.CaptureFixture[str]
) -> None:
    reads.put("dlg-1", {"history": [SECRET]})
    runtime = application.reader().runtime
    assert runtime.branch_keys is not None
    runtime.branch_keys.make("alice")
    assert send(reads, "GET").status == 200  # Re-encrypted on access.
    assert keys_of(reads.stored()) == {ALICE}
    runtime.branch_keys.destroy(ALICE, datetime.now(UTC))
    reads.set()  # Whoever starts now has kept no key.
    capsys.readouterr()

    read = send(reads, "GET")
    counted = metrics(capsys.readouterr().out)
    written = send(reads, "PUT", body={"history": ["new"]})

    assert (read.status, read.body["message"]) == (500, "The session could not be decrypted.")
    assert counted["ItemsKeyDestroyed"] == [1.0]
    assert "DecryptionsFailed" not in counted
    assert (written.status, written.body["message"]) == (
        409,
        "The key of this user was destroyed on purpose: nothing is stored any more.",
    )
    assert keys_of(reads.stored()) == {ALICE}


@pytest.mark.parametrize(("keyring", "status"), [("hierarchical", 409), ("kms", 200)])
def test_given_branch_keys_when_data_keys_are_asked_for_then_409_until_kms_is_used_again(
    monkeypatch: pytest.MonkeyPatch, aws: None, keyring: str, status: int
) -> None:
    world = KeyWorld(monkeypatch)
    made = world.generate()
    world.set(**HIERARCHICAL | {"KEYRING_TYPE": keyring})

    assert world.generate().status == status
    assert world.decrypt(made.body["encryptedKey"]).status == status
