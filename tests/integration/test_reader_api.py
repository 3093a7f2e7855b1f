"""The HTTP API on moto's DynamoDB and KMS: what a user gets, what is stored, what is logged."""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest

from reader import application
from reader.handler import lambda_handler
from tests import factories
from tests.factories import CONFIGURATION, HISTORY, SECRET, TABLE, World, audit_lines, iam, json_lines, metrics, session
from tests.faults import ALWAYS

ENCRYPTED = {
    "sessionId",
    "userId",
    "name",
    "startTime",
    "createTime",
    "lastUpdated",
    "encrypted_history",
    "encrypted_configuration",
    "encryption_version",
    "is_encrypted",
    "encrypted_at",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


# Reading


def test_given_a_plaintext_session_when_its_owner_reads_it_then_it_is_returned_and_encrypted(world: World) -> None:
    world.store(session())

    answer = world.call("GET", "dlg-1")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body == {
        "sessionId": "dlg-1",
        "userId": "alice",
        "name": "Tides",
        "startTime": "2026-01-02T08:00:00+00:00",
        "createTime": "2026-01-02T08:00:00+00:00",
        "lastUpdated": "2026-01-02T08:00:00+00:00",
        "history": [{"type": "human", "content": SECRET, "at": Decimal("1767340800.25")}],
        "configuration": {"model": "small", "prompt": SECRET},
    }
    assert world.stored().keys() == ENCRYPTED


def test_given_an_encrypted_session_when_read_again_then_it_is_the_same_and_nothing_is_written(world: World) -> None:
    world.store(session())
    first = world.call("GET", "dlg-1")
    world.calls.clear()

    again = world.call("GET", "dlg-1")

    assert again.text == first.text
    assert world.calls == ["GetItem", "Decrypt"]


@pytest.mark.parametrize("keep_plaintext", [False, True], ids=["ciphertext alone", "stale plaintext beside it"])
def test_given_lisas_form_when_read_then_it_is_returned_and_stored_in_the_current_form(
    world: World, keep_plaintext: bool
) -> None:
    world.store(factories.lisa_session(world.kms, world.key_arn, session(), keep_plaintext))
    old = world.stored()

    answer = world.call("GET", "dlg-1")

    assert answer.status == 200
    assert answer.body["history"][0]["content"] == SECRET
    assert answer.body["history"][0]["at"] == Decimal("1767340800.25")
    assert answer.body["configuration"] == {"model": "small", "prompt": SECRET}
    assert world.stored().keys() >= ENCRYPTED
    assert not world.stored().keys() & {"history", "configuration"}
    assert world.stored()["encrypted_history"] != old["encrypted_history"]
    assert base64.b64decode(world.stored()["encrypted_history"]["S"]).startswith(b"\x02")
    assert world.call("GET", "dlg-1").text == answer.text


def test_given_a_session_under_an_earlier_key_when_read_then_it_is_encrypted_under_the_current_one(
    world: World,
) -> None:
    world.set(SESSION_ENCRYPTION_KEY_ARN=world.earlier_key_arn, EARLIER_KEY_ARNS="")
    world.put("dlg-1", {"history": [SECRET]})
    world.set(SESSION_ENCRYPTION_KEY_ARN=world.key_arn, EARLIER_KEY_ARNS=world.earlier_key_arn)

    assert world.call("GET", "dlg-1").body["history"] == [SECRET]
    assert world.key_arn.encode() in base64.b64decode(world.stored()["encrypted_history"]["S"])


def test_given_encryption_off_when_an_encrypted_session_is_read_then_it_is_stored_as_it_was(world: World) -> None:
    plain = session()
    world.store(plain)
    world.call("GET", "dlg-1")
    world.set(SESSION_ENCRYPTION_ENABLED="false")

    answer = world.call("GET", "dlg-1")

    assert answer.body["history"][0]["content"] == SECRET
    assert world.stored() == plain


def test_given_every_type_when_read_then_it_is_plain_json_with_exact_numbers(world: World) -> None:
    members = {
        "binary": {"B": b"\x00\xff"},
        "set": {"SS": ["a"]},
        "numbers": {"NS": ["12345678901234567890123456789012345678"]},
        "tiny": {"N": "1E-130"},
        "nothing": {"NULL": True},
        "empty": {"L": []},
    }
    world.store(session(configuration={"M": members}))

    assert world.call("GET", "dlg-1").body["configuration"] == {
        "binary": "AP8=",
        "set": ["a"],
        "numbers": [Decimal("12345678901234567890123456789012345678")],
        "tiny": Decimal("1E-130"),
        "nothing": None,
        "empty": [],
    }


def test_given_attributes_of_other_writers_when_read_then_they_are_returned_too(world: World) -> None:
    world.store(session(tags={"SS": ["boat"]}, history=None))

    body = world.call("GET", "dlg-1").body

    assert body["tags"] == ["boat"]
    assert "history" not in body


@pytest.mark.parametrize("session_id", ["a/b", "a b", 'quo"te', "é/ü", "50%", "a%2Fb", "#?&", "{sessionId}", "."])
def test_given_an_id_with_any_character_when_used_then_it_is_that_session(world: World, session_id: str) -> None:
    assert world.put(session_id, {"name": "odd"}).status == 201
    assert world.stored(session_id)["name"] == {"S": "odd"}
    assert world.call("GET", session_id).body["sessionId"] == session_id
    assert world.call("GET", session_id, stage="prod").status == 200
    assert world.call("DELETE", session_id).status == 204


@pytest.mark.parametrize(("size", "status"), [(2048, 404), (2049, 400)])
def test_given_an_id_at_the_limit_of_a_key_when_read_then_its_length_decides(
    world: World, size: int, status: int
) -> None:
    answer = world.call("GET", "é" * (size // 2) + "e" * (size % 2))

    assert answer.status == status
    assert answer.body.get("field") == (None if status == 404 else "sessionId")


def test_given_an_id_that_is_not_unicode_when_read_then_400(world: World) -> None:
    assert world.call("GET", "\ud800").body["field"] == "sessionId"


def test_given_a_writer_between_read_and_write_when_read_then_the_newer_session_is_returned_and_kept(
    world: World,
) -> None:
    world.store(session())
    newer = {"L": [{"S": "newer"}]}

    with world.faults.interrupting("dynamodb.UpdateItem", lambda: world.update("history", newer)):
        assert world.call("GET", "dlg-1").body["history"] == ["newer"]
    assert "history" not in world.stored()
    assert world.call("GET", "dlg-1").body["history"] == ["newer"]


def test_given_a_write_that_fails_when_read_then_the_owner_reads_and_somebody_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    too_large = "Item size to update has exceeded the maximum"

    with world.faults.failing("dynamodb.UpdateItem", "ValidationException", message=too_large):
        answer = world.call("GET", "dlg-1")

    output = capsys.readouterr().out
    assert answer.status == 200
    assert answer.body["history"][0]["content"] == SECRET
    reconciled, read = audit_lines(output)
    assert (reconciled["operation"], reconciled["result"]) == ("reconcile", "failed-for-good")
    assert reconciled["reason"] == "item-too-large"
    assert (read["operation"], read["result"]) == ("read", "done")
    assert any(line.get("level") == "ERROR" and line["reason"] == "item-too-large" for line in json_lines(output))


# Whose sessions


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_given_anothers_session_when_asked_for_then_it_is_as_absent_as_a_missing_one(world: World, method: str) -> None:
    world.store(session(user="bob"))

    anothers, missing = world.call(method, "dlg-1"), world.call(method, "dlg-2")

    assert anothers.status == 404
    assert (anothers.text, anothers.headers) == (missing.text, missing.headers)
    assert world.stored(user="bob") == session(user="bob")


def test_given_anothers_session_when_put_then_one_of_ones_own_is_created(world: World) -> None:
    world.store(session(user="bob"))

    assert world.put("dlg-1", {"name": "mine"}).status == 201
    assert world.stored(user="bob") == session(user="bob")
    assert world.call("GET", "dlg-1", user="bob").body["name"] == "Tides"


def test_given_anothers_ciphertext_when_copied_into_ones_own_session_then_it_is_not_decrypted(world: World) -> None:
    world.put("dlg-1", {"history": [SECRET]}, user="bob")
    stolen = {**world.stored(user="bob"), "userId": {"S": "alice"}}
    world.store(stolen)

    answer = world.call("GET", "dlg-1")

    assert answer.status == 500
    assert answer.body["message"] == "The session could not be decrypted."


@pytest.mark.parametrize(
    ("authorizer", "status"),
    [
        (factories.cognito("eu-central-1:0d1c"), 201),
        (iam("AIDAEXAMPLE1"), 201),
        (iam("AROATRUSTED:alice"), 201),
        (iam("AROASTRANGER:alice"), 403),
        (iam("AROASTRANGER:AIDAEXAMPLE1"), 403),
        (factories.cognito("eu-central-1:0d1c", amr="unauthenticated"), 403),
        (None, 401),
        (factories.jwt(""), 401),
    ],
)
def test_given_an_identity_when_it_puts_then_it_is_a_user_or_refused(
    world: World, authorizer: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.put("dlg-1", {"name": "mine"}, authorizer=authorizer)

    assert answer.status == status
    stored = world.dynamodb.scan(TableName=TABLE)["Items"]
    assert len(stored) == (status == 201)
    line = audit_lines(capsys.readouterr().out)[-1]
    assert line["result"] == ("created" if status == 201 else "denied")
    identity = authorizer and authorizer.get("iam")
    expected = ((identity["cognitoIdentity"] or {}).get("identityId") or identity["userId"]) if identity else "unknown"
    assert line["who"] == expected
    if stored:
        assert stored[0]["userId"]["S"] == expected


def test_given_two_roles_with_one_session_name_when_they_call_then_they_are_two_users(world: World) -> None:
    world.set(TRUSTED_ROLE_IDS="AROATRUSTED,AROAOTHER")
    world.put("dlg-1", {"name": "first"}, authorizer=iam("AROATRUSTED:alice"))

    assert world.call("GET", "dlg-1", authorizer=iam("AROAOTHER:alice")).status == 404
    assert world.call("GET", "dlg-1", authorizer=factories.jwt("alice")).status == 404
    assert world.call("GET", "dlg-1", authorizer=iam("AROATRUSTED:alice")).status == 200


# Writing


def test_given_no_session_when_put_then_it_is_created_encrypted_with_its_times(world: World) -> None:
    answer = world.put("dlg-1", {"name": "Tides", "history": [{"content": SECRET}], "configuration": {"a": 0.1}})

    stored = world.stored()
    assert answer.status == 201
    assert stored.keys() == ENCRYPTED
    assert stored["startTime"] == stored["createTime"] == stored["lastUpdated"]
    assert answer.body["startTime"] == stored["startTime"]["S"]
    assert len(answer.body["startTime"]) == len("2026-01-02T08:00:00+00:00")
    assert answer.body["startTime"].endswith("+00:00")
    assert answer.body["history"] == [{"content": SECRET}]
    assert world.call("GET", "dlg-1").body == answer.body


@pytest.mark.parametrize("form", ["plaintext", "encrypted", "lisa"])
@pytest.mark.parametrize("field", ["name", "history", "configuration"])
def test_given_a_session_when_one_field_is_put_then_all_others_stay_as_they_were(
    world: World, form: str, field: str
) -> None:
    plain = session(tags={"SS": ["boat"]})
    world.store(plain if form != "lisa" else factories.lisa_session(world.kms, world.key_arn, plain))
    if form == "encrypted":
        world.call("GET", "dlg-1")
    change = {"name": "New", "history": ["new"], "configuration": {"new": True}}[field]

    answer = world.put("dlg-1", {field: change})

    assert answer.status == 200
    expected = {
        "sessionId": "dlg-1",
        "userId": "alice",
        "name": "Tides",
        "startTime": "2026-01-02T08:00:00+00:00",
        "createTime": "2026-01-02T08:00:00+00:00",
        "tags": ["boat"],
        "history": [{"type": "human", "content": SECRET, "at": Decimal("1767340800.25")}],
        "configuration": {"model": "small", "prompt": SECRET},
        field: change,
    }
    body = answer.body
    assert body.pop("lastUpdated") > "2026-01-02T08:00:00+00:00"
    assert body == expected
    assert world.call("GET", "dlg-1").body == answer.body
    assert world.stored().keys() == ENCRYPTED | {"tags"}


def test_given_encryption_off_when_put_then_it_is_stored_in_plaintext_without_markers(world: World) -> None:
    world.put("dlg-1", {"history": [SECRET]})
    world.set(SESSION_ENCRYPTION_ENABLED="false")

    answer = world.put("dlg-1", {"configuration": {"a": 1}})

    assert answer.body["history"] == [SECRET]
    stored = world.stored()
    assert stored["history"] == {"L": [{"S": SECRET}]}
    assert stored["configuration"] == {"M": {"a": {"N": "1"}}}
    assert not {name for name in stored if "encrypt" in name}


def test_given_the_same_name_within_one_second_when_put_twice_then_both_are_served(world: World) -> None:
    assert [world.put("dlg-1", {"name": "same"}).status for _ in range(3)] == [201, 200, 200]


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize(
    "number",
    ["0.1", "12345678901234567890123456789012345678", "1E-130", "9.99E+125", "0.30000000000000004", "-7", "0", "2.50"],
)
def test_given_a_number_when_put_and_read_then_it_is_exactly_the_same(world: World, number: str, enabled: str) -> None:
    world.set(SESSION_ENCRYPTION_ENABLED=enabled)

    put = world.put("dlg-1", f'{{"history": [{number}], "configuration": {{"n": {number}}}}}')
    read = world.call("GET", "dlg-1")

    assert put.status == 201
    for body in (put.body, read.body):
        assert body["history"] == [Decimal(number)]
        assert body["configuration"] == {"n": Decimal(number)}
    assert f'"{number}"' not in read.text, "a number has become text"


def test_given_another_writer_at_the_worst_moment_when_put_then_both_writes_are_kept(world: World) -> None:
    world.store(session())
    theirs = {"M": {"by": {"S": "the writer"}}}

    with world.faults.interrupting("dynamodb.UpdateItem", lambda: world.update("configuration", theirs)):
        answer = world.put("dlg-1", {"history": ["by the API"]})

    assert answer.status == 200
    body = world.call("GET", "dlg-1").body
    assert body["configuration"] == {"by": "the writer"}
    assert body["history"] == ["by the API"]
    assert answer.body["configuration"] == {"by": "the writer"}


def test_given_a_session_created_at_the_worst_moment_when_put_then_both_writes_are_kept(world: World) -> None:
    with world.faults.interrupting("dynamodb.UpdateItem", lambda: world.store(session())):
        answer = world.put("dlg-1", {"name": "by the API"})

    assert answer.status == 200
    body = world.call("GET", "dlg-1").body
    assert body["name"] == "by the API"
    assert body["startTime"] == "2026-01-02T08:00:00+00:00"
    assert body["history"][0]["content"] == SECRET


def test_given_a_session_deleted_at_the_worst_moment_when_put_then_it_is_created_anew_without_the_old(
    world: World,
) -> None:
    world.store(session())
    key = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}

    def delete() -> None:
        world.dynamodb.delete_item(TableName=TABLE, Key=key)

    with world.faults.interrupting("dynamodb.UpdateItem", delete):
        assert world.put("dlg-1", {"name": "by the API"}).status == 201
    assert "history" not in world.call("GET", "dlg-1").body


def test_given_a_writer_that_never_pauses_when_put_then_503_and_nothing_is_lost(world: World) -> None:
    world.store(session())
    writes = iter(range(1000))

    def write() -> None:
        world.update("history", {"L": [{"N": str(next(writes))}]})

    with world.faults.interrupting("dynamodb.UpdateItem", write, times=ALWAYS):
        answer = world.put("dlg-1", {"history": ["by the API"]})

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert world.stored()["history"] == {"L": [{"N": str(next(writes) - 1)}]}


def test_given_a_session_that_would_be_over_400_kb_when_put_then_413_and_nothing_changes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())

    answer = world.put("dlg-1", {"history": ["a" * 410_000]})

    assert answer.status == 413
    assert world.stored() == session()
    assert audit_lines(capsys.readouterr().out)[-1]["reason"] == "item-too-large"


def test_given_text_that_could_not_be_read_back_when_put_then_413_and_nothing_changes(world: World) -> None:
    # Within 400 KB by DynamoDB's rules for numbers, but many times that as text.
    digits = "1" + "0" * 100
    answer = world.put("dlg-1", f'{{"history": [{",".join([digits] * 60_000)}]}}')

    assert answer.status == 413
    assert world.stored() == {}


def test_given_a_base64_body_when_put_then_it_is_read_like_text(world: World) -> None:
    assert world.put("dlg-1", json.dumps({"name": "Größe"}, ensure_ascii=False).encode()).body["name"] == "Größe"


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", None])
def test_given_a_content_type_of_json_when_put_then_it_is_served(world: World, content_type: str | None) -> None:
    assert world.put("dlg-1", {"name": "a"}, content_type=content_type).status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data"])
def test_given_another_content_type_but_no_body_when_put_then_400(world: World, content_type: str) -> None:
    assert world.call("PUT", "dlg-1", content_type=content_type).status == 400


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_given_another_content_type_when_put_then_415(world: World, content_type: str) -> None:
    answer = world.put("dlg-1", "name=a&history=b", content_type=content_type)

    assert answer.status == 415
    assert world.stored() == {}


SECRET_NUMBER = "31415926535897932384626433832795028841971"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param("", "body", id="nothing"),
        pytest.param(None, "body", id="no body"),
        pytest.param(f'{{"{"x" * 5000}": "{SECRET}"}}', "x" * 200, id="unknown field of endless length"),
        pytest.param(f'{{"name": "{SECRET}"', "body", id="cut short"),
        pytest.param(f'["{SECRET}"]', "body", id="array"),
        pytest.param(f'[{{"name": "{SECRET}"}}]', "body", id="array of an object"),
        pytest.param("null", "body", id="null"),
        pytest.param("{}", "body", id="no field"),
        pytest.param(b"\xff\xfe", "body", id="not UTF-8"),
        pytest.param(f'{{"name": ["{SECRET}"]}}', "name", id="name is an array"),
        pytest.param(f'{{"name": {SECRET_NUMBER}}}', "name", id="name is a number"),
        pytest.param('{"name": null}', "name", id="name is null"),
        pytest.param('{"name": "\\ud800"}', "name", id="name is not Unicode"),
        pytest.param(f'{{"history": "{SECRET}"}}', "history", id="history is text"),
        pytest.param(f'{{"history": {{"a": "{SECRET}"}}}}', "history", id="history is an object"),
        pytest.param('{"history": null}', "history", id="history is null"),
        pytest.param(f'{{"configuration": ["{SECRET}"]}}', "configuration", id="configuration is an array"),
        pytest.param('{"configuration": 1}', "configuration", id="configuration is a number"),
        pytest.param(f'{{"userId": "{SECRET}"}}', "userId", id="field that is not the caller's to set"),
        pytest.param(f'{{"name": "a", "encrypted_history": "{SECRET}"}}', "encrypted_history", id="ciphertext"),
        pytest.param('{"name": "a", "lastUpdated": "2026"}', "lastUpdated", id="time"),
        pytest.param(f'{{"name": "a", "name": "{SECRET}"}}', "name", id="given twice"),
        pytest.param('{"history": [1, {"a": NaN}]}', "history[1].a", id="NaN"),
        pytest.param('{"configuration": {"a": -Infinity}}', "configuration.a", id="infinity"),
        pytest.param('{"history": [1e400]}', "history[0]", id="too large a number"),
        pytest.param(f'{{"history": [{SECRET_NUMBER}]}}', "history[0]", id="too many digits"),
        pytest.param(f'{{"history": {"[" * 40}{"]" * 40}}}', "history" + "[0]" * 33, id="too deep"),
        pytest.param(f'{{"history": {"[" * 50_000}{"]" * 50_000}}}', "body", id="far too deep"),
    ],
)
def test_given_a_malformed_body_when_put_then_400_names_the_field_and_nothing_is_echoed_or_stored(
    world: World, body: str | bytes | None, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.call("PUT", "dlg-1", body=body)

    output = "".join(capsys.readouterr())
    assert (answer.status, answer.body["field"]) == (400, field)
    assert answer.body["statusCode"] == 400
    assert SECRET not in answer.text + output
    assert SECRET_NUMBER not in answer.text + output
    assert world.stored() == {}
    assert [(line["operation"], line["result"]) for line in audit_lines(output)] == [("replace", "refused")]


def test_given_text_that_dynamodb_refuses_when_put_then_400(world: World) -> None:
    with world.faults.failing("dynamodb.UpdateItem", "ValidationException", message=f"malformed: {SECRET}"):
        answer = world.put("dlg-1", {"name": "a"})

    assert (answer.status, answer.body["field"]) == (400, "body")
    assert SECRET not in answer.text


# Deleting


def test_given_a_session_when_deleted_then_204_once_and_404_after(world: World) -> None:
    world.store(session())

    first = world.call("DELETE", "dlg-1")

    assert (first.status, first.text) == (204, "")
    assert world.stored() == {}
    assert world.call("DELETE", "dlg-1").status == 404
    assert world.call("GET", "dlg-1").status == 404


# Listing


def stocked(world: World, number: int, user: str = "alice") -> None:
    for day in range(1, number + 1):
        time = {"S": f"2026-01-{day:02}T08:00:00+00:00"}
        world.store(session(f"dlg-{day}", user, startTime=time, name={"S": f"Day {day}"}))


def test_given_sessions_when_listed_then_the_newest_is_first_and_nothing_is_decrypted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stocked(world, 3)
    stocked(world, 5, user="bob")
    world.call("GET", "dlg-2")
    world.calls.clear()

    answer = world.call("GET")

    assert answer.status == 200
    assert [entry["sessionId"] for entry in answer.body["sessions"]] == ["dlg-3", "dlg-2", "dlg-1"]
    assert [entry["encrypted"] for entry in answer.body["sessions"]] == [False, True, False]
    assert answer.body["sessions"][0] == {
        "sessionId": "dlg-3",
        "name": "Day 3",
        "startTime": "2026-01-03T08:00:00+00:00",
        "createTime": "2026-01-02T08:00:00+00:00",
        "lastUpdated": "2026-01-02T08:00:00+00:00",
        "encrypted": False,
    }
    assert "nextToken" not in answer.body
    assert world.calls == ["Query"]
    line = audit_lines(capsys.readouterr().out)[-1]
    assert (line["who"], line["operation"], line["result"]) == ("alice", "list", "done")
    assert "item" not in line


def test_given_no_sessions_when_listed_then_the_list_is_empty(world: World) -> None:
    assert world.call("GET").body == {"sessions": []}


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_given_pages_when_followed_then_each_session_comes_once_in_order(world: World, limit: int) -> None:
    stocked(world, 7)
    stocked(world, 7, user="bob")
    seen, query = [], f"limit={limit}"
    while True:
        page = world.call("GET", query=query).body
        assert len(page["sessions"]) <= limit
        seen += [entry["sessionId"] for entry in page["sessions"]]
        if "nextToken" not in page:
            break
        query = f"limit={limit}&nextToken={page['nextToken']}"

    assert seen == [f"dlg-{day}" for day in range(7, 0, -1)]


def test_given_many_sessions_when_listed_without_a_limit_then_50_come(world: World) -> None:
    for number in range(52):
        world.store(session(f"dlg-{number}"))

    assert len(world.call("GET").body["sessions"]) == 50
    assert len(world.call("GET", query="limit=100").body["sessions"]) == 52


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5", "", "1e1", "1,2"])
def test_given_a_limit_out_of_range_when_listed_then_400(world: World, limit: str) -> None:
    answer = world.call("GET", query=f"limit={limit}")

    assert (answer.status, answer.body["field"]) == (400, "limit")


def test_given_somebody_elses_or_a_damaged_token_when_listed_then_400(world: World) -> None:
    stocked(world, 3)
    stocked(world, 3, user="bob")
    token = world.call("GET", query="limit=1").body["nextToken"]

    assert world.call("GET", query=f"nextToken={token}").status == 200
    for user, given in [("bob", token), ("alice", token[:-2]), ("alice", token[::-1]), ("alice", "x"), ("alice", "")]:
        answer = world.call("GET", user=user, query=f"limit=1&nextToken={given}")
        assert (answer.status, answer.body["field"]) == (400, "nextToken")


def test_given_a_place_that_dynamodb_refuses_when_listed_then_400(world: World) -> None:
    stocked(world, 2)
    token = world.call("GET", query="limit=1").body["nextToken"]
    invalid = "The provided starting key is invalid"

    with world.faults.failing("dynamodb.Query", "ValidationException", message=invalid):
        assert world.call("GET", query=f"nextToken={token}").body["field"] == "nextToken"
        assert world.call("GET").status == 500


# What goes wrong behind


def tampered(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[-20] ^= 1
    return base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize(
    ("damage", "reason", "detail"),
    [
        pytest.param(lambda s: {**s, "encrypted_history": {"S": tampered(s["encrypted_history"]["S"])}},
                     "decryption-failed", "not-authentic", id="flipped bit"),
        pytest.param(lambda s: {**s, "encrypted_history": s["encrypted_configuration"]},
                     "decryption-failed", "wrong-attribute-or-content", id="swapped attributes"),
        pytest.param(lambda s: {**s, "encrypted_history": {"S": "bm8gbWVzc2FnZQ=="}},
                     "unknown-form", None, id="garbage"),
        pytest.param(lambda s: {**s, "encrypted_history": {"N": "1"}}, "unknown-form", None, id="number"),
    ],
)  # fmt: skip
def test_given_a_session_that_does_not_decrypt_when_read_then_one_sentence_and_the_audit_line_has_the_detail(
    world: World, damage: Any, reason: str, detail: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("dlg-1", {"history": [SECRET], "configuration": {"a": SECRET}})
    damaged = damage(world.stored())
    world.store(damaged)
    capsys.readouterr()

    answer = world.call("GET", "dlg-1")

    output = "".join(capsys.readouterr())
    assert answer.status == 500
    assert answer.body == {"statusCode": 500, "message": "The session could not be decrypted."}
    (line,) = audit_lines(output)
    assert (line["who"], line["operation"], line["result"]) == ("alice", "read", "failed")
    assert (line["reason"], line.get("detail")) == (reason, detail)
    assert line["item"] == {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
    assert line["keyArn"] == world.key_arn
    assert metrics(output)["DecryptionsFailed"] == [1.0]
    assert world.stored() == damaged
    assert "Traceback" not in output
    assert damaged["encrypted_configuration"]["S"] not in output


def test_given_one_field_that_does_not_decrypt_when_it_is_put_then_it_is_replaced(world: World) -> None:
    world.put("dlg-1", {"history": [SECRET], "configuration": {"a": 1}})
    world.update("encrypted_history", {"S": "bm8gbWVzc2FnZQ=="})

    assert world.put("dlg-1", {"configuration": {"a": 2}}).body["message"] == "The session could not be decrypted."
    assert world.put("dlg-1", {"history": ["anew"]}).status == 200
    assert world.call("GET", "dlg-1").body["history"] == ["anew"]


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("dynamodb.GetItem", "ProvisionedThroughputExceededException", 503),
        ("dynamodb.GetItem", "InternalServerError", 503),
        ("dynamodb.GetItem", "AccessDeniedException", 500),
        ("kms.Decrypt", "ThrottlingException", 503),
        ("kms.Decrypt", "DisabledException", 500),
        ("kms.Decrypt", "AccessDeniedException", 500),
    ],
)
def test_given_a_service_that_fails_when_read_then_the_answer_tells_whether_to_try_again(
    world: World, operation: str, code: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("dlg-1", {"history": [SECRET]})
    capsys.readouterr()

    with world.faults.failing(operation, code, message=f"no service for {SECRET}"):
        answer = world.call("GET", "dlg-1")

    output = "".join(capsys.readouterr())
    assert answer.status == status
    assert ("Retry-After" in answer.headers) == (status == 503)
    line = audit_lines(output)[-1]
    assert (line["result"], line["code"]) == ("failed", code)
    assert code not in answer.text
    assert "DecryptionsFailed" not in metrics(output), "nothing is known of the ciphertext"
    assert SECRET not in output
    assert any(line.get("level") == "ERROR" and line.get("code") == code for line in json_lines(output)) == (
        status == 500
    )


@pytest.mark.parametrize(("method", "operation"), [("DELETE", "DeleteItem"), ("PUT", "UpdateItem"), ("LIST", "Query")])
def test_given_throttling_when_anything_else_is_asked_for_then_503(world: World, method: str, operation: str) -> None:
    world.store(session())

    with world.faults.failing(f"dynamodb.{operation}", "ThrottlingException"):
        answer = world.call("GET") if method == "LIST" else world.call(method, "dlg-1", body='{"name": "a"}')

    assert answer.status == 503


def test_given_kms_without_an_answer_when_put_then_503_and_nothing_is_stored(world: World) -> None:
    with world.faults.failing("kms.GenerateDataKey", "KMSInternalException", status=500):
        assert world.put("dlg-1", {"history": [SECRET]}).status == 503
    assert world.stored() == {}


def test_given_a_surprise_when_served_then_500_and_it_is_logged_by_type_and_place_alone(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def surprise() -> None:
        raise LookupError(f"what is {SECRET}?")

    world.store(session())

    with world.faults.interrupting("dynamodb.GetItem", surprise, times=ALWAYS):
        answer = world.call("GET", "dlg-1")

    output = "".join(capsys.readouterr())
    assert answer.status == 500
    assert answer.body == {"statusCode": 500, "message": "Something went wrong; the request was not served."}
    assert SECRET not in answer.text + output
    (problem,) = [line for line in json_lines(output) if line.get("level") == "ERROR"]
    assert problem["error"] == "LookupError"
    assert problem["place"].startswith("test_reader_api.py:")
    assert audit_lines(output)[-1]["reason"] == "unexpected"


def test_given_an_event_of_another_shape_when_served_then_500_and_not_a_crash(world: World) -> None:
    assert lambda_handler({"httpMethod": "GET"}, factories.CONTEXT)["statusCode"] == 500


def test_given_a_route_that_is_not_there_when_asked_for_then_404(world: World) -> None:
    answer = world.call("POST", "dlg-1", body="{}")

    assert (answer.status, answer.body["message"]) == (404, "There is no such route.")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CONTEXT_ATTRIBUTES": "tenant,id"}, "CONTEXT_ATTRIBUTES: the API needs a table keyed by"),
        ({"USER_INDEX_NAME": ""}, "USER_INDEX_NAME is not set"),
        ({"SESSION_ENCRYPTION_ENABLED": "perhaps"}, "SESSION_ENCRYPTION_ENABLED must be true or false"),
        ({"SESSION_ENCRYPTION_KEY_ARN": "alias/sessions"}, "not by an alias"),
    ],
)
def test_given_a_configuration_that_cannot_work_when_started_then_the_log_says_which_setting(
    world: World, environment: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.set(**environment)

    answer = world.call("GET", "dlg-1")

    assert answer.status == 500
    assert "not configured correctly" in answer.body["message"]
    (line,) = json_lines(capsys.readouterr().out)
    assert sentence in line["detail"]


def test_given_a_service_that_does_not_answer_at_start_when_it_recovers_then_the_next_request_is_served(
    world: World,
) -> None:
    world.store(session())
    with world.faults.failing("kms.DescribeKey", "ThrottlingException"):
        assert world.call("GET", "dlg-1").status == 503

    assert world.call("GET", "dlg-1").status == 200


# What is logged


def test_given_a_life_of_a_session_when_served_then_each_operation_has_its_audit_line_and_metrics(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("dlg-1", {"history": [SECRET], "name": "Tides"})
    put = capsys.readouterr().out
    world.call("GET", "dlg-1")
    read = capsys.readouterr().out
    world.call("GET", "dlg-1", user="bob")
    absent = capsys.readouterr().out
    world.call("DELETE", "dlg-1")
    deleted = capsys.readouterr().out

    line = audit_lines(put)[-1]
    assert (line["who"], line["operation"], line["result"]) == ("alice", "replace", "created")
    assert sorted(line["attributes"]) == ["history", "name"]
    assert line["correlation_id"] == "request-1"
    assert metrics(put)["ItemsEncrypted"] == [1.0]
    assert metrics(put)["KmsCalls"] == [1.0]

    (line,) = audit_lines(read)
    assert (line["operation"], line["result"], line["attributes"]) == ("read", "done", ["history"])
    assert line["keyArn"] == world.key_arn
    assert metrics(read)["SessionReads"] == [1.0]
    assert metrics(read)["DecryptionsSucceeded"] == [1.0]
    assert len(metrics(read)["KmsLatency"]) == 1

    (line,) = audit_lines(absent)
    assert (line["who"], line["operation"], line["result"]) == ("bob", "read", "not-found")
    assert "SessionReads" not in metrics(absent)

    (line,) = audit_lines(deleted)
    assert (line["operation"], line["result"]) == ("delete", "done")
    assert line["item"] == {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}


def test_given_anything_that_is_served_or_refused_when_logged_then_no_value_body_or_token_is(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.store(session())
    world.store(factories.lisa_session(world.kms, world.key_arn, session("dlg-2")))
    world.call("GET", "dlg-1")
    world.call("GET", "dlg-2")
    world.put("dlg-1", {"name": "Named by " + SECRET, "history": [SECRET]})
    world.put("dlg-1", {"history": SECRET, SECRET: 1})
    world.put("dlg-1", f'{{"history": ["{SECRET}"')
    world.put("dlg-1", {"history": [SECRET * 20_000]})
    world.call("GET", query=f"nextToken={SECRET}")
    world.call("GET")
    world.call("GET", "dlg-1", authorizer=None)
    world.call("DELETE", "dlg-1")

    captured = capsys.readouterr()
    output = captured.out + captured.err + caplog.text
    assert len(audit_lines(captured.out)) >= 10
    for forbidden in (SECRET, "Wilhelmine", "Bearer", "eyJhbGciOiJSUzI1NiJ9", "AQICAH"):
        assert forbidden not in output
    assert captured.err == ""


@pytest.mark.filterwarnings("ignore:POWERTOOLS_DEV")
def test_given_debug_mode_of_powertools_when_served_then_no_event_is_printed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.set(POWERTOOLS_DEV="true", POWERTOOLS_EVENT_HANDLER_DEBUG="true")

    world.put("dlg-1", {"history": [SECRET]})

    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "GET", "session_id": "dlg-1"}, 200),
        ({"method": "GET"}, 200),
        ({"method": "PUT", "session_id": "dlg-2", "body": '{"name": "a"}'}, 201),
        ({"method": "PUT", "session_id": "dlg-1", "body": "{"}, 400),
        ({"method": "GET", "session_id": "dlg-1", "authorizer": None}, 401),
        ({"method": "GET", "session_id": "dlg-1", "authorizer": iam("AROASTRANGER:x")}, 403),
        ({"method": "GET", "session_id": "dlg-9"}, 404),
        ({"method": "DELETE", "session_id": "dlg-1"}, 204),
    ],
)
def test_given_any_answer_when_sent_then_it_is_neither_cached_nor_sniffed(
    world: World, options: dict[str, Any], status: int
) -> None:
    world.store(session(history=HISTORY, configuration=CONFIGURATION))

    answer = world.call(**options)

    assert answer.status == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
