"""The functions over DynamoDB Local, writers that know nothing of them, and what has to hold whenever all is quiet.

The functions are the shipped ones, composed as in AWS, with clients whose requests take turns (``scheduler``) and fail
(``wire``). DynamoDB and its stream are DynamoDB Local's, KMS is moto's, SQS is ``queues``. Writers write at once.
"""

import base64
import contextlib
import io
import json
import logging
import os
import random
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar, Final
from uuid import uuid4

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader

from encryptor_runtime import runtime
from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import KeyQueues, Queue
from encryptor_runtime.settings import Settings
from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from item_crypto.core.context import encryption_context
from item_crypto.core.part import Buckets, read_part
from item_crypto.core.stored_form import conflict_name, encrypted_name
from item_crypto.errors import ItemCryptoError
from item_crypto.forms import open_envelope
from local.event_sources.dynamodb_local_shard import DynamoDBLocalShard
from migrator import control, deferred, sweep
from migrator.application import compose
from migrator.settings import MigratorSettings
from reader.errors import NoSuchSession
from reader.sessions import Sessions
from stream_encryptor import retry
from stream_encryptor.encryptor import Encryptor
from stream_encryptor.stream import process
from tests import lisa
from tests.dynamodb.model import Model, State
from tests.dynamodb.queues import ADDRESS, Queues
from tests.dynamodb.scheduler import Killed, Scheduler, Sequential, Task
from tests.dynamodb.wire import Effect, Rates, Wire

TABLE: Final = "sessions"
CONTROL: Final = "control"
USER: Final = "alice"
CANARY: Final = "CANARY-dna4"
ATTRIBUTES: Final = ("history", "configuration", "log")
SESSIONS: Final = 3  # Few, so that they are raced for.
SHOWN: Final = (*ATTRIBUTES, "name")
FAULTS: Final = Rates(lost=0.02, refused=0.04, unanswered=0.03, killed=0.02)
_LOADER: Final = create_loader()  # Service descriptions are read once, not once a test.
_GOALS: Final = ("encrypt", "re-encrypt", "decrypt", "verify")


def item_key(session: str) -> dict[str, Any]:
    return {"sessionId": {"S": session}, "userId": {"S": USER}}


