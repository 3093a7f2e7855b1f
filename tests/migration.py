"""A table to be migrated on moto, the migrator over it, and a pump that does what its event source mappings do."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader

from encryptor_runtime.clients import Clients
from encryptor_runtime.settings import Settings
from item_crypto import ItemCipher, Keyrings, Role, ValueCipher
from item_crypto.core.codec import Item
from migrator import adaptive_rate, control, deferred, sweep
from migrator.application import Application, application, compose
from migrator.settings import MigratorSettings
from tests import lisa
from tests.faults import Lasting, Moment, When, all_calls, interrupting
from tests.records import event_of, sqs_record
from tests.tables import create_table

TABLE: Final = "sessions"
CONTROL: Final = "control"
SECRET: Final = "the landlord's name is Wilhelmine"
_LOADER: Final = create_loader()  # Service descriptions are read once, not once a test.

Handler = Callable[[Any, Any, Application], Any]


class Crash(BaseException):
    """The process is gone: nothing after this point happens, and nobody catches it."""


def context(seconds: float = 300) -> SimpleNamespace:
    return SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: seconds * 1000)


class Migration:
    """Everything over one moto; to be made while ``mock_aws`` is on.

    Attributes:
        passed: how much later than it is the migrator takes it to be.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        boto3.setup_default_session(botocore_session=session)
        # An empty queue is asked once; the wait for more would be real.
        session.register(
            "provide-client-params.sqs.ReceiveMessage", lambda params, **_: {**params, "WaitTimeSeconds": 0}
        )
        self.passed = timedelta(0)
        self._parts: Application | None = None
        self._lasting = Lasting()
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.sqs = boto3.client("sqs")
        self.key_arn, self.other_key_arn = (self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        create_table(self.dynamodb, TABLE, "sessionId", "userId")
        create_table(self.dynamodb, CONTROL, "id", "part")
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

    def provision(self, read: int, write: int) -> None:
        """Give the table so many units a second, in the place of paying by the request."""
        self.dynamodb.update_table(
            TableName=TABLE,
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": read, "WriteCapacityUnits": write},
        )

    def pages_of(self, items: int) -> None:
        """Have sweeps read so many items a page, in the place of a hundred: for what is about pages, not their size."""
        self._monkeypatch.setattr(adaptive_rate, "PAGE", items)

    def set(self, **environment: str) -> None:
        """Change the functions' environment; they start anew."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        application.cache_clear()
        self._parts = None

    @property
    def parts(self) -> Application:
        """The migrator, with clients of its own and a clock that can be put forward; it waits for nothing."""
        if self._parts is None:
            settings = MigratorSettings.from_environment(os.environ)
            self._parts = compose(settings, Clients(), sleep=lambda _: None, now=self.now)
        return self._parts

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed

    @property
    def clients(self) -> Clients:
        """The migrator's clients, as it is composed now."""
        return self.parts.runtime.clients

    def interrupt(
        self,
        moment: Moment,
        operation: str,
        action: Callable[[], object],
        when: When = all_calls,
        times: int = 1,
    ) -> Callable[[], None]:
        """Do ``action`` before or after calls of the migrator, as it is composed now; return what ends that."""
        client = getattr(self.parts.runtime.clients, operation.partition(".")[0])
        fault = interrupting(client, operation, action, moment=moment, when=when, times=times)
        return self._lasting.begin(fault)

    # What the operator and the event source mappings do

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        return control.handle({"command": command, "by": "operator", **fields}, context(), self.parts)

    def start(self, goal: str, segments: int = 2, **fields: Any) -> str:
        """Start a sweep, of fewer segments than unless told otherwise, and return its id."""
        answer = self.command("start", goal=goal, segments=segments, **fields)
        assert "error" not in answer, answer
        return str(answer["sweep"]["id"])

    def sweep(self, sweep_id: str) -> dict[str, Any]:
        return dict(self.command("sweep", sweep=sweep_id)["sweep"])

    def pump(self, seconds: float = 300, most: int = 500) -> int:
        """Deliver messages until the queues are empty; return how many were delivered."""
        delivered = 0
        while delivered < most:
            moved = self.deliver(self.work, sweep.handle, seconds)
            moved += self.deliver(self.deferred, deferred.handle, seconds)
            delivered += moved
            if not moved:
                return delivered
        raise AssertionError("the queues never become empty")

    def deliver(self, queue: str, handler: Handler, seconds: float) -> int:
        """Deliver a queue's next message, if there is one; return how many were delivered."""
        answer = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=0)
        for message in answer.get("Messages", []):
            event = event_of(sqs_record(message["Body"], handle=message["ReceiptHandle"]))
            response = handler(event, context(seconds), self.parts)
            if not response["batchItemFailures"]:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(answer.get("Messages", []))

    def switch(self, enabled: bool, version: int) -> dict[str, Any]:
        """Change the setting, long enough ago that every function has read it."""
        answer = self.command("set-config", enabled=enabled, version=version, confirm="switch-off")
        self.passed += timedelta(hours=1)
        return answer

    def deliver_now(self, message: dict[str, Any]) -> None:
        """Deliver a message of the work queue that is still held back."""
        event = event_of(sqs_record(json.dumps(message)))
        assert sweep.handle(event, context(), self.parts) == {"batchItemFailures": []}

    def run(self, goal: str, **fields: Any) -> dict[str, Any]:
        """Start a sweep, work it off and return it."""
        sweep_id = self.start(goal, **fields)
        self.pump()
        return self.sweep(sweep_id)

    def reconcile(self, session: str, role: Role) -> None:
        """Do what ``role`` does with a session."""
        runtime = self.parts.runtime
        key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
        runtime.reconciler.reconcile([key], runtime.settings.policy, role)

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
        settings = Settings.from_environment(os.environ)
        keyrings = Keyrings(self.kms, self.key_arn, [self.other_key_arn])
        return ItemCipher(ValueCipher(keyrings), settings.policy).decrypt_item(self.get(session))
