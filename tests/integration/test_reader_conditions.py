"""ETag, If-Match and If-None-Match: no update is lost without anybody noticing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from item_crypto.reconcile import Reconciler
from reader import application
from reader.handler import lambda_handler
from tests import factories
from tests.factories import CONFIGURATION, HISTORY, SECRET, World, audit_lines, json_lines, metrics, request, session

NEWER: Any = {"L": [{"S": "newer"}]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


def before_the_update(world: World, action: Callable[[], object]) -> None:
    """Do ``action`` between a read of the function and the update that follows: the worst moment."""
    world.faults.lasting.begin(world.faults.interrupting("dynamodb.UpdateItem", action))


def send(world: World, method: str, body: str | None = None, user: str = "alice", **headers: str) -> Any:
    """Send a request about ``dlg-1`` under headers, each named as a Python name."""
    event = request(method, "dlg-1", body=body, authorizer=factories.jwt(user))
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return factories.Answer(lambda_handler(event, factories.CONTEXT))


def tag(world: World) -> str:
    return str(send(world, "GET").headers["ETag"])


CHANGE = '{"history": ["mine"]}'


# Tags


def test_given_a_session_when_read_in_every_stored_form_then_its_tag_is_one(world: World) -> None:
    world.store(session())
    world.set(SESSION_ENCRYPTION_ENABLED="false")
    plain = tag(world)
    world.set(SESSION_ENCRYPTION_ENABLED="true")
    encrypting, encrypted = tag(world), tag(world)
    assert "encrypted_history" in world.stored()
    world.store(factories.lisa_session(world.kms, world.key_arn, session()))
    lisa = tag(world)

    assert {plain, encrypting, encrypted, lisa} == {plain}
    assert plain[0] == plain[-1] == '"'
    assert len(plain) == 45


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"M": {"a": {"N": "1"}, "b": {"N": "2"}}}, {"M": {"b": {"N": "2"}, "a": {"N": "1.0"}}}),
        ({"M": {"a": {"SS": ["x", "y"]}}}, {"M": {"a": {"SS": ["y", "x"]}}}),
        ({"M": {"a": {"NS": ["1", "2"]}}}, {"M": {"a": {"NS": ["2.0", "1e0"]}}}),
    ],
    ids=["members and spellings", "strings", "numbers"],
)
def test_given_what_has_no_order_when_it_comes_in_another_then_the_tag_is_the_same(
    world: World, one: Any, other: Any
) -> None:
    world.store(session(configuration=one))
    first = tag(world)
    world.store(session(configuration=other))

    assert tag(world) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"name": {"S": "Other"}},
        {"history": NEWER},
        {"configuration": None},
        {"lastUpdated": {"S": "2026-01-02T08:00:01+00:00"}},
        {"tags": {"SS": ["boat"]}},
        {"history": {"L": [*HISTORY["L"], *HISTORY["L"]]}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_given_any_change_of_what_is_shown_when_read_then_the_tag_is_another(world: World, changes: Any) -> None:
    world.store(session())
    before = tag(world)
    world.store(session(**changes))

    assert tag(world) != before


def test_given_a_put_when_it_is_answered_then_its_tag_is_the_one_of_a_read(world: World) -> None:
    created = send(world, "PUT", CHANGE)
    assert (created.status, created.headers["ETag"]) == (201, tag(world))
    replaced = send(world, "PUT", '{"configuration": {"a": 1.50, "b": 1E100}}')
    assert (replaced.status, replaced.headers["ETag"]) == (200, tag(world))
    assert created.headers["ETag"] != replaced.headers["ETag"]


def test_given_a_tag_when_it_is_sent_and_received_then_it_is_nowhere_in_log_or_table(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    given = tag(world)
    send(world, "PUT", CHANGE, if_match=given)
    send(world, "PUT", CHANGE, if_match=given)
    send(world, "DELETE", if_match=given)

    output = capsys.readouterr().out
    for name in (given, tag(world)):
        assert name.strip('"') not in output
        assert name.strip('"') not in repr(world.stored())


# If-Match


@pytest.mark.parametrize("form", ["plaintext", "encrypted"])
def test_given_the_tag_of_what_stands_when_put_then_it_is_written_and_the_old_tag_serves_no_more(
    world: World, form: str
) -> None:
    world.store(session())
    before = tag(world)
    if form == "plaintext":
        world.store(session())

    first = send(world, "PUT", CHANGE, if_match=before)
    second = send(world, "PUT", '{"history": ["late"]}', if_match=before)

    assert (first.status, first.body["configuration"]["prompt"]) == (200, SECRET)
    assert second.status == 412
    assert send(world, "GET").body["history"] == ["mine"]
    assert send(world, "PUT", '{"name": "b"}', if_match=first.headers["ETag"]).status == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("*", 200),
        ('"other", {tag}', 200),
        ('{tag},"other"', 200),
        ('"other"', 412),
        ("W/{tag}", 412),
        ("{bare}", 400),
        ("", 400),
        ('{tag} "other"', 400),
        ('"unfinished', 400),
    ],
)
def test_given_a_condition_in_any_spelling_when_put_then_it_is_honoured_or_refused(
    world: World, condition: str, status: int
) -> None:
    world.store(session())
    now = tag(world)
    before = world.stored()

    answer = send(world, "PUT", CHANGE, if_match=condition.format(tag=now, bare=now.strip('"')))

    assert answer.status == status
    assert (world.stored() == before) == (status != 200)
    if status == 400:
        assert answer.body["field"] == "If-Match"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("condition", ["*", '"x"'])
def test_given_no_session_when_a_condition_asks_for_one_then_412_and_anothers_is_as_absent(
    world: World, method: str, condition: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session(user="bob"))
    answer = send(world, method, CHANGE if method == "PUT" else None, if_match=condition)

    assert answer.status == 412
    assert answer.body == {"statusCode": 412, "message": "The session is not what If-Match or If-None-Match says."}
    assert world.stored() == {}
    assert world.stored(user="bob") == session(user="bob")
    line = audit_lines(capsys.readouterr().out)[-1]
    assert (line["result"], line["status"]) == ("precondition-failed", 412)


@pytest.mark.parametrize("name", ["name", "history", "lastUpdated", "tags", "configuration"])
def test_given_a_writer_between_read_and_write_when_put_under_a_tag_then_412_and_theirs_stands(
    world: World, name: str
) -> None:
    world.store(session(tags={"L": [{"S": "a"}]}))
    before = tag(world)
    before_the_update(world, lambda: world.update(name, NEWER if name != "name" else {"S": "theirs"}))

    assert send(world, "PUT", '{"history": ["mine"], "name": "mine"}', if_match=before).status == 412

    theirs = send(world, "GET").body
    assert theirs[name] == ("theirs" if name == "name" else ["newer"])
    assert theirs["history"] != ["mine"]


def test_given_a_name_that_another_gives_first_when_put_under_a_tag_then_412(world: World) -> None:
    world.store(session(name=None))
    before = tag(world)
    before_the_update(world, lambda: world.update("name", {"S": "theirs"}))

    assert send(world, "PUT", '{"name": "mine"}', if_match=before).status == 412
    assert world.stored()["name"] == {"S": "theirs"}


def test_given_our_own_encryption_between_read_and_write_when_put_under_a_tag_then_it_is_no_conflict(
    world: World,
) -> None:
    world.store(session())
    world.set(SESSION_ENCRYPTION_ENABLED="false")
    before = tag(world)
    world.set(SESSION_ENCRYPTION_ENABLED="true")
    runtime = application.item_reader()

    def encrypt() -> None:
        key: Any = {name: session()[name] for name in ("sessionId", "userId")}
        Reconciler(runtime.table, runtime.cipher).access(key, runtime.policy())

    before_the_update(world, encrypt)

    answer = send(world, "PUT", '{"name": "mine"}', if_match=before)

    assert (answer.status, answer.body["name"], answer.body["history"][0]["content"]) == (200, "mine", SECRET)


def test_given_a_session_that_is_deleted_in_between_when_put_under_a_tag_then_412_and_it_stays_deleted(
    world: World,
) -> None:
    world.store(session())
    before = tag(world)
    key: Any = {name: session()[name] for name in ("sessionId", "userId")}
    before_the_update(world, lambda: world.dynamodb.delete_item(TableName=factories.TABLE, Key=key))

    assert send(world, "PUT", CHANGE, if_match=before).status == 412
    assert world.stored() == {}


def test_given_no_condition_when_two_put_different_fields_then_both_stand(world: World) -> None:
    world.store(session())
    before_the_update(world, lambda: world.update("name", {"S": "theirs"}))

    assert send(world, "PUT", CHANGE).status == 200
    assert {name: send(world, "GET").body[name] for name in ("name", "history")} == {
        "name": "theirs",
        "history": ["mine"],
    }


# If-None-Match


def test_given_if_none_match_when_put_then_it_creates_and_never_replaces(world: World) -> None:
    assert send(world, "PUT", CHANGE, if_none_match="*").status == 201
    before = world.stored()
    assert send(world, "PUT", '{"name": "b"}', if_none_match="*").status == 412
    assert world.stored() == before


def test_given_if_none_match_when_somebody_creates_it_in_between_then_412(world: World) -> None:
    before_the_update(world, lambda: world.store(session()))

    assert send(world, "PUT", CHANGE, if_none_match="*").status == 412
    assert world.stored() == session()


def test_given_if_none_match_when_a_session_stands_that_cannot_be_decrypted_then_412_all_the_same(
    world: World,
) -> None:
    world.store(session(history=None, encrypted_history={"S": "garbage"}))

    assert send(world, "PUT", CHANGE, if_none_match="*").status == 412


@pytest.mark.parametrize(("method", "condition"), [("PUT", '"x"'), ("PUT", ""), ("DELETE", "*")])
def test_given_if_none_match_where_it_means_nothing_when_sent_then_400(
    world: World, method: str, condition: str
) -> None:
    answer = send(world, method, CHANGE if method == "PUT" else None, if_none_match=condition)

    assert (answer.status, answer.body["field"]) == (400, "If-None-Match")


# DELETE


def test_given_the_tag_of_what_stands_when_deleted_then_it_is_gone_and_with_another_it_stays(world: World) -> None:
    world.store(session())
    now = tag(world)

    assert send(world, "DELETE", if_match='"other"').status == 412
    assert world.stored() != {}
    assert send(world, "DELETE", if_match=now).status == 204
    assert world.stored() == {}


def test_given_a_session_that_cannot_be_decrypted_when_deleted_under_a_tag_then_it_stays_and_that_is_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = session(history=None, encrypted_history={"S": "Z2FyYmFnZQ=="})
    world.store(stored)

    assert send(world, "DELETE", if_match='"other"').status == 500

    assert world.stored() == stored
    assert metrics(capsys.readouterr().out)["DecryptionsFailed"] == [1.0]


@pytest.mark.parametrize("name", ["name", "history", "lastUpdated", "configuration"])
def test_given_a_writer_between_read_and_deletion_when_deleted_under_a_tag_then_412_and_theirs_stands(
    world: World, name: str
) -> None:
    world.store(session())
    now = tag(world)
    meet(world, lambda: world.update(name, NEWER))

    assert send(world, "DELETE", if_match=now).status == 412
    assert send(world, "GET").body[name] == ["newer"]


@pytest.mark.parametrize("name", ["name", "history", "lastUpdated", "startTime"])
def test_given_what_another_gives_first_when_deleted_under_a_tag_then_412_and_theirs_stands(
    world: World, name: str
) -> None:
    world.store({key: value for key, value in session().items() if key != name})
    now = tag(world)
    meet(world, lambda: world.update(name, NEWER))

    assert send(world, "DELETE", if_match=now).status == 412
    assert send(world, "GET").body[name] == ["newer"]


def test_given_our_own_encryption_in_between_when_deleted_under_a_tag_then_it_is_no_conflict(world: World) -> None:
    world.store(session())
    now = tag(world)
    encrypted = world.stored()
    world.store(session())
    meet(world, lambda: world.store(encrypted))

    assert send(world, "DELETE", if_match=now).status == 204
    assert world.stored() == {}


def meet(world: World, action: Callable[[], None]) -> None:
    """Do ``action`` between the function's read and its first deletion."""
    left = iter([action])
    boto3.DEFAULT_SESSION.events.register(
        "before-parameter-build.dynamodb.DeleteItem", lambda **_: next(left, lambda: None)()
    )
    world.set()