class World:
    """Everything of one run; to be made while ``mock_aws`` is on, and DynamoDB's clients are led to DynamoDB Local.

    Args:
        seed: decides everything that is left to chance.
        view: the view type of the stream.
    """

    often: ClassVar[dict[str, int]] = {
        "write": 30,
        "stream": 25,
        "queue": 20,
        "read": 6,
        "put": 6,
        "sweep": 3,
        "switch": 3,
        "redrive": 1,
        "weather": 4,
        "time": 4,
    }
    """What a step does, and how often beside the others."""

    faults: ClassVar[Rates] = FAULTS
    batched: ClassVar[bool] = False
    """Whether sweeps and batches of the stream write many items in one request; else one by one."""

    most_records: ClassVar[int] = 6
    """How many records of the stream an invocation takes at most."""

    page: ClassVar[int] = 2
    """How many items a page of a sweep has at most: with a hundred, a sweep of so few would be one page."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int, view: str = "KEYS_ONLY") -> None:
        monkeypatch.setattr("item_crypto.reconcile.ThreadPoolExecutor", Sequential)
        monkeypatch.setattr("time.sleep", lambda _: None)  # Clients wait before they try again.
        monkeypatch.setattr("migrator.adaptive_rate.PAGE", self.page)
        self.draw = random.Random(seed)
        self.model = Model()
        self.queues = Queues()
        self.scheduler = Scheduler(self.draw)
        self.output = io.StringIO()
        self.raised: list[str] = []
        self.count = dict.fromkeys(("written", "read", "invoked", "carried on", "killed", "quiet"), 0)
        self._pools: dict[str, list[Any]] = {}
        self._stream_records: list[dict[str, Any]] = []
        self._changed: tuple[datetime, float] = (datetime(2026, 1, 2, 8, 30, tzinfo=UTC), 0.0)
        self._putting: dict[Task, tuple[str, dict[str, Any]]] = {}
        self._numbers = iter(range(1_000_000))
        self._operator: Any = None
        self._cancelled = False
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        self.wire = Wire(session, self.queues, self.draw, self._seen)
        boto3.setup_default_session(botocore_session=session)
        self.kms, self.dynamodb = boto3.client("kms"), boto3.client("dynamodb")
        self.key_arn, self.earlier_key_arn = (self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        self._create_table(TABLE, "sessionId", "userId", StreamSpecification=_stream(view))
        self._create_table(CONTROL, "id", "part")
        for name, value in self._environment().items():
            monkeypatch.setenv(name, value)
        self.settings = Settings.from_environment(os.environ)
        self.cipher = ValueCipher(Keyrings(self.kms, self.key_arn, [self.earlier_key_arn]))
        self.earlier = ValueCipher(Keyrings(self.kms, self.earlier_key_arn))
        arn = self.dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        self._shard, self._position = DynamoDBLocalShard(boto3.client("dynamodbstreams"), arn), 0

    def _environment(self) -> dict[str, str]:
        return {
            "TABLE_NAME": TABLE,
            "CONTROL_TABLE_NAME": CONTROL,
            "SETTING_CACHE_SECONDS": "0",
            "BATCHED_WRITES": str(self.batched).lower(),
            "SESSION_ENCRYPTION_KEY_ARN": self.key_arn,
            "EARLIER_KEY_ARNS": self.earlier_key_arn,
            "ENCRYPTED_ATTRIBUTES": ",".join(ATTRIBUTES),
            "APPENDED_ATTRIBUTES": "log",
            "CONTEXT_ATTRIBUTES": "userId,sessionId",
            "CONTEXT_PURPOSE": "session-encryption",
            "WORK_QUEUE_URL": f"{ADDRESS}work",
            "DEFERRED_QUEUE_URL": f"{ADDRESS}deferred",
            "RETRY_QUEUE_URL": f"{ADDRESS}retry",
            "FAILURE_QUEUE_URL": f"{ADDRESS}failures",
            "POWERTOOLS_SERVICE_NAME": f"test-{uuid4()}",
        }

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is printed and logged within."""
        handler = logging.StreamHandler(self.output)
        logging.getLogger().addHandler(handler)
        try:
            with contextlib.redirect_stdout(self.output), contextlib.redirect_stderr(self.output):
                yield
        finally:
            logging.getLogger().removeHandler(handler)

    # Writers, which know nothing of encryption

    def value(self) -> dict[str, Any]:
        number = next(self._numbers)
        return {"L": [{"M": {"content": {"S": f"{CANARY} {number}"}, "number": {"N": str(number)}}}]}

    def replace(self, session: str) -> None:
        attributes = {"name": {"S": f"name {next(self._numbers)}"}}
        attributes |= {name: self.value() for name in ATTRIBUTES if self.draw.random() < 0.7}
        self.dynamodb.put_item(TableName=TABLE, Item=item_key(session) | attributes)
        self.model.put(session, attributes)

    def set(self, session: str, name: str, value: Any) -> None:
        self._update(session, {name: value})
        self.model.set(session, {name: value})

    def append(self, session: str) -> None:
        member = self.value()["L"][0]
        self.dynamodb.update_item(
            TableName=TABLE,
            Key=item_key(session),
            UpdateExpression="SET #n = list_append(if_not_exists(#n, :none), :new)",
            ExpressionAttributeNames={"#n": "log"},
            ExpressionAttributeValues={":none": {"L": []}, ":new": {"L": [member]}},
        )
        self.model.append(session, "log", member)

    def delete(self, session: str) -> None:
        self.dynamodb.delete_item(TableName=TABLE, Key=item_key(session))
        self.model.delete(session)

    def encrypt_under_earlier_key(self, session: str) -> None:
        """Write as a client does that encrypts by itself, under a key that is no longer the current one."""
        value, context = self.value(), self._context(session)
        envelope = self.earlier.encrypt({"history": value}, context)["history"]
        self.dynamodb.put_item(
            TableName=TABLE,
            Item=item_key(session) | {"encrypted_history": {"S": envelope}, "is_encrypted": {"BOOL": True}},
        )
        self.model.put(session, {"history": value})

    def write_as_lisa(self, session: str) -> None:
        """Encrypt as LISA does: the old plaintext stays where it was."""
        value = {"L": [{"S": f"{CANARY} {next(self._numbers)}"}]}
        text = lisa.ciphertext(self.kms, self.key_arn, lisa.plain(value), self._context(session))
        self._update(session, {"encrypted_history": {"S": text}, "is_encrypted": {"BOOL": True}})
        self.model.set(session, {"history": value})

    def write(self) -> None:
        """Write anything."""
        self.count["written"] += 1
        if self.draw.random() < 0.15:
            session = self.draw.choice(["lisa-1", "lisa-2"])
            write = self.draw.choice([self.write_as_lisa, lambda s: self.set(s, "history", self.value())])
            return write(session)
        if self.draw.random() < 0.05:
            # Written once in a while and never read: no trigger but a sweep sees it again.
            return self.replace(f"idle-{self.draw.randrange(SESSIONS)}")
        session = f"dlg-{self.draw.randrange(SESSIONS)}"
        kind = self.draw.choices(["replace", "set", "append", "delete", "earlier", "rename"], [4, 4, 4, 2, 1, 1])[0]
        match kind:
            case "replace":
                self.replace(session)
            case "set":
                self.set(session, self.draw.choice(["history", "configuration"]), self.value())
            case "append":
                self.append(session)
            case "delete":
                self.delete(session)
            case "earlier":
                self.encrypt_under_earlier_key(session)
            case _:
                self.set(session, "name", {"S": f"name {next(self._numbers)}"})
        return None

    def _update(self, session: str, attributes: dict[str, Any]) -> None:
        self.dynamodb.update_item(
            TableName=TABLE,
            Key=item_key(session),
            UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in range(len(attributes))),
            ExpressionAttributeNames={f"#{n}": name for n, name in enumerate(attributes)},
            ExpressionAttributeValues={f":{n}": value for n, value in enumerate(attributes.values())},
        )

    # The functions

    def now(self) -> datetime:
        """Return the time as the migrator sees it: it goes on from the last change of the setting as the queues do."""
        moment, at = self._changed
        return moment + timedelta(seconds=self.queues.now - at)

    def invoke(self, function: str, work: Callable[[Any], Any], at_end: Callable[[Task], None]) -> Task:
        """Begin an invocation in an environment that is warm, or a new one."""
        pool = self._pools.setdefault(function, [])
        parts = pool.pop() if pool else self._compose(function)
        self.count["invoked"] += 1

        def end(task: Task) -> None:
            if not isinstance(task.error, Killed):
                pool.append(parts)
            else:
                self.count["killed"] += 1
            if task.error is not None and not isinstance(task.error, Killed):
                self.raised.append("".join(traceback.format_exception(task.error)))
                assert isinstance(task.error, ItemCryptoError | NoSuchSession | AssertionError), self.raised[-1]
                if isinstance(task.error, AssertionError):
                    raise task.error
            at_end(task)

        self.scheduler.begin(f"{function} {self.count['invoked']}", lambda: work(parts), end)
        return self.scheduler.tasks[-1][0]

    def _compose(self, function: str) -> Any:
        clients = Clients()
        match function:
            case "encryptor":
                sqs = clients.sqs
                queues = [Queue(sqs, f"{ADDRESS}{name}") for name in ("retry", "failures", "deferred")]
                return Encryptor(runtime.compose(self.settings, function, clients), KeyQueues(TABLE, *queues))
            case "reader":
                return Sessions(runtime.compose(self.settings, function, clients), "byUserId")
            case _:
                migrator = MigratorSettings.from_environment(os.environ)
                return compose(migrator, clients, sleep=lambda _: None, now=self.now)

    def command(self, command: str, **fields: Any) -> None:
        """Begin a command of the operator's."""
        event = {"command": command, "by": "operator", **fields}
        self.invoke("migrator", lambda parts: control.handle(event, _context(), parts), lambda _: None)

    def command_now(self, command: str, **fields: Any) -> dict[str, Any]:
        """Carry out a command to its end, without anything going wrong."""
        parts = self._operator = self._operator or self._compose("migrator")
        return control.handle({"command": command, "by": "operator", **fields}, _context(), parts)

    def read(self, session: str) -> None:
        """Begin to read a session as its owner, who is to see what it was at some time until the answer."""
        began = self.model.age(session)
        self.count["read"] += 1

        def end(task: Task) -> None:
            if isinstance(task.error, NoSuchSession):
                seen: State = None
            elif task.error is not None:
                assert getattr(task.error, "reason", None) != "undecryptable"
                return
            else:
                seen = {name: value for name, value in task.result[0].items() if name in SHOWN}
            if not session.startswith("lisa"):
                assert seen in self.model.since(session, began), f"{session}: the owner sees what never was: {seen}"

        self.invoke("reader", lambda sessions: sessions.read(item_key(session)), end)

    def put(self, session: str) -> None:
        """Begin to set an attribute through the API."""
        values = {self.draw.choice(["history", "configuration"]): self.value()}

        def end(task: Task) -> None:
            waiting = self._putting.pop(task, None)
            if task.error is None:
                assert waiting is None, f"{session}: acknowledged, but never written"

        task = self.invoke("reader", lambda sessions: sessions.replace(item_key(session), values), end)
        self._putting[task] = (session, values)

    def _seen(self, effect: Effect) -> None:
        """Take note of what a service has carried out."""
        if effect.task in self._putting and effect.operation in ("UpdateItem", "PutItem"):
            # The first time it is written is when it counts: were it written again, what came in between would be lost.
            self.model.set(*self._putting.pop(effect.task))
        if effect.operation == "TransactWriteItems":
            for action in effect.asked["TransactItems"]:
                row = action.get("Put", {}).get("Item", {})
                if row.get("part") == {"S": "current"}:
                    self._changed = (datetime.fromisoformat(row["changedAt"]["S"]), self.queues.now)

    # The event source mappings

    def deliver_stream(self) -> bool:
        """Begin to deliver records of the stream; return whether there were any."""
        self._stream_records += self._new_records()
        if not self._stream_records:
            return False
        number = self.draw.randint(1, self.most_records)
        if self.draw.random() < 0.1:
            self.draw.shuffle(self._stream_records)  # Later than they should be, and out of order.
        batch, self._stream_records = self._stream_records[:number], self._stream_records[number:]
        twice = self.draw.random() < 0.1

        def end(task: Task) -> None:
            if task.error is not None or twice:
                self._stream_records = batch + self._stream_records
                return
            failed = {failure["itemIdentifier"] for failure in task.result[0]["batchItemFailures"]}
            numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
            again = min((numbers.index(number) for number in failed), default=len(batch))
            self._stream_records = batch[again:] + self._stream_records

        self.invoke("encryptor", lambda parts: process({"Records": batch}, _context(), parts), end)
        return True

    def deliver_queue(self, name: str) -> bool:
        """Begin to deliver a message of a queue, any of them; return whether there was one."""
        waiting = self.queues.visible(name)
        if not waiting:
            return False
        message = self.queues.receive(name, self.draw.choice(waiting), hidden=30)
        if message is None:
            return True
        function, handler = {
            "retry": ("encryptor", retry.handle),
            "deferred": ("migrator", deferred.handle),
            "work": ("migrator", sweep.handle),
        }[name]
        record = {
            "messageId": message.id,
            "receiptHandle": message.id,
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receipts), "SentTimestamp": "0"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }
        self.count["carried on"] += json.loads(message.body).get("hop", 0) > 0
        twice = self.draw.random() < 0.1
        # A page, and the rest in another message: many hops, and every hop can fail.
        seconds = self.draw.choice([20, 300])

        def end(task: Task) -> None:
            if task.error is None and not twice and not task.result[0]["batchItemFailures"]:
                self.queues.delete(name, message.id)

        self.invoke(function, lambda parts: handler({"Records": [record]}, _context(seconds), parts), end)
        return True

    def _new_records(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = []
        while found := self._shard.after(self._position, 1000):
            records += [record.event for record in found]
            self._position = found[-1].sequence
        return records

    # A run

    def run(self, steps: int) -> None:
        """Do ``steps`` steps, each a write or a request, with faults, and come to rest."""
        self.wire.rates = self.faults
        for _ in range(steps):
            self.step()
        self.come_to_rest()
        self.check()

    def run_often(self, times: int, steps: int) -> None:
        """Do runs of ``steps`` steps, one after the other, on the same items."""
        for number in range(SESSIONS):
            self.replace(f"idle-{number}")
        for _ in range(times):
            self.run(steps)

    def step(self) -> None:
        """Do one step of anything."""
        if self.scheduler.tasks and (self.draw.random() < 0.65 or len(self.scheduler.tasks) > 8):
            self.scheduler.step()
            return
        match self.draw.choices(list(self.often), list(self.often.values()))[0]:
            case "write":
                self.write()
            case "stream":
                self.deliver_stream()
            case "queue":
                self.deliver_queue(self.draw.choice(["retry", "deferred", "work"]))
            case "read":
                self.read(self.draw.choice(["lisa-1", *(f"dlg-{n}" for n in range(SESSIONS))]))
            case "put":
                self.put(f"dlg-{self.draw.randrange(SESSIONS)}")
            case "sweep":
                self._sweep()
            case "switch":
                self._switch()
            case "redrive":
                self.command("redrive")
            case "weather":
                self.wire.storm = self.draw.choice([None, None, "kms", "dynamodb", "sqs"])
            case _:
                # A sweep waits until no function can still act on the setting of before.
                self.scheduler.finish()
                self.queues.now += self.draw.choice([1, 5, 20])

    def _sweep(self) -> None:
        running = [row for row in self._summaries() if row["state"]["S"] in ("running", "paused")]
        if running and self.draw.random() < 0.5:
            row = self.draw.choice(running)
            command = self.draw.choice(["pause", "resume", "resume", "cancel"])
            self._cancelled |= command == "cancel"
            self.command(command, sweep=row["id"]["S"].removeprefix("sweep#"))
            return
        force = self.draw.random() < 0.5
        rate = self.draw.choice([None, 20])
        self.command("start", goal=self.draw.choice(_GOALS), segments=self.draw.randint(1, 3), force=force, rate=rate)

    def _switch(self) -> None:
        setting = self.command_now("config")["setting"]
        enabled = self.draw.random() < 0.7
        part = self._any_part() if enabled and self.draw.random() < 0.5 else None
        self.command("set-config", enabled=enabled, part=part, version=setting["version"], confirm="switch-off")

    def _any_part(self) -> dict[str, Any]:
        if self.draw.random() < 0.5:
            return {"buckets": self.draw.choice([1, 3000, 6000, 9999])}
        names = [f"{kind}-{number}" for kind in ("dlg", "idle") for number in range(SESSIONS)]
        return {"keys": [item_key(name) for name in self.draw.sample([*names, "lisa-1"], self.draw.randint(1, 4))]}

    def policy(self) -> Policy:
        """Return what is to be encrypted, by the setting as it is."""
        config = self.command_now("config")
        setting = config["setting"]
        part = setting["part"] and {"buckets": setting["part"].get("buckets")}
        if config["listedKeys"] is not None:
            part = {"keys": config["listedKeys"]}
        return replace(self.settings.policy, enabled=setting["enabled"], part=part and read_part(part))

    def _summaries(self) -> list[dict[str, Any]]:
        rows = self.dynamodb.scan(TableName=CONTROL, ConsistentRead=True)["Items"]
        return [row for row in rows if row["part"]["S"] == "summary"]

    def come_to_rest(self) -> None:
        """Have everything that is under way end, without faults, and every queue worked off."""
        self.wire.rates, self.wire.storm = Rates(), None
        self._drain()
        self.sweep_up()
        for _ in range(20):
            if all(_is_for_a_person(message.body) for message in self.queues.messages["failures"]):
                break
            self.command_now("redrive")
            self._drain()
        self.count["quiet"] += 1

    def sweep_up(self) -> None:
        """Have the sweeps end that were begun, and sweep once more where nothing else follows."""
        for row in self._summaries():
            if row["state"]["S"] == "paused":
                self.command_now("resume", sweep=row["id"]["S"].removeprefix("sweep#"))
        self._drain()
        policy = self.policy()
        if not policy.enabled:
            self.command_now("start", goal="decrypt", force=True)
        elif self._cancelled or isinstance(policy.part, Buckets):
            # A part of buckets is swept by the operator; what stands under listed keys is encrypted by itself.
            self.command_now("start", goal="encrypt", force=True)  # What the operator cancelled is the operator's.
        self._cancelled = False
        self._drain()
        if policy.part is not None:
            # What has left the part is brought back as it is read.
            for item in self.dynamodb.scan(TableName=TABLE)["Items"]:
                if not policy.for_item(item).enabled:
                    self.read(item["sessionId"]["S"])
            self._drain()

    def _drain(self) -> None:
        for _ in range(10_000):
            self.scheduler.finish()
            delivered = [self.deliver_stream(), *map(self.deliver_queue, ("retry", "deferred", "work"))]
            if any(delivered):
                continue
            waiting = [m.visible_at for name in ("retry", "deferred", "work") for m in self.queues.messages[name]]
            if not waiting:
                return
            self.queues.now = max(self.queues.now, min(waiting))
        raise AssertionError("the queues never become empty")

    # What has to hold

    def check(self) -> None:
        """Check everything that has to hold when all is quiet."""
        policy = self.policy()
        letters = [message.body for message in self.queues.messages["failures"]]
        unexpected = [letter for letter in letters if not _is_for_a_person(letter)]
        assert unexpected == [], f"dead letters that no redrive settles: {unexpected}"
        unresolved = {json.loads(letter)["key"]["sessionId"]["S"] for letter in letters}
        stored = {item["sessionId"]["S"]: item for item in self.dynamodb.scan(TableName=TABLE)["Items"]}
        for session in {*stored, *self.model.versions}:
            item, expected = stored.get(session), self.model.now(session)
            assert (item is None) == (expected is None), f"{session}: {'lost' if item is None else 'came back'}"
            if item is not None and expected is not None:
                enabled = policy.for_item(item).enabled
                self._check_item(session, item, expected, None if session in unresolved else enabled)
        self.check_nothing_told()
        self.queues.messages["failures"].clear()
        for session in unresolved:
            self.delete(session)  # As the person does to whom the letter went.

    def _check_item(self, session: str, item: dict[str, Any], expected: dict[str, Any], enabled: bool | None) -> None:
        plain = [name for name in ATTRIBUTES if name in item]
        encrypted = [name for name in ATTRIBUTES if encrypted_name(name) in item]
        if enabled is None:
            pass
        elif enabled:
            assert plain == [], f"{session}: left in plaintext"
            assert CANARY not in str(item), f"{session}: a value in plaintext"
        else:
            assert encrypted == [], f"{session}: left encrypted"
        if session.startswith("lisa"):
            # Which of two writes is the newer one LISA's marker does not tell; the other one is kept.
            assert expected["history"] in self._held(session, item, "history"), f"{session}: a write is lost"
            return
        clear = ItemCipher(self.cipher, self.settings.policy).decrypt_item(item)
        assert {name: value for name, value in clear.items() if name in SHOWN} == expected, (
            f"{session}: a write is lost"
        )

    def _held(self, session: str, item: dict[str, Any], name: str) -> list[Any]:
        envelopes = {
            part: open_envelope(item[encrypted_name(part)])
            for part in (name, conflict_name(name))
            if encrypted_name(part) in item
        }
        plain = [item[part] for part in (name, conflict_name(name)) if part in item]
        return plain + list(self.cipher.decrypt(envelopes, self._context(session)).values())

    def check_nothing_told(self) -> None:
        """Check that no value is in a message, a log, an exception or the control table."""
        rows = json.dumps(self.dynamodb.scan(TableName=CONTROL)["Items"])
        told = {"messages": "\n".join(self.queues.sent), "output": self.output.getvalue(), "control table": rows}
        told["exceptions"] = "\n".join(self.raised)
        for place, text in told.items():
            for canary in _spellings(CANARY):
                assert canary not in text, f"a value is in the {place}"

    def _context(self, session: str) -> dict[str, str]:
        return encryption_context(item_key(session), ("userId", "sessionId"), "session-encryption")

    def _create_table(self, name: str, partition: str, sort: str, **more: Any) -> None:
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": partition, "AttributeType": "S"},
                {"AttributeName": sort, "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
            **more,
        )


def _is_for_a_person(letter: str) -> bool:
    """Tell whether a letter says that LISA and another writer wrote, and wrote again before that was settled."""
    document = json.loads(letter)
    return document.get("reason") == "conflict-unresolved" and document["key"]["sessionId"]["S"].startswith("lisa")


def _stream(view: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view}


def _context(seconds: float = 300) -> SimpleNamespace:
    return SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: seconds * 1000)


def _spellings(text: str) -> list[str]:
    """Return a text, and what every base64 that has it somewhere has of it."""
    return [text, *(base64.b64encode(b"\0" * shift + text.encode())[4:-4].decode() for shift in range(3))]
