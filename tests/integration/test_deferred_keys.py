"""Deferred keys: what is settled, what is tried again, and what becomes of a message that is none."""

import json
from typing import Any

import pytest

from migrator import deferred
from migrator.application import application
from tests.factories import metrics
from tests.faults import failing
from tests.migration import TABLE, Migration, context
from tests.records import bodies, event_of, sqs_record
from tests.refusals import refuse


def message(session: str, **members: Any) -> str:
    key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    return json.dumps({"kind": "deferred", "table": TABLE, "key": key, "reason": "appended", "attempts": 1, **members})


def taken(world: Migration, *messages: str, received: int = 1, seconds: float = 300) -> list[str]:
    """Deliver messages in one batch; return those that come again, by place."""
    records = [sqs_record(body, message_id=str(place), received=received) for place, body in enumerate(messages)]
    answer = deferred.handle(event_of(*records), context(seconds), world.parts)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("body", ["no JSON", "{}", message("s1", table="another"), message("s1", key={})])
def test_given_a_message_that_names_no_key_when_taken_then_it_is_a_dead_letter_as_it_is(
    world: Migration, body: str
) -> None:
    world.plain("s2")

    assert taken(world, body, message("s2")) == []

    (letter,) = world.sqs.receive_message(QueueUrl=world.failures, VisibilityTimeout=0)["Messages"]
    assert letter["Body"] == body
    assert "history" not in world.get("s2")


def test_given_a_batch_when_lambda_hands_it_over_then_it_is_told_what_comes_again(world: Migration) -> None:
    world.plain("s1")
    event = event_of(sqs_record(message("s1")), sqs_record(message("s2"), message_id="later"))
    assert deferred.lambda_handler(event, context()) == {"batchItemFailures": []}
    assert "history" not in world.get("s1")

    world.plain("s2")
    with failing(application().runtime.clients.kms, "kms", "AccessDeniedException"):
        answer = deferred.lambda_handler(event, context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "later"}]}


def test_given_a_refusal_when_taken_then_that_message_comes_again_and_the_others_are_done(
    world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        world.plain(f"s{number}")
    refuse(
        world.clients.dynamodb,
        "dynamodb.UpdateItem",
        "AccessDeniedException",
        when=lambda request: request["Key"]["sessionId"]["S"] == "s1",
    )

    assert taken(world, *[message(f"s{number}") for number in range(3)]) == ["1"]

    assert bodies(world.failures) == []
    assert ["history" in world.get(f"s{number}") for number in range(3)] == [False, True, False]
    counted = metrics(capsys.readouterr().out)
    assert counted["ItemsFailedSystemic"] == [1.0]
    assert counted["KmsCalls"] == [3.0]


def test_given_time_that_is_nearly_used_up_when_taken_then_no_key_is_begun_and_none_is_lost(world: Migration) -> None:
    for number in range(2):
        world.plain(f"s{number}")
    left = iter([60_000, 60_000, *[29_000] * 100])
    clock = context()
    clock.get_remaining_time_in_millis = lambda: next(left)
    records = [sqs_record(message(f"s{number}"), message_id=str(number)) for number in range(2)]

    answer = deferred.handle(event_of(*records), clock, world.parts)

    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    assert failed == {str(number) for number in range(2) if "history" in world.get(f"s{number}")}
    assert "1" in failed


def test_given_poison_when_taken_for_the_nth_time_then_its_letter_tells_how_often(world: Migration) -> None:
    world.put("s1", encrypted_history={"S": "%%%"})

    assert taken(world, message("s1"), received=4) == []

    (letter,) = bodies(world.failures)
    assert (letter["reason"], letter["attempts"]) == ("unknown-form", 4)


@pytest.mark.parametrize(("received", "comes_again"), [(1, True), (2, True), (3, False)])
def test_given_a_key_that_only_others_know_when_taken_then_they_are_waited_for_twice(
    world: Migration, received: int, comes_again: bool
) -> None:
    world.plain("s1")
    world.run("encrypt", segments=1)
    world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn)

    assert taken(world, message("s1"), received=received) == (["0"] if comes_again else [])

    assert len(bodies(world.failures)) == (0 if comes_again else 1)


def test_given_a_key_that_only_others_know_when_encryption_is_off_then_nobody_is_waited_for(world: Migration) -> None:
    world.plain("s1")
    world.run("encrypt", segments=1)
    world.switch(False, 0)
    world.set(SESSION_ENCRYPTION_KEY_ARN=world.other_key_arn)

    taken(world, message("s1", goal="decrypt"))

    assert [letter["reason"] for letter in bodies(world.failures)] == ["key-not-listed"]
