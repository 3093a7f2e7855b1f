"""PUT and DELETE where DynamoDB's answer is lost, by the clients that the functions really have.

A write takes effect and its answer is lost, or it never arrives; in between, somebody else writes or deletes. Whatever
happens, a deleted session never comes back, and no write that was acknowledged in between is overwritten.
"""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from moto.core.models import botocore_stubber

from reader import application
from tests.factories import SECRET, TABLE, World, audit_lines, session

KEY: Any = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
NEWER = {"L": [{"S": "newer"}]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


class Lost:
    """Loses the first answers to an operation, and counts how often it was sent.

    Args:
        world: the world.
        operation: ``UpdateItem`` or ``DeleteItem``.
        takes_effect: whether each of the requests whose answer is lost takes effect.
        then: what somebody else does after each of them.
        error: what the client sees instead.
    """

    def __init__(
        self,
        world: World,
        *takes_effect: bool,
        operation: str = "UpdateItem",
        then: Callable[[], object] = lambda: None,
        error: Exception | None = None,
    ) -> None:
        self.sent = 0
        left = iter(takes_effect)

        def answer(event_name: str, request: Any, **_: Any) -> None:
            self.sent += 1
            effect = next(left, None)
            if effect is None:
                return
            if effect:
                botocore_stubber(event_name, request)
            then()
            raise error or ReadTimeoutError(endpoint_url="https://dynamodb")

        boto3.DEFAULT_SESSION.events.register_first(f"before-send.dynamodb.{operation}", answer)
        world.set()


def delete(world: World) -> None:
    world.dynamodb.delete_item(TableName=TABLE, Key=KEY)


def unknown(answer: Any) -> bool:
    """Tell whether an answer says that nobody knows, and does not ask to be repeated blindly."""
    assert answer.status == 503
    assert answer.body["outcome"] == "unknown"
    assert "Retry-After" not in answer.headers
    return True


# PUT


def test_given_a_write_that_took_effect_when_its_answer_is_lost_then_it_is_found_and_not_sent_again(
    world: World,
) -> None:
    world.store(session())
    lost = Lost(world, True)

    answer = world.put("dlg-1", {"history": ["mine"]})

    assert (answer.status, answer.body["history"]) == (200, ["mine"])
    assert lost.sent == 1
    assert world.call("GET", "dlg-1").body["history"] == ["mine"]


def test_given_a_creation_that_took_effect_when_its_answer_is_lost_then_it_is_found(world: World) -> None:
    lost = Lost(world, True)

    answer = world.put("dlg-1", {"history": ["mine"]})

    assert (answer.status, lost.sent) == (201, 1)
    assert "encrypted_history" in world.stored()


def test_given_a_write_that_never_arrived_when_nothing_changed_then_it_is_sent_again(world: World) -> None:
    world.store(session())
    lost = Lost(world, False)

    assert world.put("dlg-1", {"history": ["mine"]}).status == 200
    assert lost.sent == 2
    assert world.call("GET", "dlg-1").body["history"] == ["mine"]


@pytest.mark.parametrize("takes_effect", [True, False])
@pytest.mark.parametrize("existed", [True, False])
def test_given_a_lost_answer_when_the_owner_deletes_in_between_then_the_session_stays_deleted(
    world: World, existed: bool, takes_effect: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if existed:
        world.store(session())
    lost = Lost(world, takes_effect, then=lambda: delete(world))

    assert unknown(world.put("dlg-1", {"history": [SECRET]}))

    assert world.stored() == {}
    assert lost.sent == 1
    output = capsys.readouterr().out
    line = audit_lines(output)[-1]
    assert (line["operation"], line["result"], line["reason"]) == ("replace", "failed", "outcome-unknown")
    assert SECRET not in output


@pytest.mark.parametrize("takes_effect", [True, False])
@pytest.mark.parametrize("existed", [True, False])
def test_given_a_lost_answer_when_another_write_is_acknowledged_in_between_then_it_stands(
    world: World, existed: bool, takes_effect: bool
) -> None:
    if existed:
        world.store(session())
    lost = Lost(world, takes_effect, then=lambda: world.store(session(history=NEWER)))

    assert unknown(world.put("dlg-1", {"history": ["mine"]}))

    assert world.stored() == session(history=NEWER)
    assert lost.sent == 1


def test_given_a_creation_that_never_arrived_when_the_session_is_absent_then_nobody_knows(world: World) -> None:
    lost = Lost(world, False)

    assert unknown(world.put("dlg-1", {"history": ["mine"]}))
    assert (lost.sent, world.stored()) == (1, {})


def test_given_the_second_sending_lost_too_when_the_first_arrives_late_then_a_write_after_it_stands(
    world: World,
) -> None:
    world.store(session())
    late: list[Any] = []

    def first_is_late(event_name: str, request: Any, **_: Any) -> None:
        if not late:
            late.append(request)
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        if len(late) == 1:
            late.append(None)
            botocore_stubber(event_name, late[0])  # The first one arrives after all,
            world.store(session(history=NEWER))  # somebody answers to it, and only then comes the second one.

    boto3.DEFAULT_SESSION.events.register_first("before-send.dynamodb.UpdateItem", first_is_late)
    world.set()

    assert unknown(world.put("dlg-1", {"history": ["mine"]}))
    assert world.stored() == session(history=NEWER)


@pytest.mark.parametrize("stored", ["encrypted", "plain"])
def test_given_a_write_of_a_name_alone_when_its_first_sending_arrives_late_then_a_write_after_it_stands(
    world: World, stored: str
) -> None:
    """It changes nothing that is encrypted, so nothing that is encrypted tells it apart from what came after."""
    world.store(session())
    if stored == "encrypted":
        world.call("GET", "dlg-1")
        assert "encrypted_history" in world.stored()
    late: list[Any] = []

    def first_is_late(event_name: str, request: Any, **_: Any) -> None:
        if not late:
            late.append((event_name, request))
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    boto3.DEFAULT_SESSION.events.register_first("before-send.dynamodb.UpdateItem", first_is_late)
    world.set()

    assert world.put("dlg-1", {"name": "mine"}).status == 200
    assert world.put("dlg-1", {"name": "theirs"}).status == 200
    botocore_stubber(*late[0])

    assert world.stored()["name"] == {"S": "theirs"}


def test_given_a_lost_answer_when_the_session_cannot_be_read_then_nobody_knows(world: World) -> None:
    world.store(session())

    def no_more_reads() -> None:
        boto3.DEFAULT_SESSION.events.register_first("before-send.dynamodb.GetItem", refuse)

    def refuse(**_: Any) -> None:
        if lost.sent:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    no_more_reads()
    lost = Lost(world, True)

    assert unknown(world.put("dlg-1", {"history": ["mine"]}))
    assert lost.sent == 1


@pytest.mark.parametrize("status", [500, 503])
def test_given_dynamodb_that_fails_at_work_when_put_then_its_write_may_have_been_made(
    world: World, status: int
) -> None:
    sent: list[int] = []
    world.faults.lasting.begin(world.faults.interrupting("dynamodb.UpdateItem", lambda: sent.append(1), times=9))
    world.faults.lasting.begin(world.faults.failing("dynamodb.UpdateItem", "InternalServerError", status=status))

    assert unknown(world.put("dlg-1", {"name": "mine"}))
    assert len(sent) == 1


@pytest.mark.parametrize(
    "error", [ConnectTimeoutError(endpoint_url="https://dynamodb"), None], ids=["not reached", "throttled"]
)
def test_given_a_write_that_certainly_did_nothing_when_put_then_it_is_tried_again_and_the_caller_may_too(
    world: World, error: Exception | None
) -> None:
    sent: list[int] = []
    world.faults.lasting.begin(world.faults.interrupting("dynamodb.UpdateItem", lambda: sent.append(1), times=9))
    if error is None:
        world.faults.lasting.begin(world.faults.failing("dynamodb.UpdateItem", "ThrottlingException"))
    else:
        Lost(world, False, False, False, error=error)

    answer = world.put("dlg-1", {"name": "mine"})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "outcome" not in answer.body
    assert len(sent) == 3


# DELETE


def test_given_a_deletion_that_took_effect_when_its_answer_is_lost_then_it_is_done(world: World) -> None:
    world.store(session())
    lost = Lost(world, True, operation="DeleteItem")

    assert world.call("DELETE", "dlg-1").status == 204
    assert lost.sent == 1


def test_given_a_deletion_whose_answer_is_lost_when_the_session_is_made_anew_then_it_stays(world: World) -> None:
    world.store(session())
    lost = Lost(world, True, operation="DeleteItem", then=lambda: world.store(session(history=NEWER)))

    assert unknown(world.call("DELETE", "dlg-1"))
    assert (lost.sent, world.stored()) == (1, session(history=NEWER))
