"""What a verification counts: by item, by attribute, by value. A count of nothing is never a good one."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from moto import mock_aws

from migrator import census
from migrator import counts as names
from tests.faults import failing
from tests.migration import TABLE, Migration

HISTORY: Any = {"L": [{"S": "what is the tide in Porto?"}]}
CONFIGURATION: Any = {"M": {"model": {"S": "small"}}}


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)


def session(migration: Migration, name: str = "s-1") -> Any:
    return migration.put(name, history=HISTORY, configuration=CONFIGURATION)


def change(migration: Migration, expression: str, session: str = "s-1", **values: Any) -> None:
    migration.dynamodb.update_item(
        TableName=TABLE,
        Key={"sessionId": {"S": session}, "userId": {"S": "alice"}},
        UpdateExpression=expression,
        **({"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}),
    )


def disabled(migration: Migration) -> AbstractContextManager[None]:
    """Disable the key that the migration began with, which moto itself does not enforce."""
    clients = migration.parts.runtime.clients
    return failing(
        clients.kms, "kms.Decrypt", "DisabledException", when=lambda asked: asked["KeyId"] == migration.key_arn
    )


def tampered(migration: Migration, name: str) -> dict[str, str]:
    """Return a stored ciphertext with its last byte before the padding changed."""
    text = migration.get("s-1")[name]["S"]
    return {"S": f"{text[:-8]}{'AAAA' if text[-8:-4] != 'AAAA' else 'BBBB'}{text[-4:]}"}


def test_attributes_when_verified_then_each_is_counted_where_it_is(migration: Migration) -> None:
    session(migration, "s-1")
    session(migration, "s-2")
    migration.run("encrypt")
    session(migration, "s-3")
    migration.put("s-4", history=HISTORY)
    change(migration, "SET history = :v", "s-1", v=HISTORY)

    counted = migration.run("verify")

    assert counted["attributes"] == {
        "history": {"plaintext": 3, "encrypted": 1, "absent": 0},
        "configuration": {"plaintext": 1, "encrypted": 2, "absent": 1},
    }
    assert counted["counts"] == {"mixed": 1, "encrypted": 1, "plaintext": 2}
    assert counted["values"] == {"seen": 4, "decrypted": 0}
    assert migration.run("verify", deep=True)["values"] == {"seen": 4, "decrypted": 4}


def test_misspelt_attributes_when_verified_then_no_item_has_them_and_the_counts_say_so(migration: Migration) -> None:
    for number in range(3):
        session(migration, f"s-{number}")
    migration.set(ENCRYPTED_ATTRIBUTES="histroy,configuraton")

    counted = migration.run("verify", deep=True)

    nowhere = {"plaintext": 0, "encrypted": 0, "absent": 3}
    assert counted["attributes"] == {"histroy": nowhere, "configuraton": nowhere}
    assert (counted["counts"], counted["values"]) == ({"none": 3}, {"seen": 0, "decrypted": 0})


def test_ciphertext_when_no_listed_attribute_is_behind_it_then_it_is_counted_by_its_name(migration: Migration) -> None:
    session(migration)
    migration.run("encrypt")
    stored = migration.get("s-1")
    change(migration, "SET encrypted_notes = :c, encrypted_at_rest = :other", c=stored["encrypted_history"],
           other={"S": "yes, by a disk"})  # fmt: skip

    counted = migration.run("verify")

    # What is no ciphertext only has such a name.
    assert counted["strays"] == {"encrypted_notes": 1}
    assert counted["counts"] == {"encrypted": 1}


def test_strays_when_there_are_names_without_end_then_the_counts_stay_bounded(migration: Migration) -> None:
    session(migration)
    migration.run("encrypt")
    ciphertext = migration.get("s-1")["encrypted_history"]
    for number in range(130):  # More than a page.
        migration.put(
            f"t-{number}", **{f"encrypted_{number}": ciphertext, f"encrypted_{'x' * 300}{number}": ciphertext}
        )

    strays = migration.run("verify", segments=1)["strays"]

    assert strays.pop(names.OTHER_NAMES) == 130
    assert len(strays) < 20 + 1
    assert max(map(len, strays)) < 255


def test_value_when_it_cannot_be_decrypted_then_only_a_deep_verification_tells_and_counts_the_others(
    migration: Migration,
) -> None:
    session(migration, "s-1")
    session(migration, "s-2")
    migration.run("encrypt")
    change(migration, "SET encrypted_history = :v", v=tampered(migration, "encrypted_history"))

    headers, deep = migration.run("verify"), migration.run("verify", deep=True)

    assert headers["counts"] == {"encrypted": 2}
    assert deep["counts"] == {"encrypted": 1, "undecryptable": 1}
    assert deep["values"] == {"seen": 4, "decrypted": 3}


def test_item_when_its_context_cannot_be_made_then_none_of_its_values_counts_as_decrypted(
    migration: Migration,
) -> None:
    session(migration)
    migration.run("encrypt")
    item = {name: value for name, value in migration.get("s-1").items() if name != "userId"}
    sweep = migration.parts.sweeps.get(migration.start("verify", deep=True))
    assert sweep is not None

    counts = migration.parts.worker.pages.work_off(
        sweep, [item], migration.parts.runtime.policy(), lambda: 300.0
    ).counts

    assert (counts[census.Standing.UNDECRYPTABLE.value], counts[names.VALUES], counts[names.DECRYPTED]) == (1, 2, 0)


def test_values_when_they_were_exchanged_within_their_item_then_a_deep_verification_tells(migration: Migration) -> None:
    session(migration)
    migration.run("encrypt")
    stored = migration.get("s-1")
    change(
        migration,
        "SET encrypted_history = :c, encrypted_configuration = :h",
        c=stored["encrypted_configuration"],
        h=stored["encrypted_history"],
    )

    deep = migration.run("verify", deep=True)

    assert (deep["counts"], deep["values"]) == ({"undecryptable": 1}, {"seen": 2, "decrypted": 0})


def test_earlier_key_when_it_is_disabled_then_its_items_are_undecryptable_and_the_verification_ends(
    migration: Migration,
) -> None:
    session(migration, "s-1")
    session(migration, "s-2")
    migration.run("encrypt")
    under_the_earlier = migration.get("s-1")
    migration.set(SESSION_ENCRYPTION_KEY_ARN=migration.other_key_arn, EARLIER_KEY_ARNS=migration.key_arn)
    migration.run("re-encrypt")
    migration.dynamodb.put_item(TableName=TABLE, Item=under_the_earlier)
    with disabled(migration):
        deep = migration.run("verify", deep=True)

    assert (deep["state"], deep["counts"]) == ("done", {"encrypted": 1, "undecryptable": 1})
    assert deep["values"] == {"seen": 4, "decrypted": 2}


def test_key_of_all_when_it_is_disabled_then_nothing_is_counted_and_the_page_is_redone(migration: Migration) -> None:
    session(migration)
    migration.run("encrypt")

    with disabled(migration):
        sweep_id = migration.start("verify", deep=True, segments=1)
        migration.pump()

    assert migration.sweep(sweep_id)["counts"] == {}
    migration.command("resume", sweep=sweep_id)
    migration.pump()
    assert migration.sweep(sweep_id)["counts"] == {"encrypted": 1}


def test_status_when_asked_then_it_says_which_table_and_how_it_is_encrypted(migration: Migration) -> None:
    answer = migration.command("status")

    arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{TABLE}"
    assert (answer["table"], answer["tableArn"], answer["account"]) == (TABLE, arn, "123456789012")
    assert answer["stream"] == {"arn": None, "viewType": None}
    assert (answer["algorithm"], answer["encoding"]) == ("AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "base64")
    assert (answer["contextAttributes"], answer["purpose"]) == (["userId", "sessionId"], "session-encryption")
    assert answer["earlierAttributes"] == []
    assert answer["attributesSince"].keys() == {"history", "configuration"}


def test_status_when_the_stream_has_a_view_type_then_it_is_told(migration: Migration) -> None:
    migration.dynamodb.update_table(
        TableName=TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    migration.set(SIGNED_MESSAGES="true")

    answer = migration.command("status")

    assert answer["stream"]["viewType"] == "KEYS_ONLY"
    assert answer["stream"]["arn"].startswith(f"{answer['tableArn']}/stream/")
    assert answer["algorithm"] == "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384"
