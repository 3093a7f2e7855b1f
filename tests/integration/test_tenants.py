"""Tenants' keys, as the operator sees them: listed, made, rotated, and a tenant shredded."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from item_crypto import Keyrings, ValueCipher
from migrator import shredding
from tests.branch_keys import ALICE, BRANCH_KEYS
from tests.factories import audit_lines
from tests.faults import failing
from tests.migration import SECRET, TABLE, Migration
from tests.records import bodies


def refused(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["error"]["code"], answer["error"]["message"]


def shred(world: Migration, tenant: str = "alice", **fields: Any) -> dict[str, Any]:
    return world.command("shred-tenant", tenant=tenant, confirm=tenant, **fields)


def rows(world: Migration) -> list[dict[str, Any]]:
    return list(world.dynamodb.scan(TableName=BRANCH_KEYS, ConsistentRead=True)["Items"])


def of_bob(world: Migration, session: str = "b1") -> None:
    world.dynamodb.put_item(
        TableName=TABLE,
        Item={"sessionId": {"S": session}, "userId": {"S": "bob"}, "history": {"L": [{"S": SECRET}]}},
    )


# Listed, made, rotated


def test_given_a_tenant_when_its_key_is_made_rotated_and_listed_then_no_key_is_shown(branched: Migration) -> None:
    made = branched.command("make-branch-key", tenant="alice")
    again = branched.command("make-branch-key", tenant="alice")
    rotated = branched.command("rotate-branch-key", tenant="alice")
    listed = branched.command("branch-keys")

    assert (made["made"], again["made"]) == (True, False)
    assert made["branchKey"] == again["branchKey"]
    assert rotated["branchKey"]["since"] > made["branchKey"]["since"]
    assert listed == {"branchKeys": [rotated["branchKey"]], "after": None}
    assert branched.command("branch-keys", tenant="alice") == listed
    assert branched.command("branch-keys", tenant="bob")["branchKeys"][0]["state"] == "absent"
    assert rotated["branchKey"].keys() == {"branchKeyId", "state", "tenant", "since", "kmsKeyArn"}


def test_given_many_keys_when_listed_then_page_by_page(branched: Migration) -> None:
    for number in range(35):
        branched.command("make-branch-key", tenant=f"user-{number}")
    found, after, pages = [], None, 0
    while True:
        answer = branched.command("branch-keys", **({} if after is None else {"after": after}))
        found, pages = found + answer["branchKeys"], pages + 1
        if (after := answer["after"]) is None:
            break

    assert {each["tenant"] for each in found} == {f"user-{number}" for number in range(35)}
    assert (len(found), pages) == (35, 2)  # Of three rows each, a hundred a page.


@pytest.mark.parametrize(
    ("command", "fields", "code"),
    [
        ("make-branch-key", {}, "invalid-request"),
        ("make-branch-key", {"tenant": ""}, "invalid-request"),
        ("make-branch-key", {"tenant": 7}, "invalid-request"),
        ("make-branch-key", {"tenant": "a" * 4000}, "invalid-request"),
        ("rotate-branch-key", {"tenant": "alice"}, "not-found"),
        ("shred-tenant", {"tenant": "alice", "confirm": "alice"}, "not-found"),
        ("shred-tenant", {"tenant": "alice"}, "invalid-request"),
        ("shred-tenant", {"tenant": "alice", "confirm": "Alice"}, "invalid-request"),
        ("branch-keys", {"after": "x"}, "invalid-request"),
    ],
)
def test_given_what_cannot_be_when_asked_then_refused_and_nothing_is_made(
    branched: Migration, command: str, fields: dict[str, Any], code: str
) -> None:
    assert refused(branched.command(command, **fields))[0] == code
    assert rows(branched) == []


@pytest.mark.parametrize(
    "command", ["branch-keys", "make-branch-key", "rotate-branch-key", "look-at-tenant", "shred-tenant"]
)
def test_given_a_stack_under_kms_when_asked_then_refused(world: Migration, command: str) -> None:
    answer = world.command(command, tenant="alice", confirm="alice")

    assert refused(answer) == ("no-branch-keys", "The stack has no branch keys: its KeyringType is kms.")


def test_given_a_stack_that_went_back_to_kms_when_asked_then_keys_are_listed_and_no_longer_changed(
    branched: Migration,
) -> None:
    branched.command("make-branch-key", tenant="alice")
    branched.set(KEYRING_TYPE="kms")

    assert len(branched.command("branch-keys")["branchKeys"]) == 1
    for command in ("make-branch-key", "rotate-branch-key", "look-at-tenant", "shred-tenant"):
        assert refused(branched.command(command, tenant="alice", confirm="alice"))[0] == "no-branch-keys"


def test_given_another_kms_key_by_now_when_rotated_then_refused_and_it_stays_as_it_is(branched: Migration) -> None:
    branched.command("make-branch-key", tenant="alice")
    before = rows(branched)
    branched.set(SESSION_ENCRYPTION_KEY_ARN=branched.other_key_arn, EARLIER_KEY_ARNS=branched.key_arn)

    assert refused(branched.command("rotate-branch-key", tenant="alice"))[0] == "under-earlier-key"
    assert rows(branched) == before


@pytest.mark.parametrize("command", ["look-at-tenant", "shred-tenant"])
def test_given_a_cursor_that_is_none_of_the_table_when_looked_then_refused_and_nothing_is_destroyed(
    branched: Migration, command: str
) -> None:
    branched.command("make-branch-key", tenant="alice")
    before = rows(branched)

    with failing(branched.clients.dynamodb, "dynamodb.Scan", "ValidationException"):
        answer = branched.command(command, tenant="alice", confirm="alice", cursor={"sessionId": {"S": "s1"}})

    assert (answer["error"]["code"], answer["error"]["field"]) == ("invalid-request", "cursor")
    assert rows(branched) == before


def test_given_one_key_for_all_when_asked_then_it_is_made_and_rotated_and_nobody_is_shredded(
    branched: Migration,
) -> None:
    branched.set(TENANT_ATTRIBUTE="")

    assert branched.command("make-branch-key")["branchKey"]["tenant"] == ""
    assert "error" not in branched.command("rotate-branch-key")
    assert refused(shred(branched))[0] == "no-tenants"


# Shredded


def test_given_a_tenant_under_its_key_when_shredded_then_it_is_gone_and_the_others_are_not(
    branched: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    branched.plain("s1")
    branched.plain("s2")
    branched.put("s3")
    of_bob(branched)
    branched.run("encrypt")
    stored = branched.get("s1")
    capsys.readouterr()

    looked = branched.command("look-at-tenant", tenant="alice")
    answer = shred(branched)

    assert (looked["items"], looked["readable"], looked["cursor"]) == (3, {}, None)
    assert (answer["shredded"], answer["scanned"], answer["items"]) == (True, 4, 3)
    assert (answer["branchKey"]["state"], answer["branchKey"]["tenant"]) == ("destroyed", None)
    assert [row["type"]["S"] for row in rows(branched) if row["branch-key-id"]["S"] == ALICE] == ["branch:ACTIVE"]
    lines = [line for line in audit_lines(capsys.readouterr().out) if line["operation"] == "shred-tenant"]
    assert [(line["result"], line["tenant"], line["branchKeyId"], line["who"]) for line in lines] == [
        ("begun", "alice", ALICE, "operator"),
        ("shredded", "alice", ALICE, "operator"),
    ]

    branched.set()  # Whoever starts now keeps no branch key.
    assert branched.get("s1") == stored
    key = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
    assert refused(branched.command("decrypt-item", key=key)) == ("undecryptable", "The item could not be decrypted.")
    verified = branched.run("verify", deep=True)
    assert {name: number for name, number in verified["counts"].items() if number} == {
        "shredded": 2,
        "encrypted": 1,
        "none": 1,
    }
    assert verified["values"] == {"seen": 1, "decrypted": 1}
    judged = branched.command("judge", sweep=verified["id"], mayBeAbsent=["configuration"])
    assert judged["judgement"]["verdict"] == "as-it-should-be"


def test_given_a_shredded_tenant_when_swept_then_it_is_passed_over(branched: Migration) -> None:
    branched.plain("s1")
    of_bob(branched)
    branched.run("encrypt")
    shred(branched)
    branched.set()

    renewed = branched.run("re-encrypt", olderThanDays=0)

    assert (renewed["counts"]["destroyed"], renewed["counts"]["encrypted"], renewed["itemsFailed"]) == (1, 1, 0)
    assert bodies(branched.failures) == []
    found = branched.run("encrypt")
    assert (found["counts"]["nothing"], found["itemsFailed"]) == (2, 0)


def test_given_a_shredded_tenant_when_they_write_then_it_fails_counts_as_plaintext_and_makes_no_key(
    branched: Migration,
) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    shred(branched)
    branched.set()
    branched.plain("s2")
    branched.plain("s1", 7)

    swept = branched.run("encrypt")
    verified = branched.run("verify", deep=True)

    assert (swept["counts"]["failed"], swept["itemsFailed"]) == (2, 2)
    assert [letter["reason"] for letter in bodies(branched.failures)] == ["tenant-shredded"] * 2
    assert verified["counts"]["plaintext"] == 2
    assert len(rows(branched)) == 1
    assert refused(branched.command("make-branch-key", tenant="alice"))[0] == "tenant-shredded"
    assert refused(branched.command("rotate-branch-key", tenant="alice"))[0] == "tenant-shredded"


def beside_plaintext(world: Migration) -> None:
    world.dynamodb.update_item(
        TableName=TABLE,
        Key={"sessionId": {"S": "s1"}, "userId": {"S": "alice"}},
        UpdateExpression="SET configuration = :c",
        ExpressionAttributeValues={":c": {"M": {}}},
    )


def beside_the_old_form(world: Migration) -> None:
    gone = world.get("s1")["encrypted_configuration"]
    world.lisa("s1", [{"content": SECRET}])
    world.put("s1", **world.get("s1") | {"encrypted_configuration": gone})


def beside_another_sessions_value(world: Migration) -> None:
    context = {"userId": "alice", "sessionId": "another", "purpose": "session-encryption"}
    cipher = ValueCipher(Keyrings(world.kms, world.key_arn))
    value = cipher.encrypt({"history": {"S": SECRET}}, context)["history"]
    world.put("s1", **world.get("s1") | {"encrypted_history": {"S": value}})


@pytest.mark.parametrize(
    ("leave", "state", "values"),
    [
        (beside_plaintext, "mixed", {"seen": 0, "decrypted": 0}),
        (beside_the_old_form, "oldForm", {"seen": 1, "decrypted": 1}),
        (beside_another_sessions_value, "undecryptable", {"seen": 1, "decrypted": 0}),
    ],
)
def test_given_a_destroyed_value_beside_what_should_not_be_when_verified_then_the_item_counts_as_that(
    branched: Migration, leave: Callable[[Migration], None], state: str, values: dict[str, int]
) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    shred(branched)
    branched.set()
    leave(branched)

    verified = branched.run("verify", deep=True)

    assert (verified["counts"], verified["values"]) == ({state: 1}, values)
    judged = branched.command("judge", sweep=verified["id"])
    assert judged["judgement"]["verdict"] == "not-as-it-should-be"


def in_plaintext(world: Migration) -> None:
    world.plain("bad")


def in_the_old_form(world: Migration) -> None:
    world.lisa("bad", [{"content": SECRET}])


def partly(world: Migration) -> None:
    world.plain("bad")
    world.run("encrypt")
    world.dynamodb.update_item(
        TableName=TABLE,
        Key={"sessionId": {"S": "bad"}, "userId": {"S": "alice"}},
        UpdateExpression="SET history = :h",
        ExpressionAttributeValues={":h": {"L": []}},
    )


def under_kms(world: Migration) -> None:
    world.plain("bad")
    world.set(KEYRING_TYPE="kms")
    world.run("encrypt")
    world.set(KEYRING_TYPE="hierarchical")


def of_an_attribute_that_is_not_listed(world: Migration) -> None:
    context = {"userId": "alice", "sessionId": "bad", "purpose": "session-encryption"}
    cipher = ValueCipher(Keyrings(world.kms, world.key_arn))
    world.put("bad", encrypted_notes={"S": cipher.encrypt({"notes": {"S": SECRET}}, context)["notes"]})


@pytest.mark.parametrize(
    ("leave", "said"),
    [
        (in_plaintext, "1 in plaintext"),
        (partly, "1 partly in plaintext"),
        (in_the_old_form, "1 in the old form"),
        (under_kms, "2 under a KMS key"),
        (of_an_attribute_that_is_not_listed, "1 with ciphertext that no listed attribute is behind"),
    ],
)
def test_given_an_item_that_would_stay_readable_when_shredded_then_refused_and_nothing_is_destroyed(
    branched: Migration, leave: Callable[[Migration], None], said: str
) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    leave(branched)
    before = rows(branched)

    answer = shred(branched)

    assert refused(answer) == (
        "still-readable",
        f"Items of the tenant would stay readable: {said}. Nothing was destroyed.",
    )
    assert rows(branched) == before
    assert len(branched.command("look-at-tenant", tenant="alice")["readable"]) == 1


def test_given_another_tenants_plaintext_when_shredded_then_it_is_no_hindrance(branched: Migration) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    of_bob(branched)

    assert shred(branched)["shredded"] is True


def test_given_a_large_table_when_shredded_then_the_look_goes_on_where_it_was(
    branched: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        branched.plain(f"s{number}")
    branched.run("encrypt")
    monkeypatch.setattr("migrator.tenants.SECONDS", -1.0)
    original = shredding.scanned
    monkeypatch.setattr(shredding, "scanned", lambda *given, **more: original(*given, **more, Limit=2))

    cursor, items, calls = None, 0, 0
    while True:
        answer = shred(branched, **({} if cursor is None else {"cursor": cursor}))
        calls, items = calls + 1, items + answer["items"]
        if answer["shredded"]:
            break
        assert {row["type"]["S"] for row in rows(branched)} > {"branch:ACTIVE"}  # Nothing is destroyed meanwhile.
        cursor = answer["cursor"]

    assert (items, calls) == (5, 3)


def test_given_a_destruction_that_fails_when_repeated_then_it_is_finished_and_both_are_recorded(
    branched: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    with (
        failing(branched.clients.dynamodb, "dynamodb.TransactWriteItems", "AccessDeniedException"),
        pytest.raises(Exception, match="AccessDenied"),
    ):
        shred(branched)

    assert shred(branched)["shredded"] is True
    again = shred(branched)
    assert (again["shredded"], again["items"], again["scanned"]) == (True, 0, 0)
    results = [line["result"] for line in audit_lines(capsys.readouterr().out) if line["operation"] == "shred-tenant"]
    assert results == ["begun", "begun", "shredded", "begun", "shredded"]


def test_given_a_destruction_when_answered_then_it_says_until_when_copies_can_be_read(branched: Migration) -> None:
    for table in (TABLE, BRANCH_KEYS):
        branched.dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    branched.plain("s1")
    branched.run("encrypt")

    readable = shred(branched)["readable"]

    untils = {each["what"]: each["until"] and datetime.fromisoformat(each["until"]) for each in readable}
    now = branched.now()
    kept = untils["the branch key that a function keeps"]
    assert timedelta(seconds=55) < kept - now < timedelta(seconds=61)
    assert untils["the branch key, in backups of the table of branch keys"] is None
    assert untils["the same, in backups and exports of the table"] is None
    assert sum("point-in-time" in what for what in untils) == 2
    assert json.dumps(readable)


def test_copies_when_the_table_has_images_in_its_stream_then_they_are_told() -> None:
    now = datetime.fromisoformat("2026-01-02T08:30:00+00:00")
    off: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    day = {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 1}

    def told(stream: dict[str, Any], branch: Any = off, table: Any = off) -> dict[str, Any]:
        return {copy.what: copy.until for copy in shredding.copies(now, 60, branch, table, stream)}

    images = told({"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    assert images["the same, in the images of the table's stream"] == now + timedelta(hours=24)
    assert len(told({"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})) == 3
    assert told({}, branch=day)[
        "the branch key, by a point-in-time recovery of the table of branch keys"
    ] == now + timedelta(days=1)


def test_given_what_was_done_when_recent_actions_are_shown_then_it_is_there_without_the_tenant(
    branched: Migration,
) -> None:
    branched.plain("s1")
    branched.run("encrypt")
    branched.command("rotate-branch-key", tenant="alice")
    shred(branched)

    actions = [each for each in branched.command("actions")["actions"] if "tenant" in each["action"]]
    assert [(each["action"], each["result"], each["detail"]) for each in actions] == [
        ("shred-tenant", "done", {"branchKeyId": ALICE, "shredded": True})
    ]
    assert "alice" not in json.dumps(actions)
