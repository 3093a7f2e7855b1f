"""A verification is judged later than it counted: what was changed since, it does not vouch for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from item_crypto import Role
from migrator import sweep
from tests.migration import TABLE, Migration
from tests.tables import create_table

HISTORY: Any = {"L": [{"S": "what is the tide in Porto?"}]}
CONFIGURATION: Any = {"M": {"model": {"S": "small"}}}


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    """A table whose three items are encrypted, and were never anything else."""
    with mock_aws():
        migration = Migration(monkeypatch)
        for number in range(3):
            migration.put(f"s-{number}", history=HISTORY, configuration=CONFIGURATION)
        migration.run("encrypt")
        yield migration


def judged(migration: Migration, sweep_id: str, *may_be_absent: str) -> dict[str, Any]:
    answer = migration.command("judge", sweep=sweep_id, mayBeAbsent=list(may_be_absent))
    return dict(answer["judgement"])


def reported(migration: Migration) -> dict[str, Any]:
    answer = migration.command("report", mayBeAbsent=[], backups=[], html=False)
    return dict(answer["report"])


def another_table(migration: Migration) -> None:
    create_table(migration.dynamodb, "other", "sessionId", "userId")
    item = {"sessionId": {"S": "s-1"}, "userId": {"S": "alice"}, "history": HISTORY}
    migration.dynamodb.put_item(TableName="other", Item=item)
    migration.set(TABLE_NAME="other")


def off_and_on_again(migration: Migration) -> None:
    migration.set(SESSION_ENCRYPTION_ENABLED="false")
    migration.run("decrypt")
    migration.set(SESSION_ENCRYPTION_ENABLED="true")
    assert "history" in migration.get("s-1")


def without_the_key(migration: Migration) -> None:
    migration.set(SESSION_ENCRYPTION_KEY_ARN=migration.other_key_arn)


def other_purpose(migration: Migration) -> None:
    migration.set(CONTEXT_PURPOSE="another")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        pytest.param(another_table, "The verification was of another table, sessions.", id="table"),
        pytest.param(off_and_on_again, "which decrypts. Verify again.", id="decrypted at one version"),
        pytest.param(without_the_key, "A key under which values were decrypted is no longer listed.", id="key"),
        pytest.param(other_purpose, "The encryption context is another one", id="context"),
    ],
)
def test_verification_when_the_deployment_was_changed_after_it_then_it_proves_nothing(
    migration: Migration, change: Callable[[Migration], None], finding: str
) -> None:
    sweep_id = migration.run("verify", deep=True)["id"]
    before = judged(migration, sweep_id)
    assert (before["verdict"], before["findings"]) == ("as-it-should-be", [])

    change(migration)

    after = judged(migration, sweep_id)
    assert after["verdict"] == "not-as-it-should-be"
    assert [text for text in after["findings"] if finding in text]
    report = reported(migration)
    assert report["verdict"] == "not-as-it-should-be"
    assert [text for text in report["findings"] if finding in text]
    assert report["earlierPlaintext"]["encryptedBy"] is None


def test_verification_when_a_key_was_added_after_it_then_it_holds(migration: Migration) -> None:
    sweep_id = migration.run("verify", deep=True)["id"]
    migration.set(SESSION_ENCRYPTION_KEY_ARN=migration.other_key_arn, EARLIER_KEY_ARNS=migration.key_arn)
    assert judged(migration, sweep_id)["findings"] == []


def test_attribute_when_it_was_an_earlier_one_and_is_listed_again_after_it_then_it_was_not_verified(
    migration: Migration,
) -> None:
    migration.set(ENCRYPTED_ATTRIBUTES="history", EARLIER_ATTRIBUTES="configuration")
    migration.run("encrypt")
    assert "configuration" in migration.get("s-1")
    sweep_id = migration.run("verify", deep=True)["id"]
    assert judged(migration, sweep_id)["findings"] == []

    migration.set(ENCRYPTED_ATTRIBUTES="history,configuration", EARLIER_ATTRIBUTES="")

    (finding,) = judged(migration, sweep_id)["findings"]
    assert finding.startswith("The attribute configuration was not to be encrypted when it was looked at.")


@pytest.mark.parametrize("may_be_absent", [(), ("configuration",)])
def test_attribute_when_it_was_listed_after_the_verification_then_it_was_not_looked_at_whatever_may_be_absent(
    migration: Migration, may_be_absent: tuple[str, ...]
) -> None:
    migration.set(ENCRYPTED_ATTRIBUTES="history", EARLIER_ATTRIBUTES="configuration")
    migration.run("encrypt")
    migration.set(ENCRYPTED_ATTRIBUTES="history,notes", EARLIER_ATTRIBUTES="configuration")
    sweep_id = migration.run("verify", deep=True)["id"]
    migration.set(ENCRYPTED_ATTRIBUTES="history,notes,name", EARLIER_ATTRIBUTES="configuration")

    findings = judged(migration, sweep_id, "notes", "name", *may_be_absent)["findings"]

    assert findings == ["The attribute name was not looked at: it was not listed then. Verify again."]


def test_verification_when_a_deployment_came_amid_it_then_what_was_counted_before_does_not_count(
    migration: Migration,
) -> None:
    """The new attribute is encrypted where it is looked at, and in plaintext where it was not."""
    migration.set(ENCRYPTED_ATTRIBUTES="history", EARLIER_ATTRIBUTES="configuration")
    for number in range(12):
        migration.put(f"s-{number}", history=HISTORY, configuration=CONFIGURATION)
    migration.run("encrypt")
    sweep_id = migration.start("verify", deep=True, segments=6)
    for _ in range(5):
        assert migration.deliver(migration.work, sweep.handle, 300) == 1

    migration.set(ENCRYPTED_ATTRIBUTES="history,notes", EARLIER_ATTRIBUTES="configuration")
    for segment in range(6):
        if migration.sweep(sweep_id)["segmentsDetail"][segment]["state"] != "done":
            scanned = migration.dynamodb.scan(TableName=TABLE, Segment=segment, TotalSegments=6)["Items"]
            assert scanned
            for item in scanned:
                migration.put(item["sessionId"]["S"], history=HISTORY, notes={"S": "n"})
                migration.reconcile(item["sessionId"]["S"], Role.ENCRYPTOR)
    migration.pump()

    found = migration.sweep(sweep_id)
    looked_at = sum(found["attributes"]["notes"].values())
    assert 0 < looked_at < found["scanned"] == 12
    assert (
        f"The attribute notes was looked at in {looked_at} of 12 items: it was listed meanwhile. Verify again."
        in (judged(migration, sweep_id)["findings"])
    )