# What is told of failures


def test_given_a_session_that_cannot_be_decrypted_when_put_then_the_failure_is_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("dlg-2", {"history": [SECRET]})
    foreign = world.stored("dlg-2")["encrypted_history"]
    world.store(session(history=None, encrypted_history=foreign))
    capsys.readouterr()

    answer = send(world, "PUT", '{"name": "b"}')

    assert answer.status == 500
    assert metrics(capsys.readouterr().out)["DecryptionsFailed"] == [1.0]


def test_given_kms_that_refuses_when_read_then_the_owner_reads_and_the_log_and_a_metric_say_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.faults.lasting.begin(world.faults.failing("kms.GenerateDataKey", "AccessDeniedException"))

    answer = send(world, "GET")

    output = capsys.readouterr().out
    assert (answer.status, answer.body["configuration"]["model"]) == (200, CONFIGURATION["M"]["model"]["S"])
    assert metrics(output)["ItemsFailedSystemic"] == [1.0]
    problems = [line for line in json_lines(output) if line.get("level") == "ERROR"]
    assert [line["reason"] for line in problems] == ["kms-AccessDeniedException"]


# Ids


@pytest.mark.parametrize("session_id", [".", ".."])
def test_given_an_id_that_is_a_dot_segment_when_put_then_400_and_what_others_stored_can_be_read(
    world: World, session_id: str
) -> None:
    answer = world.put(session_id, {"name": "x"})

    assert (answer.status, answer.body["field"]) == (400, "sessionId")
    assert world.stored(session_id) == {}
    world.store(session(session_id))
    assert world.call("GET", session_id).status == 200
    assert world.call("DELETE", session_id).status == 204


