"""What accesses leave in audit lines and metrics: who acted, what was decrypted, what failed."""

import time
from collections.abc import Callable, Iterator
from threading import Timer
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from http_api.audit import told_in_time
from reader import application, handler
from reader.item import ItemUnreadable
from tests.factories import (
    HISTORY,
    Answer,
    World,
    audit_lines,
    json_lines,
    jwt,
    lisa_session,
    metrics,
    request,
    session,
)

KEY = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
OTHER = {"L": [{"S": "other"}]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


def reconciled(output: str) -> list[tuple[str, str, list[str]]]:
    return [
        (line["who"], line["result"], line["attributes"])
        for line in audit_lines(output)
        if line["operation"] == "reconcile"
    ]


BOTH = ["history", "configuration"]


def test_given_plaintext_when_its_owner_reads_then_the_owner_is_who_had_it_encrypted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())

    assert world.call("GET", "dlg-1").status == 200

    output = capsys.readouterr().out
    assert reconciled(output) == [("alice", "encrypted", BOTH)]
    assert metrics(output)["SessionReads"] == [1.0]
    assert "DecryptionsSucceeded" not in metrics(output)


def test_given_ciphertext_when_its_owner_reads_then_each_value_is_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.call("GET", "dlg-1")
    capsys.readouterr()

    assert world.call("GET", "dlg-1").status == 200

    output = capsys.readouterr().out
    assert reconciled(output) == []
    assert metrics(output)["DecryptionsSucceeded"] == [2.0]
    assert "DecryptionsFailed" not in metrics(output)


def test_given_no_session_when_it_is_asked_for_then_nothing_is_counted_as_decrypted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.call("GET", "dlg-1").status == 404
    assert world.item({"Key": KEY}) == {"Item": None}

    counted = metrics(capsys.readouterr().out)
    assert not {"DecryptionsSucceeded", "DecryptionsFailed", "SessionReads"} & counted.keys()


def test_given_a_service_when_it_reads_then_the_audit_lines_say_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())

    assert world.item({"Key": KEY})["Item"]["history"] == HISTORY

    output = capsys.readouterr().out
    assert reconciled(output) == [("invoker", "encrypted", BOTH)]
    (line,) = [line for line in audit_lines(output) if line["operation"] == "read"]
    assert (line["who"], line["item"], line["attributes"]) == ("invoker", KEY, BOTH)
    assert "SessionReads" not in metrics(output)


def test_given_a_put_when_it_is_made_then_its_user_is_who_had_it_encrypted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.put("dlg-1", {"history": ["mine"]}).status == 201

    assert reconciled(capsys.readouterr().out) == [("alice", "encrypted", ["history"])]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "item"])
def test_given_a_session_that_cannot_be_decrypted_when_it_is_asked_for_then_it_is_counted_once(
    world: World, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session(history=None, encrypted_history={"S": "Z2FyYmFnZQ=="}))

    if method == "GET":
        assert world.call("GET", "dlg-1").status == 500
    elif method == "PUT":
        assert world.put("dlg-1", {"configuration": {}}).status == 500
    elif method == "DELETE":
        assert world.call("DELETE", "dlg-1").status == 204  # Without a condition nobody looks at it.
    else:
        with pytest.raises(ItemUnreadable):
            world.item({"Key": KEY})

    failed = metrics(capsys.readouterr().out).get("DecryptionsFailed")
    assert failed == (None if method == "DELETE" else [1.0])


def test_given_a_session_that_grew_too_large_when_it_is_put_then_that_is_no_failed_decryption(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session(other={"S": "x" * 300_000}))

    assert world.put("dlg-1", {"history": ["y" * 200_000]}).status == 413

    assert "DecryptionsFailed" not in metrics(capsys.readouterr().out)


@pytest.mark.parametrize(("code", "is_problem"), [("AccessDeniedException", True), ("ThrottlingException", False)])
def test_given_a_write_that_fails_on_access_when_it_lasts_then_somebody_is_told(
    world: World, code: str, is_problem: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())

    with world.faults.failing("dynamodb.UpdateItem", code):
        assert world.call("GET", "dlg-1").status == 200

    told = [line for line in json_lines(capsys.readouterr().out) if line.get("level") == "ERROR"]
    assert [line["message"] for line in told] == ["the item stays as it is stored"] * is_problem
    assert world.stored()["history"] == HISTORY


