"""Mixed tables in every direction: the switch goes on and off under writers and readers, and nothing is lost.

Each item has one writer, which writes increasing numbers, so what it last had acknowledged is known for certain::

    put      puts whole items                 SET      sets one attribute at a time
    LISA     puts whole items encrypted by LISA's old scheme, as one that was there before this application
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import pytest

from encryptor_runtime.switch_and_sweep import settled_after
from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from local import LocalStack
from tests import lisa

PURPOSE: Final = "session-encryption"
ATTRIBUTES: Final = ("history", "configuration")
SESSIONS: Final = {
    "put": [f"put-{n}" for n in range(8)],
    "set": [f"set-{n}" for n in range(8)],
    "lisa": [f"lisa-{n}" for n in range(4)],
}
STORED_BY_US: Final = {
    "encrypted_history",
    "encrypted_configuration",
    "is_encrypted",
    "encrypted_at",
    "encryption_version",
}

Numbers = dict[str, int]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    directory = tmp_path_factory.mktemp("state")
    with LocalStack(state_directory=directory, parameters={"SettingCacheSeconds": "1"}) as running:
        sqs = running.client("sqs")
        for queue in ("RetryQueueUrl", "WorkQueueUrl", "DeferredQueueUrl"):
            # On a busy machine a call may time out; its message need not rest for minutes here, as it does in AWS.
            sqs.set_queue_attributes(QueueUrl=running.outputs[queue], Attributes={"VisibilityTimeout": "20"})
        yield running


@pytest.fixture(scope="module")
def load(stack: LocalStack) -> "Load":
    return Load(stack)


class Load:
    """Writers and readers; what was acknowledged, and what went wrong."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.table = stack.outputs["TableName"]
        self.dynamodb = stack.client("dynamodb")
        self.kms = stack.client("kms")
        self.acknowledged: dict[str, Numbers] = {}
        self.reads = 0
        self.wrong: list[str] = []
        self._number = 0
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write and read until the block ends; nobody writes after that."""
        self._stopping.clear()
        writers: dict[str, Callable[[str, random.Random], None]] = {
            "put": self._put,
            "set": self._set,
            "lisa": self._lisa,
        }
        with ThreadPoolExecutor(8) as pool:
            tasks = [
                pool.submit(self._write, writers[kind], sessions[part::2])
                for kind, sessions in SESSIONS.items()
                for part in range(2)
            ]
            tasks += [pool.submit(self._read, seed) for seed in range(2)]
            try:
                yield
            finally:
                self._stopping.set()
            for task in tasks:
                task.result()

    def _write(self, write: Callable[[str, random.Random], None], sessions: list[str]) -> None:
        dice = random.Random(sessions[0])
        while not self._stopping.wait(dice.random() * 0.1):
            write(dice.choice(sessions), dice)

    def _next(self, session: str) -> int:
        return max(self.acknowledged.get(session, {"none": 0}).values()) + 1

    def _put(self, session: str, _: random.Random) -> None:
        number = self._next(session)
        values = {name: {"L": [{"N": str(number)}]} for name in ATTRIBUTES}
        self.dynamodb.put_item(TableName=self.table, Item={**key(session), "name": {"S": "n"}, **values})
        self.acknowledged[session] = dict.fromkeys(ATTRIBUTES, number)

    def _set(self, session: str, dice: random.Random) -> None:
        name, number = dice.choice(ATTRIBUTES), self._next(session)
        self.dynamodb.update_item(
            TableName=self.table,
            Key=key(session),
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": {"L": [{"N": str(number)}]}},
        )
        self.acknowledged[session] = self.acknowledged.get(session, {}) | {name: number}

    def _lisa(self, session: str, _: random.Random) -> None:
        number = self._next(session)
        context = {"userId": "alice", "sessionId": session, "purpose": PURPOSE}
        text = lisa.ciphertext(self.kms, self.stack.outputs["KeyArn"], [number], context)
        markers = {"encryption_version": {"S": "1.0"}, "is_encrypted": {"BOOL": True}}
        item = {**key(session), "name": {"S": "n"}, "encrypted_history": {"S": text}, **markers}
        self.dynamodb.put_item(TableName=self.table, Item=item)
        self.acknowledged[session] = {"history": number}

    def _read(self, seed: int) -> None:
        """Read as owners do: never less than what was acknowledged before the read began."""
        dice = random.Random(seed)
        while not self._stopping.wait(0.02):
            session = dice.choice(list(self.acknowledged) or ["put-0"])
            before = dict(self.acknowledged.get(session, {}))
            try:
                item = self.stack.invoke("ItemReaderFunction", {"Key": key(session)})["Item"]
                seen = numbers(item or {})
            except Exception as error:  # Every failed read counts.
                self.wrong.append(f"{session}: {type(error).__name__}")
                continue
            self.reads += 1
            if any(seen.get(name, -1) < number for name, number in before.items()):
                self.wrong.append(f"{session}: {seen} after {before} was acknowledged")

    def stored(self) -> dict[str, dict[str, Any]]:
        """Return all items as they are stored, by session."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return {item["sessionId"]["S"]: item for page in pages for item in page["Items"]}