def test_given_a_request_when_audited_then_its_line_carries_both_ids(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    send(world, "GET")
    line = audit_lines(capsys.readouterr().out)[-1]

    assert (line["requestId"], line["correlation_id"]) == ("r-1", factories.CONTEXT.aws_request_id)


def test_given_a_function_that_cannot_start_when_called_then_the_request_is_audited_all_the_same(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.set(CONTEXT_ATTRIBUTES="userId")

    assert send(world, "GET").status == 500

    (line,) = audit_lines(capsys.readouterr().out)
    assert (line["operation"], line["result"], line["reason"]) == ("read", "failed", "configuration")
    assert (line["requestId"], line["correlation_id"]) == ("r-1", factories.CONTEXT.aws_request_id)


def test_given_a_body_over_3_mb_when_put_then_413_and_the_request_is_audited(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.put("dlg-1", json.dumps({"history": [1] * 1_600_000}))

    assert answer.status == 413
    assert answer.body["message"] == "The body is larger than 3 MB."
    line = audit_lines(capsys.readouterr().out)[-1]
    assert (line["operation"], line["result"], line["status"]) == ("replace", "refused", 413)


def test_given_a_body_that_would_be_over_400_kb_when_put_then_413_and_the_request_is_audited(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.put("dlg-1", json.dumps({"history": [1.5] * 125_000}))

    assert answer.status == 413
    line = audit_lines(capsys.readouterr().out)[-1]
    assert (line["operation"], line["result"], line["reason"]) == ("replace", "failed", "item-too-large")
    assert world.stored() == {}
