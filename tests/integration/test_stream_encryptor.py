"""The stream function and its retry handler, on moto's DynamoDB, KMS and SQS."""

import json
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from stream_encryptor import handler, retry
from stream_encryptor.application import encryptor
from tests.faults import FunctionFaults
from tests.records import bodies, event_of, sqs_record
from tests.records import stream_record as record
from tests.tables import create_table

SECRET = "the landlord's name is Wilhelmine"
TABLE = "sessions"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000)


class World:
    """A table, a key and two queues, and the faults that a test puts between them and the function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        boto3.setup_default_session(region_name="us-east-1")
        self.calls: list[str] = []
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.sqs = boto3.client("sqs")
        key = self.kms.create_key()["KeyMetadata"]
        self.key_id = key["KeyId"]
        self.failure_queue = self.sqs.create_queue(QueueName="failures")["QueueUrl"]
        self.retry_queue = self.sqs.create_queue(QueueName="retries")["QueueUrl"]
        create_table(self.dynamodb, TABLE, "sessionId", "userId")
        self.faults = FunctionFaults(encryptor.cache_clear)
        environment = {
            "TABLE_NAME": TABLE,
            "SESSION_ENCRYPTION_KEY_ARN": key["Arn"],
            "ENCRYPTED_ATTRIBUTES": "history,configuration",
            "CONTEXT_ATTRIBUTES": "userId,sessionId",
            "CONTEXT_PURPOSE": "session-encryption",
            "RETRY_QUEUE_URL": self.retry_queue,
            "FAILURE_QUEUE_URL": self.failure_queue,
            "POWERTOOLS_SERVICE_NAME": f"test-{uuid4()}",  # Powertools keeps a logger, and its stream, by name.
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        # Clients made from here on, which are the function's, are listened to.
        events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register("before-call.dynamodb", self._note)
        encryptor.cache_clear()

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def put(self, session: str, **attributes: Any) -> None:
        item = {"sessionId": {"S": session}, "userId": {"S": "alice"}, **attributes}
        self.dynamodb.put_item(TableName=TABLE, Item=item)

    def get(self, session: str) -> dict[str, Any]:
        key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
        return dict(self.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {}))

    def messages(self, queue: str) -> list[dict[str, Any]]:
        return bodies(queue)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        yield World(monkeypatch)
    encryptor.cache_clear()
    boto3.setup_default_session()


def deliver(*records: dict[str, Any]) -> list[str]:
    response = handler.lambda_handler(event_of(*records), CONTEXT)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def is_slow(asked: Mapping[str, Any]) -> bool:
    return bool(asked["Key"]["sessionId"]["S"] == "slow")


def history() -> dict[str, Any]:
    return {"history": {"L": [{"M": {"content": {"S": SECRET}}}]}}


def metrics(output: str) -> dict[str, list[float]]:
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')]
    return {name: values for line in lines for name, values in line.items() if isinstance(values, list)}


def test_given_a_plaintext_write_when_its_record_arrives_then_the_item_is_encrypted(world: World) -> None:
    world.put("s1", **history(), name={"S": "kept"})

    assert deliver(record("s1")) == []

    item = world.get("s1")
    assert "history" not in item
    assert item["is_encrypted"] == {"BOOL": True}
    assert item["name"] == {"S": "kept"}


def test_given_its_own_write_when_its_record_arrives_then_it_costs_one_read_and_no_write(world: World) -> None:
    world.put("s1", **history())
    deliver(record("s1"))
    world.calls.clear()

    assert deliver(record("s1", "MODIFY", 2)) == []

    assert world.calls == ["BatchGetItem"]


def test_given_a_removed_item_when_its_record_arrives_then_it_is_free(world: World) -> None:
    deliver(record("s1"))
    world.calls.clear()

    assert deliver(record("s1", "REMOVE", 2)) == []

    assert world.calls == []


@pytest.mark.parametrize("image", [{"name": {"S": "nothing secret"}}, {"encrypted_history": None}])
def test_given_a_new_image_with_nothing_to_do_when_it_arrives_then_nothing_is_read(
    world: World, image: dict[str, Any]
) -> None:
    world.put("s1", **history())
    deliver(record("s1"))
    if "encrypted_history" in image:
        image = world.get("s1")
    world.calls.clear()

    assert deliver(record("s1", "MODIFY", 2, NewImage=image)) == []

    assert world.calls == []


def test_given_a_new_image_in_plaintext_when_it_arrives_then_the_item_is_encrypted(world: World) -> None:
    world.put("s1", **history())

    assert deliver(record("s1", NewImage=history())) == []

    assert "history" not in world.get("s1")


def test_given_a_hot_item_when_ten_records_of_it_arrive_then_it_is_written_once(world: World) -> None:
    world.put("s1", **history())
    deliver(record("none"))
    world.calls.clear()

    assert deliver(*(record("s1", "MODIFY", n) for n in range(10))) == []

    assert world.calls.count("UpdateItem") == 1


def test_given_a_poison_item_among_good_ones_when_they_arrive_then_only_it_is_a_dead_letter(world: World) -> None:
    world.put("s1", **history())
    world.put("poison", **history(), encrypted_history={"S": "%%%"})
    world.put("s2", **history())

    assert deliver(record("s1", sequence=1), record("poison", sequence=2), record("s2", sequence=3)) == []

    assert all("history" not in world.get(name) for name in ("s1", "s2"))
    (letter,) = world.messages(world.failure_queue)
    assert letter["key"] == {"sessionId": {"S": "poison"}, "userId": {"S": "alice"}}
    assert (letter["kind"], letter["reason"], letter["recordId"]) == ("item", "unknown-form", "event-2")
    assert world.messages(world.retry_queue) == []


def test_given_a_record_without_a_usable_key_when_it_arrives_then_it_is_a_dead_letter(world: World) -> None:
    assert deliver(record("s1", Keys={"sessionId": {"L": []}})) == []

    (letter,) = world.messages(world.failure_queue)
    assert (letter["reason"], letter["recordId"], letter["key"]) == ("unsupported-value", "event-1", {})


def test_given_one_throttled_item_when_its_batch_arrives_then_it_waits_alone_and_the_shard_moves_on(
    world: World,
) -> None:
    throttled = "ProvisionedThroughputExceededException"
    world.put("s1", **history())
    world.put("slow", **history())

    with world.faults.failing("dynamodb.UpdateItem", throttled, when=is_slow):
        assert deliver(record("s1", sequence=1), record("slow", sequence=2)) == []

    assert "history" not in world.get("s1")
    (message,) = world.messages(world.retry_queue)
    assert message["key"]["sessionId"] == {"S": "slow"}
    assert message["reason"] == "dynamodb-ProvisionedThroughputExceededException"
    assert message["writtenAt"] == pytest.approx(time.time() - 2, abs=30)


def test_given_every_item_throttled_when_a_batch_arrives_then_the_stream_keeps_it(world: World) -> None:
    world.put("s1", **history())
    world.put("s2", **history())

    with world.faults.failing("dynamodb.UpdateItem", "ThrottlingException"):
        assert deliver(record("s1", sequence=1), record("s2", sequence=2)) == ["1", "2"]

    assert world.messages(world.retry_queue) == []


@pytest.mark.parametrize("code", ["DisabledException", "AccessDeniedException", "KMSInvalidStateException"])
def test_given_a_key_that_refuses_when_a_batch_arrives_then_its_records_come_again_and_nothing_is_lost(
    world: World, code: str
) -> None:
    world.put("s1", **history())
    world.put("s2", name={"S": "nothing secret"})

    with world.faults.failing("kms.GenerateDataKey", code):
        assert deliver(record("s1", sequence=1), record("s2", sequence=2)) == ["1"]

    assert world.get("s1")["history"] == history()["history"]
    assert world.messages(world.failure_queue) == []


def test_given_a_failure_queue_that_is_gone_when_a_poison_item_arrives_then_its_record_comes_again(
    world: World,
) -> None:
    world.put("poison", encrypted_history={"S": "%%%"})
    world.sqs.delete_queue(QueueUrl=world.failure_queue)

    assert deliver(record("poison", sequence=7)) == ["7"]


def test_given_an_unsafe_table_when_the_function_starts_then_it_refuses_before_any_item(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTEXT_ATTRIBUTES", "userId")
    world.put("s1", **history())

    with pytest.raises(Exception, match="CONTEXT_ATTRIBUTES"):
        deliver(record("s1"))

    assert "history" in world.get("s1")


def test_given_an_unreadable_setting_when_the_function_starts_then_it_is_not_taken_for_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_ENCRYPTION_ENABLED", "maybe")

    with pytest.raises(Exception, match="SESSION_ENCRYPTION_ENABLED must be true or false"):
        deliver(record("s1"))


def test_given_encryption_off_when_a_write_arrives_then_it_stays_plaintext(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_ENCRYPTION_ENABLED", "false")
    world.put("s1", **history())

    assert deliver(record("s1")) == []

    assert world.get("s1")["history"] == history()["history"]


def test_given_little_time_left_when_a_batch_arrives_then_it_is_left_to_the_stream(world: World) -> None:
    world.put("s1", **history())
    world.put("s2", **history())
    late = SimpleNamespace(aws_request_id="late", get_remaining_time_in_millis=lambda: 1_000)

    response = handler.lambda_handler(event_of(record("s1", sequence=1), record("s2", sequence=2)), late)

    assert [failure["itemIdentifier"] for failure in response["batchItemFailures"]] == ["1", "2"]


def test_what_is_logged_counts_and_audits_but_never_shows_a_value(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("s1", **history())
    world.put("poison", **history(), encrypted_history={"S": "%%%"})

    deliver(record("s1", sequence=1), record("poison", sequence=2))

    captured = capsys.readouterr()
    stored = world.get("s1")["encrypted_history"]["S"]
    assert SECRET not in captured.out + captured.err
    assert stored not in captured.out + captured.err
    counted = metrics(captured.out)
    assert counted["ItemsEncrypted"] == [1.0]
    assert counted["ItemsFailedPermanent"] == [1.0]
    assert counted["KmsCalls"] == [1.0]
    assert counted["PlaintextWindow"][0] == pytest.approx(2_000, abs=1_500)
    audits = [json.loads(line) for line in captured.out.splitlines() if '"audit":true' in line]
    assert {(a["who"], a["item"]["sessionId"]["S"], a["result"]) for a in audits} == {
        ("stream_encryptor", "s1", "encrypted"),
        ("stream_encryptor", "poison", "failed-for-good"),
    }
    assert all(audit["keyArn"].startswith("arn:aws:kms:") for audit in audits)


class TestRetry:
    """The retry queue's handler."""

    @staticmethod
    def deliver(*texts: str) -> list[str]:
        records = [sqs_record(body, f"message-{n}", received=3) for n, body in enumerate(texts)]
        response = retry.lambda_handler(event_of(*records), CONTEXT)
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]

    @staticmethod
    def message(session: str, table: str = TABLE) -> str:
        key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
        return json.dumps({"kind": "retry", "table": table, "key": key, "recordId": "e", "writtenAt": time.time() - 30})

    def test_given_an_item_that_can_be_encrypted_now_then_it_is(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        world.put("s1", **history())

        assert self.deliver(self.message("s1")) == []

        assert "history" not in world.get("s1")
        assert metrics(capsys.readouterr().out)["PlaintextWindow"][0] == pytest.approx(30_000, abs=5_000)

    def test_given_an_item_that_fails_again_then_its_message_stays(self, world: World) -> None:
        world.put("slow", **history())
        world.put("s1", **history())

        with world.faults.failing("dynamodb.UpdateItem", "ThrottlingException", when=is_slow):
            assert self.deliver(self.message("slow"), self.message("s1")) == ["message-0"]

        assert "history" not in world.get("s1")

    def test_given_an_item_that_fails_for_good_then_it_is_a_dead_letter(self, world: World) -> None:
        world.put("poison", encrypted_history={"S": "%%%"})

        assert self.deliver(self.message("poison")) == []

        (letter,) = world.messages(world.failure_queue)
        assert (letter["reason"], letter["attempts"]) == ("unknown-form", 3)

    @pytest.mark.parametrize("body", ["", "[]", "{}", '{"table": "sessions", "key": {"a": {"X": 1}}}'])
    def test_given_a_malformed_message_then_it_stays_for_the_redrive_policy(self, world: World, body: str) -> None:
        assert self.deliver(body) == ["message-0"]

    def test_given_a_message_for_another_table_then_it_stays(self, world: World) -> None:
        assert self.deliver(self.message("s1", table="another")) == ["message-0"]
