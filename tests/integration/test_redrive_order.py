"""Redrive takes nothing for settled that is not, loses no letter at any moment, and ends in time."""

import json
from types import SimpleNamespace
from typing import Any, Final

import pytest

from migrator import control
from tests.migration import TABLE, Crash, Migration
from tests.records import bodies
from tests.refusals import refuse

RANGE: Final = {
    "shardId": "shardId-00000001541626099285-f35f62ef",
    "startSequenceNumber": "1000000000000000000100",
    "endSequenceNumber": "1000000000000000000104",
}


def letter(world: Migration, session: str) -> None:
    key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    body = {"kind": "item", "table": TABLE, "key": key, "reason": "unknown-form", "attempts": 1}
    world.sqs.send_message(QueueUrl=world.failures, MessageBody=json.dumps(body))


def crash() -> None:
    raise Crash


class TestSettled:
    @pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException", "AccessDeniedException"])
    def test_given_a_refusal_when_redriven_then_the_letter_stays_with_one_attempt_more(
        self, world: Migration, code: str
    ) -> None:
        world.plain("s1")
        letter(world, "s1")
        refuse(world.parts.runtime.clients.kms, "kms.GenerateDataKey", code)

        answer = world.command("redrive")

        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 1, 1)
        assert [body["attempts"] for body in bodies(world.failures)] == [2]
        assert "history" in world.get("s1")


class TestOrder:
    def test_given_a_letter_that_failed_again_when_it_is_kept_then_the_new_one_is_sent_before_the_old_one_goes(
        self, world: Migration
    ) -> None:
        world.put("s1", encrypted_history={"S": "%%%"})
        letter(world, "s1")
        world.interrupt("before", "sqs.SendMessage", crash)

        with pytest.raises(Crash):
            world.command("redrive")

        assert len(bodies(world.failures)) == 1

    def test_given_a_crash_between_the_two_when_looked_at_then_there_are_two_and_not_none(
        self, world: Migration
    ) -> None:
        world.put("s1", encrypted_history={"S": "%%%"})
        letter(world, "s1")
        world.interrupt("before", "sqs.DeleteMessage", crash)

        with pytest.raises(Crash):
            world.command("redrive")

        assert sorted(body["attempts"] for body in bodies(world.failures)) == [1, 2]

    def test_given_a_queue_that_refuses_when_work_is_sent_again_then_its_letter_stays(self, world: Migration) -> None:
        work = {"kind": "segment", "sweep": "20260102T083000-1f2e", "segment": 3, "hop": 12}
        world.sqs.send_message(QueueUrl=world.failures, MessageBody=json.dumps(work))
        refuse(world.parts.runtime.clients.sqs, "sqs.SendMessage", "AccessDenied")

        answer = world.command("redrive")

        assert (answer["done"], answer["again"]) == (0, 1)
        assert bodies(world.failures) == [work]


class TestTime:
    def redrive(self, world: Migration, *moments: float) -> dict[str, Any]:
        """Redrive; each look at the clock is at the next of ``moments``, and then at the last one."""
        left = iter(moments)
        clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(left, moments[-1]) * 1000)
        return control.handle({"command": "redrive", "by": "operator"}, clock, world.parts)

    def test_given_little_time_when_redriven_then_no_letter_is_begun_and_that_is_said(self, world: Migration) -> None:
        for number in range(3):
            world.plain(f"s{number}")
            letter(world, f"s{number}")

        answer = self.redrive(world, 59.0, 59.0, 29.0)  # Half of little is kept back.

        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 0, 3)
        assert "redrive again" in answer["notes"][0]
        seen = world.sqs.receive_message(QueueUrl=world.failures, MaxNumberOfMessages=10, VisibilityTimeout=0)
        assert len(seen["Messages"]) == 3  # They are not hidden until their time is over.

    def test_given_time_that_runs_out_amid_a_letter_when_redriven_then_what_is_not_begun_stays(
        self, world: Migration
    ) -> None:
        world.plain("s1")
        letter(world, "s1")

        answer = self.redrive(world, 200.0, 200.0, 200.0, 20.0)

        assert (answer["done"], answer["again"], answer["remaining"]) == (0, 1, 1)
        assert "history" in world.get("s1")

    def test_given_enough_time_when_redriven_then_all_are_done(self, world: Migration) -> None:
        world.plain("s1")
        letter(world, "s1")
        assert self.redrive(world, 61.0)["done"] == 1


@pytest.mark.parametrize("configured", [True, False])
def test_given_a_letter_that_names_another_stream_when_redriven_then_the_configured_one_is_read(
    world: Migration, configured: bool
) -> None:
    """Whoever can send to the failure queue must not choose what the function reads."""
    described = world.dynamodb.update_table(
        TableName=TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )["TableDescription"]
    own, theirs = described["LatestStreamArn"], "arn:aws:dynamodb:us-east-1:123456789012:table/other/stream/2026"
    if configured:
        world.set(TABLE_STREAM_ARN=own)
    body = {"requestContext": {}, "version": "1.0", "DDBStreamBatchInfo": {**RANGE, "streamArn": theirs}}
    world.sqs.send_message(QueueUrl=world.failures, MessageBody=json.dumps(body))
    asked = refuse(world.parts.runtime.clients.streams, "dynamodb-streams.GetShardIterator", "ThrottlingException")

    world.command("redrive")

    assert [request["StreamArn"] for request in asked] == [own if configured else theirs]