class Operator:
    """The operator's commands, by the control function."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack

    def command(self, command: str, **fields: Any) -> dict[str, Any]:
        return dict(self._stack.invoke("ControlFunction", {"command": command, "by": "operator", **fields}))

    def switch(self, enabled: bool) -> int:
        version = self.command("config")["setting"]["version"]
        answer = self.command("set-config", enabled=enabled, version=version, confirm="switch-off")
        assert answer["setting"]["enabled"] is enabled, answer
        return int(answer["setting"]["version"])

    def decrypt(self) -> str:
        """Start a ``decrypt`` sweep; one that the last setting left running ends by itself first."""
        deadline = time.monotonic() + 30
        while "error" in (answer := self.command("start", goal="decrypt", segments=2)):
            assert answer["error"]["code"] == "conflict", answer
            assert time.monotonic() < deadline, self.command("status")["sweeps"]
            time.sleep(0.2)
        return str(answer["sweep"]["id"])

    def wait(self, goal: str, version: int) -> dict[str, Any]:
        """Wait until a sweep that rests on a version of the setting is done, and return it."""
        deadline = time.monotonic() + settled_after(1) + 60
        while time.monotonic() < deadline:
            for sweep in self.command("status")["sweeps"]:
                if (sweep["goal"], sweep["settingVersion"], sweep["state"]) == (goal, version, "done"):
                    return dict(sweep)
            time.sleep(0.3)
        raise AssertionError(self.command("status")["sweeps"])


def key(session: str) -> dict[str, Any]:
    return {"sessionId": {"S": session}, "userId": {"S": "alice"}}


def numbers(item: dict[str, Any]) -> Numbers:
    return {name: int(next(iter(item[name]["L"][0].values()))) for name in ATTRIBUTES if name in item}


def back_and_forth(operator: Operator, dice: random.Random, rounds: int) -> None:
    """Switch off, at times with a ``decrypt`` sweep, and on, at times before the sweep is done."""
    for number in range(rounds):
        version = operator.switch(False)
        if number % 2 == 0:
            operator.decrypt()
            time.sleep(dice.random() * 3)
        else:
            operator.decrypt()
            operator.wait("decrypt", version)
        operator.switch(True)
        time.sleep(dice.random() * 4)


def test_switched_on_in_the_end_then_all_is_encrypted_and_every_last_write_is_there(load: Load) -> None:
    operator = Operator(load.stack)
    with load.running():
        back_and_forth(operator, random.Random(1), 3)
        operator.switch(False)
        time.sleep(2)
        version = operator.switch(True)

    swept = operator.wait("encrypt", version)
    load.stack.wait_until_idle(200)

    assert swept["startedBy"] == "operator"
    assert (load.wrong, load.reads > 50) == ([], True)
    stored = load.stored()
    assert stored.keys() == load.acknowledged.keys()
    assert {name for name, item in stored.items() if set(ATTRIBUTES) & item.keys()} == set()
    assert all(item["is_encrypted"] == {"BOOL": True} for item in stored.values())
    policy = Policy(ATTRIBUTES, frozenset(), ("userId", "sessionId"), PURPOSE, enabled=True)
    cipher = ItemCipher(ValueCipher(Keyrings(load.kms, load.stack.outputs["KeyArn"])), policy)
    assert {name: numbers(cipher.decrypt_item(item)) for name, item in stored.items()} == load.acknowledged
    assert not any("conflict" in name for item in stored.values() for name in item)
    assert operator.command("failures")["failures"] == []


def test_switched_off_and_swept_in_the_end_then_all_is_plaintext_and_every_last_write_is_there(load: Load) -> None:
    operator = Operator(load.stack)
    with load.running():
        back_and_forth(operator, random.Random(2), 1)
        version = operator.switch(False)
        time.sleep(2)

    operator.decrypt()
    operator.wait("decrypt", version)
    load.stack.wait_until_idle(200)

    assert load.wrong == []
    stored = load.stored()
    assert stored.keys() == load.acknowledged.keys()
    assert {name: set(item) & STORED_BY_US for name, item in stored.items() if set(item) & STORED_BY_US} == {}
    assert {name: numbers(item) for name, item in stored.items()} == load.acknowledged
    assert operator.command("failures")["failures"] == []
