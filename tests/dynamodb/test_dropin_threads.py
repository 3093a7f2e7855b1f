"""Drop-ins, a plain writer, an encryptor and a migrator race in threads on DynamoDB Local, and no update is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest

from item_crypto import Role, TransientError
from tests.dropin import ONCE, Pair

KEY: dict[str, Any] = {"id": "a", "at": Decimal(1)}
UPDATES = 10


@pytest.mark.usefixtures("database")
def test_updates_when_many_write_the_same_item_then_each_that_was_acknowledged_counts() -> None:
    pair = Pair()
    pair.sealed.put_item(Item={**KEY, "n": 0, "history": "start"})
    over = threading.Event()
    acknowledged: list[str] = []

    def writer(name: str) -> None:
        """Count, and leave a value of its own in an attribute of its own: both in one update, or neither."""
        table = pair.table(boto3.resource("dynamodb", config=ONCE).Table(pair.stored.name))
        for number in range(UPDATES):
            try:
                table.update_item(
                    Key=KEY,
                    UpdateExpression=f"SET {name} = :v, last_{name} = :v ADD n :one",
                    ExpressionAttributeValues={":v": number, ":one": 1},
                )
            except TransientError:
                continue  # Nothing was written, and whoever counts does not count it.
            acknowledged.append(name)

    def plain() -> None:
        table = boto3.resource("dynamodb", config=ONCE).Table(pair.stored.name)
        for number in range(UPDATES):
            table.update_item(
                Key=KEY,
                UpdateExpression="SET trail = list_append(if_not_exists(trail, :none), :more)",
                ExpressionAttributeValues={":none": [], ":more": [number]},
            )

    def reconciler(role: Role, **changes: Any) -> Callable[[], None]:
        def work() -> None:
            while not over.wait(0.02):
                pair.reconciler.reconcile([{"id": {"S": "a"}, "at": {"N": "1"}}], replace(pair.policy, **changes), role)

        return work

    with ThreadPoolExecutor(6) as pool:
        others = [
            pool.submit(reconciler(Role.ENCRYPTOR)),
            pool.submit(reconciler(Role.MIGRATOR)),
            pool.submit(reconciler(Role.MIGRATOR, enabled=False, decrypt_all=True)),
        ]
        try:
            for running in [pool.submit(writer, "history"), pool.submit(writer, "secret"), pool.submit(plain)]:
                running.result(timeout=120)
        finally:
            over.set()
        for other in others:
            other.result(timeout=120)

    found = pair.sealed.get_item(Key=KEY, ConsistentRead=True)["Item"]
    assert found["n"] == len(acknowledged)
    assert len(acknowledged) > UPDATES  # Most of them, or nothing was shown.
    assert (found["history"], found["secret"]) == (found["last_history"], found["last_secret"])
    assert found["trail"] == list(range(UPDATES))
