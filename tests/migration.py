"""A table to be migrated on moto, the migrator over it, and a pump that does what its event source mappings do."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from encryptor_runtime.settings import Settings
from item_crypto import ItemCipher, Keyrings, ValueCipher
from item_crypto.core.codec import Item
from migrator import control, deferred, sweep
from migrator.application import application
from tests import lisa

TABLE: Final = "sessions"
CONTROL: Final = "control"
SECRET: Final = "the landlord's name is Wilhelmine"


class Crash(BaseException):
    """The process is gone: nothing after this point happens, and nobody catches it."""


def context(seconds: float = 300) -> SimpleNamespace:
    return SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: seconds * 1000)


class Migration:
    """Everything over one moto; to be made while ``mock_aws`` is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
        boto3.setup_default_session()
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.sqs = boto3.client("sqs")
        self.key_arn, self.other_key_arn = (self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        _table(self.dynamodb, TABLE, "sessionId", "userId")
        _table(self.dynamodb, CONTROL, "id", "part")
        self.work, self.deferred, self.failures = (
            self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
            for name in ("work", "deferred", "failures")
        )
        self._monkeypatch = monkeypatch
        self.set(
            TABLE_NAME=TABLE,
            CONTROL_TABLE_NAME=CONTROL,
            SETTING_CACHE_SECONDS="0",
            SESSION_ENCRYPTION_KEY_ARN=self.key_arn,
            ENCRYPTED_ATTRIBUTES="history,configuration",
            CONTEXT_ATTRIBUTES="userId,sessionId",
            CONTEXT_PURPOSE="session-encryption",
            WORK_QUEUE_URL=self.work,
            DEFERRED_QUEUE_URL=self.deferred,
            FAILURE_QUEUE_URL=self.failures,
            POWERTOOLS_SERVICE_NAME=f"test-{uuid4()}",
            **environment,
        )

    def set(self, **environment: str) -> None:
        """Change the functions' environment; they start anew."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        application.cache_clear()

    # What the operator and the event source mappings do

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        return control.lambda_handler({"command": command, "by": "operator", **fields}, context())

    def start(self, goal: str, **fields: Any) -> str:
        answer = self.command("start", goal=goal, **fields)
        assert "error" not in answer, answer
        return str(answer["sweep"]["id"])

    def sweep(self, sweep_id: str) -> dict[str, Any]:
        return dict(self.command("sweep", sweep=sweep_id)["sweep"])

    def pump(self, seconds: float = 300, most: int = 500) -> int:
        """Deliver messages until the queues are empty; return how many were delivered."""
        delivered = 0
        while delivered < most:
            moved = self._deliver(self.work, sweep.lambda_handler, seconds)
            moved += self._deliver(self.deferred, deferred.lambda_handler, seconds)
            delivered += moved
            if not moved:
                return delivered
        raise AssertionError("the queues never become empty")

    def _deliver(self, queue: str, handler: Callable[[Any, Any], Any], seconds: float) -> int:
        answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=0)
        for message in answer.get("Messages", []):
            record = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            response = handler({"Records": [record]}, context(seconds))
            if not response["batchItemFailures"]:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(answer.get("Messages", []))

    def switch(self, enabled: bool, version: int) -> dict[str, Any]:
        """Change the setting, long enough ago that every function has read it."""
        answer = self.command("set-config", enabled=enabled, version=version, confirm="switch-off")
        self.dynamodb.update_item(
            TableName=CONTROL,
            Key={"id": {"S": "setting"}, "part": {"S": "current"}},
            UpdateExpression="SET changedAt = :then",
            ExpressionAttributeValues={":then": {"S": "2026-01-01T00:00:00+00:00"}},
        )
        return answer

    def deliver_now(self, message: dict[str, Any]) -> None:
        """Deliver a message of the work queue that is still held back."""
        record = {
            "messageId": "m",
            "receiptHandle": "",
            "body": json.dumps(message),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }
        assert sweep.lambda_handler({"Records": [record]}, context()) == {"batchItemFailures": []}

    def run(self, goal: str, **fields: Any) -> dict[str, Any]:
        """Start a sweep, work it off and return it."""
        sweep_id = self.start(goal, **fields)
        self.pump()
        return self.sweep(sweep_id)

    def letters(self) -> list[dict[str, Any]]:
        return list(self.command("failures")["failures"])

    # The table, as others see it

    def put(self, session: str, **attributes: Any) -> dict[str, Any]:
        item = {"sessionId": {"S": session}, "userId": {"S": "alice"}, "name": {"S": "n"}, **attributes}
        self.dynamodb.put_item(TableName=TABLE, Item=item)
        return item

    def plain(self, session: str, number: int = 0) -> dict[str, Any]:
        history = {"L": [{"M": {"content": {"S": SECRET}, "number": {"N": str(number)}}}]}
        return self.put(session, history=history, configuration={"M": {"model": {"S": "small"}}})

    def lisa(self, session: str, content: Any, stale: Item | None = None, is_encrypted: bool = True) -> None:
        """Put a session in LISA's old form, beside plaintext that LISA left where it was."""
        context = {"userId": "alice", "sessionId": session, "purpose": "session-encryption"}
        self.put(
            session,
            encrypted_history={"S": lisa.ciphertext(self.kms, self.key_arn, content, context)},
            encryption_version={"S": "1.0"},
            is_encrypted={"BOOL": is_encrypted},
            **({"history": stale} if stale else {}),
        )

    def get(self, session: str) -> dict[str, Any]:
        key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
        return dict(self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {}))

    def all(self) -> dict[str, dict[str, Any]]:
        return {item["sessionId"]["S"]: item for item in self.dynamodb.scan(TableName=TABLE)["Items"]}

    def clear(self, session: str) -> dict[str, Any]:
        """Return a session in the clear, whatever form it is stored in."""
        import os

        settings = Settings.from_environment(os.environ)
        keyrings = Keyrings(self.kms, self.key_arn, [self.other_key_arn])
        return ItemCipher(ValueCipher(keyrings), settings.policy).decrypt_item(self.get(session))


def _table(dynamodb: Any, name: str, partition: str, sort: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": partition, "AttributeType": "S"},
            {"AttributeName": sort, "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def bodies(queue: str) -> list[dict[str, Any]]:
    """Return the bodies of a queue's messages, delayed ones too, as moto holds them."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.sqs.models import sqs_backends

    region = boto3.DEFAULT_SESSION.region_name  # type: ignore[union-attr]
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][region].queues
    return [json.loads(message.body) for message in queues[queue.rsplit("/", 1)[1]]._messages]
