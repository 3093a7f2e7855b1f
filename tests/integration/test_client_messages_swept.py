"""An item that a client encrypted is an ordinary one: for verify, every sweep, the switch and the failure queue."""

from datetime import timedelta
from typing import Any

from item_crypto.admission import admit
from tests import client
from tests.migration import SECRET, Migration

VALUES: Any = {
    "history": {"L": [{"M": {"content": {"S": SECRET}, "bytes": {"B": b"\x00"}}}]},
    "configuration": {"M": {"model": {"S": "small"}, "ids": {"NS": ["1", "2"]}}},
}


def put_messages(world: Migration, session: str, **others: Any) -> None:
    """Put a session as the reader does on behalf of a client: its messages checked, and stored as they are."""
    context = {"userId": "alice", "sessionId": session, "purpose": "session-encryption"}
    keys = client.data_key(world.kms, world.key_arn, context)
    texts = {
        name: client.text(client.message(keys, context, client.content(name, value)))
        for name, value in VALUES.items()
        if name not in others
    }
    runtime = world.parts.runtime
    key: Any = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    admitted = admit(texts, context, runtime.cipher.keys)
    runtime.reconciler.put(key, runtime.policy(), {"name": {"S": "n"}, **others, **admitted}, {})
    assert {name: world.get(session)[f"encrypted_{name}"]["S"] for name in texts} == texts


def test_verify_deep_when_clients_wrote_then_all_is_green(world: Migration) -> None:
    put_messages(world, "whole")
    put_messages(world, "half", history={"L": []})
    world.plain("plain")
    world.run("encrypt")

    verified = world.run("verify", deep=True)

    counts = verified["counts"]
    assert {name: counts.get(name, 0) for name in ("encrypted", "undecryptable", "mixed", "failed")} == {
        "encrypted": 3,
        "undecryptable": 0,
        "mixed": 0,
        "failed": 0,
    }
    assert verified["underKey"] == {world.key_arn: 3}
    assert world.letters() == []


def test_an_encrypt_sweep_when_it_meets_such_an_item_then_there_is_nothing_to_do(world: Migration) -> None:
    put_messages(world, "s1")
    before = world.get("s1")

    assert world.run("encrypt")["counts"] == {"nothing": 1}
    assert world.get("s1") == before


def test_a_decrypt_sweep_when_it_meets_such_an_item_then_it_is_as_if_written_in_the_clear(world: Migration) -> None:
    put_messages(world, "s1")
    world.switch(False, 0)

    assert world.run("decrypt")["counts"] == {"decrypted": 1}
    assert world.get("s1") == {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}, "name": {"S": "n"}, **VALUES}
    assert world.letters() == []


def test_a_re_encrypt_sweep_when_such_an_item_is_old_then_it_gets_a_new_data_key(world: Migration) -> None:
    put_messages(world, "s1")
    before = world.get("s1")
    assert world.run("re-encrypt", olderThanDays=1)["counts"] == {"nothing": 1}

    world.passed += timedelta(days=2)
    assert world.run("re-encrypt", olderThanDays=1)["counts"] == {"encrypted": 1}

    assert world.get("s1")["encrypted_history"] != before["encrypted_history"]
    assert {name: world.clear("s1")[name] for name in VALUES} == VALUES


def test_a_re_encrypt_sweep_when_the_key_was_changed_then_such_an_item_is_under_the_new_one(world: Migration) -> None:
    put_messages(world, "s1")
    world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn, EARLIER_KEY_ARNS=world.key_arn)

    assert world.run("re-encrypt")["counts"] == {"encrypted": 1}
    assert world.run("verify", deep=True)["underKey"] == {world.other_key_arn: 1}