def test_given_lisas_session_when_it_is_listed_then_it_says_that_it_is_encrypted(world: World) -> None:
    world.store(lisa_session(world.kms, world.key_arn, session("dlg-1")))
    world.store(session("dlg-2", startTime={"S": "2026-01-01T08:00:00+00:00"}))
    world.store(session("dlg-3", startTime={"S": "2025-01-01T08:00:00+00:00"}, is_encrypted={"BOOL": False}))

    listed = world.call("GET").body["sessions"]

    assert [(each["sessionId"], each["encrypted"]) for each in listed] == [
        ("dlg-1", True),
        ("dlg-2", False),
        ("dlg-3", False),
    ]
    assert all(not {"history", "configuration", "userId", "is_encrypted"} & each.keys() for each in listed)


@pytest.mark.parametrize("content", [{"history": ["mine"]}, {"configuration": {"model": "small"}}])
def test_given_a_session_when_part_of_it_is_put_then_the_rest_is_answered_as_it_was(world: World, content: Any) -> None:
    world.store(session(history=OTHER))

    answer = world.put("dlg-1", content)

    assert answer.status == 200
    assert answer.body["history"] == content.get("history", ["other"])
    assert answer.body["configuration"]["model"] == "small"
    assert answer.body["startTime"] == "2026-01-02T08:00:00+00:00"  # Kept: it was there.
    assert answer.body["lastUpdated"] > "2026-01-02T08:00:00+00:00"


class Hanging:
    """Calls that last until somebody is told of the request."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.lines: list[dict[str, Any]] = []
        self._capsys = capsys

    def __call__(self, **_: Any) -> None:
        for _second in range(200):
            self.lines += audit_lines(self._capsys.readouterr().out)
            if self.lines:
                return
            time.sleep(0.05)


def put_with(seconds: float) -> Answer:
    late = SimpleNamespace(aws_request_id="late", get_remaining_time_in_millis=lambda: seconds * 1000)
    return Answer(
        handler.lambda_handler(request("PUT", "dlg-1", authorizer=jwt("alice"), body='{"history": []}'), late)
    )


@pytest.mark.parametrize("operation", ["kms.GenerateDataKey", "dynamodb.UpdateItem"])
def test_given_a_service_that_hangs_when_lambda_is_about_to_end_the_function_then_the_request_has_its_line(
    world: World, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    world.store(session())
    hanging = Hanging(capsys)
    boto3.DEFAULT_SESSION.events.register_first(f"before-call.{operation}", hanging)
    world.set()

    assert put_with(1.1).status == 200

    (line,) = hanging.lines
    assert (line["who"], line["operation"], line["item"]["sessionId"]) == ("alice", "replace", {"S": "dlg-1"})
    assert (line["result"], line["reason"]) == ("unknown", "out-of-time")
    (after,) = [line for line in audit_lines(capsys.readouterr().out) if line["operation"] == "replace"]
    assert after["result"] == "replaced"  # It ended after all.


def test_given_a_start_that_hangs_when_lambda_is_about_to_end_the_function_then_the_request_has_its_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    hanging = Hanging(capsys)
    boto3.DEFAULT_SESSION.events.register_first("before-call.dynamodb.DescribeTable", hanging)
    world.set()

    put_with(1.1)

    (line,) = hanging.lines
    assert (line["who"], line["operation"]) == ("unknown", "replace")
    assert (line["result"], line["reason"]) == ("unknown", "out-of-time")


@pytest.mark.parametrize(("left", "after"), [(28.0, 27.0), (0.4, 0.0)])
def test_given_so_much_time_when_a_request_begins_then_its_line_is_due_a_second_before(
    monkeypatch: pytest.MonkeyPatch, left: float, after: float
) -> None:
    due: list[float] = []

    def timer(seconds: float, tell: Callable[[], None]) -> Timer:
        due.append(seconds)
        return Timer(seconds, tell)

    monkeypatch.setattr("http_api.audit.Timer", timer)
    with told_in_time(left, lambda: None):
        pass
    assert due == [after]
