"""What the stream's function and its retry function must not lose, and must not send twice."""

import base64
import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from item_crypto import Keyrings, ValueCipher
from stream_encryptor.application import encryptor
from tests.factories import audit_lines, metrics
from tests.integration.test_stream_encryptor import TABLE, World, deliver, history
from tests.integration.test_stream_encryptor import TestRetry as Retry
from tests.records import stream_record as record

REFUSING = "systemic"

_MEMBERS = {"encrypted_key": "AAAA", "encrypted_data": "AAAA", "encryption_version": "1.0"}
LISA = base64.b64encode(json.dumps(_MEMBERS).encode()).decode()  # By its form to be deferred; nobody decrypts it here.


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        world = World(monkeypatch)
        deferred = world.sqs.create_queue(QueueName="deferred")["QueueUrl"]
        monkeypatch.setenv("DEFERRED_QUEUE_URL", deferred)
        world.deferred_queue = deferred  # type: ignore[attr-defined]
        yield world
    encryptor.cache_clear()
    boto3.setup_default_session()


def under_another_key(world: World, session: str) -> str:
    context = {"userId": "alice", "sessionId": session, "purpose": "session-encryption"}
    key_arn = world.kms.create_key()["KeyMetadata"]["Arn"]
    return ValueCipher(Keyrings(world.kms, key_arn)).encrypt({"configuration": {"S": "x"}}, context)["configuration"]


def poison(world: World, session: str) -> None:
    world.put(session, encrypted_history={"S": "%%%"})


def letters(world: World) -> list[str]:
    return [letter["key"].get("sessionId", {}).get("S", "") for letter in world.messages(world.failure_queue)]


def refuse(world: World, session: str = REFUSING, times: int = 1_000) -> None:
    """Have writes of one item fail for a reason that lasts."""
    left = iter(range(times))
    world.put(session, **history())
    world.faults.lasting.begin(
        world.faults.failing(
            "dynamodb.UpdateItem",
            "AccessDeniedException",
            when=lambda request: request["Key"]["sessionId"]["S"] == session and next(left, None) is not None,
        )
    )


class TestRedelivered:
    def test_given_poison_behind_a_systemic_failure_when_redelivered_then_it_has_one_letter(self, world: World) -> None:
        for session in ("p1", "p3"):
            poison(world, session)
        refuse(world, times=60)
        records = [record("p1", sequence=1), record(REFUSING, sequence=2), record("p3", sequence=3)]

        assert deliver(*records) == ["2"]
        assert letters(world) == ["p1"]
        for _ in range(59):
            assert deliver(*records[1:]) == ["2"]
        assert letters(world) == ["p1"]

        assert deliver(*records[1:]) == []
        assert letters(world) == ["p1", "p3"]

    def test_given_a_malformed_record_behind_a_systemic_failure_when_redelivered_then_it_has_one_letter(
        self, world: World
    ) -> None:
        refuse(world, times=2)
        records = [record(REFUSING, sequence=1), record("", sequence=2, Keys={})]

        assert [deliver(*records) for _ in range(3)] == [["1"], ["1"], []]

        assert letters(world) == [""]

    def test_given_one_key_before_and_behind_a_systemic_failure_when_redelivered_then_it_has_one_letter(
        self, world: World
    ) -> None:
        poison(world, "p")
        refuse(world, times=1)
        records = [record("p", sequence=1), record(REFUSING, sequence=2), record("p", sequence=3)]

        assert deliver(*records) == ["2"]
        assert deliver(*records[1:]) == []

        assert letters(world) == ["p"]

    @pytest.mark.parametrize("queue", ["retry", "deferred"])
    def test_given_keys_to_be_tried_again_behind_a_systemic_failure_when_redelivered_then_each_is_sent_once(
        self, world: World, queue: str
    ) -> None:
        if queue == "retry":
            world.put("later", **history())
            world.faults.lasting.begin(
                world.faults.failing(
                    "dynamodb.UpdateItem",
                    "ThrottlingException",
                    when=lambda asked: asked["Key"]["sessionId"]["S"] == "later",
                )
            )
        else:
            world.put("later", encrypted_history={"S": LISA})
        refuse(world, times=3)
        records = [record(REFUSING, sequence=1), record("later", sequence=2)]

        assert [deliver(*records) for _ in range(4)] == [["1"], ["1"], ["1"], []]

        url = world.retry_queue if queue == "retry" else world.deferred_queue  # type: ignore[attr-defined]
        assert len(world.messages(url)) == 1

    def test_given_what_comes_again_when_counted_then_it_is_counted_once_and_every_write_is_audited(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        poison(world, "p")
        world.put("part", **history(), encrypted_configuration={"S": under_another_key(world, "part")})
        refuse(world, times=1)
        records = [record(REFUSING, sequence=1), record("p", sequence=2), record("part", sequence=3)]

        deliver(*records)
        first = capsys.readouterr().out
        deliver(*records)
        second = capsys.readouterr().out

        assert "ItemsFailedPermanent" not in metrics(first)
        assert metrics(second)["ItemsFailedPermanent"] == [1.0]
        assert metrics(first)["ItemsFailedSystemic"] == [1.0]
        written = [line for line in audit_lines(first) if line["attributes"] == ["history"]]
        assert [line["item"]["sessionId"]["S"] for line in written] == ["part"]


class TestFailedSends:
    def test_given_a_malformed_record_whose_letter_cannot_be_sent_when_it_arrives_then_it_comes_again(
        self, world: World
    ) -> None:
        world.faults.lasting.begin(world.faults.failing("sqs.SendMessage", "AccessDenied"))
        assert deliver(record("", sequence=3, Keys={})) == ["3"]

    def test_given_a_letter_that_cannot_be_sent_when_more_follow_then_none_of_them_is_sent_before_it(
        self, world: World
    ) -> None:
        for session in ("p1", "p2", "p3"):
            poison(world, session)
        world.faults.lasting.begin(
            world.faults.failing("sqs.SendMessage", "AccessDenied", when=lambda asked: "p2" in asked["MessageBody"])
        )
        records = [record(f"p{n}", sequence=n) for n in (1, 2, 3)]

        assert deliver(*records) == ["2"]

        assert letters(world) == ["p1"]


class TestRetryFunction:
    @pytest.mark.parametrize(
        "code", ["AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException"]
    )
    def test_given_a_key_that_refuses_when_tried_again_then_the_message_stays(self, world: World, code: str) -> None:
        world.faults.lasting.begin(world.faults.failing("kms.GenerateDataKey", code))
        world.put("s1", **history())

        assert Retry.deliver(Retry.message("s1")) == ["message-0"]

        assert "history" in world.get("s1")
        assert letters(world) == []

    def test_given_an_item_to_be_decrypted_when_tried_again_then_its_key_is_deferred(self, world: World) -> None:
        world.put("s1", encrypted_history={"S": LISA})

        assert Retry.deliver(Retry.message("s1")) == []

        (message,) = world.messages(world.deferred_queue)  # type: ignore[attr-defined]
        assert (message["kind"], message["key"]["sessionId"], message["table"]) == ("deferred", {"S": "s1"}, TABLE)

    @pytest.mark.parametrize("queue", ["failure", "deferred"])
    def test_given_a_queue_that_refuses_when_a_key_is_passed_on_then_the_message_stays(
        self, world: World, queue: str
    ) -> None:
        world.put("s1", encrypted_history={"S": "%%%" if queue == "failure" else LISA})
        world.faults.lasting.begin(world.faults.failing("sqs.SendMessage", "AccessDenied"))

        assert Retry.deliver(Retry.message("s1")) == ["message-0"]
