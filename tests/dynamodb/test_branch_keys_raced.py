"""Branch keys made, rotated, destroyed and used at once, over DynamoDB Local's own transactions."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import boto3
import pytest

from item_crypto import Keyrings, ValueCipher
from item_crypto.errors import DecryptionFailed, KeyDestroyed, KeyNotReady, TenantShredded, TransientError
from item_crypto.forms import open_envelope
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.branch_keys import BranchKeys, State
from item_crypto.keys.hierarchical import HierarchicalKeys
from tests.branch_keys import BRANCH_KEYS, create_branch_key_table

pytestmark = pytest.mark.usefixtures("database")

TENANTS: Final = Tenants("userId", "session-encryption")
THREADS: Final = 6


class World:
    def __init__(self) -> None:
        self.dynamodb, self.kms = boto3.client("dynamodb"), boto3.client("kms")
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        create_branch_key_table(self.dynamodb)

    def keys(self) -> BranchKeys:
        return BranchKeys(self.dynamodb, self.kms, BRANCH_KEYS, TENANTS, self.key_arn)

    def types(self, branch_key_id: str) -> list[str]:
        rows = self.dynamodb.scan(TableName=BRANCH_KEYS, ConsistentRead=True)["Items"]
        return sorted(row["type"]["S"] for row in rows if row["branch-key-id"]["S"] == branch_key_id)


@pytest.mark.parametrize("seed", range(6))
def test_tombstone_when_all_happens_at_once_then_it_stands_and_nothing_is_left(seed: int) -> None:
    world, stopped = World(), threading.Event()
    identifier = TENANTS.branch_key_id("alice")
    context = {"userId": "alice", "sessionId": "dlg-1", "purpose": TENANTS.purpose}
    world.keys().make("alice")
    written: list[str] = []
    destroyed_at = random.Random(seed).uniform(0.0, 0.4)
    wrong: list[str] = []

    def again_and_again(act: Callable[[BranchKeys], Any]) -> None:
        while not stopped.is_set():
            try:
                act(world.keys())
            except (KeyDestroyed, TenantShredded, TransientError):
                pass  # The tombstone, or a race that was lost.
            except Exception as error:  # What nobody foresaw is what this looks for.
                wrong.append(repr(error))
                return

    def write(keys: BranchKeys) -> None:
        cipher = ValueCipher(HierarchicalKeys(Keyrings(world.kms, world.key_arn), keys, 1))
        written.append(cipher.encrypt({"history": {"S": "x"}}, context)["history"])

    def destroy(_: BranchKeys) -> None:
        if stopped.wait(destroyed_at):
            return
        for _attempt in range(200):
            try:
                world.keys().destroy(identifier, datetime.now(UTC))
            except TransientError:
                continue  # Somebody rotated it between the look and the write: nothing was destroyed.
            stopped.wait(0.3)
            break
        stopped.set()

    with ThreadPoolExecutor(THREADS) as pool:
        tasks = [
            pool.submit(again_and_again, lambda keys: keys.make("alice")),
            pool.submit(again_and_again, lambda keys: keys.make("alice")),
            pool.submit(again_and_again, lambda keys: keys.rotate(identifier)),
            pool.submit(again_and_again, write),
            pool.submit(destroy, world.keys()),
        ]
        for task in tasks:
            task.result(timeout=60)

    assert wrong == []
    assert world.keys().find(identifier).state is State.DESTROYED
    assert world.types(identifier) == ["branch:ACTIVE"]
    reading = ValueCipher(HierarchicalKeys(Keyrings(world.kms, world.key_arn), world.keys(), 1))
    for text in written:
        with pytest.raises(KeyDestroyed):
            reading.decrypt({"history": open_envelope({"S": text})}, context)


def test_key_when_many_processes_make_and_use_it_then_all_read_all() -> None:
    world = World()
    context = {"userId": "bob", "sessionId": "dlg-1", "purpose": TENANTS.purpose}

    def make_and_write(number: int) -> str:
        keys = HierarchicalKeys(Keyrings(world.kms, world.key_arn), world.keys(), 60, makes=True)
        return ValueCipher(keys).encrypt({"history": {"N": str(number)}}, context)["history"]

    with ThreadPoolExecutor(THREADS) as pool:
        texts = list(pool.map(make_and_write, range(12)))

    reading = ValueCipher(HierarchicalKeys(Keyrings(world.kms, world.key_arn), world.keys(), 60))
    for number, text in enumerate(texts):
        assert reading.decrypt({"history": open_envelope({"S": text})}, context) == {"history": {"N": str(number)}}
    assert len(world.types(TENANTS.branch_key_id("bob"))) == 3


def test_key_when_not_made_then_dynamodb_local_says_so_too() -> None:
    world = World()

    with pytest.raises(KeyNotReady):
        world.keys().current(TENANTS.branch_key_id("nobody"))
    with pytest.raises(DecryptionFailed):
        world.keys().version(TENANTS.branch_key_id("nobody"), UUID(int=1))
