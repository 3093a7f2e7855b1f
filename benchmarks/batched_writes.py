"""What it costs to write items one by one and many in a request: both ways beside each other in one run, as medians.

    .venv/bin/python -m benchmarks.batched_writes [SESSIONS.jsonl[.gz]]

Sessions are reconciled in calls of 1, 5, 25 and 100 items on DynamoDB Local, which is there where `make test-dynamodb`
runs. KMS is answered in this process. Processor time is this side's; items a second depend on what else the machine
does, and both ways have it alike.
"""

import sys
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config

from benchmarks.encrypt_items import KEY_ARN, kms
from item_crypto import Keyrings, Policy, Reconciler, Role, Status, ValueCipher
from item_crypto.dynamodb.batch import Batch
from item_crypto.dynamodb.table import Table
from local.dynamodb_local import DynamoDBLocal
from local.sessions import SAMPLES, load_sessions

POLICY = Policy(("history", "configuration"), frozenset(), ("userId", "sessionId"), "session-encryption", True)
WARM_UP = 50  # The engine is slow until it has compiled what it runs often.
SIZES, ITEMS, ROUNDS = (1, 5, 25, 100), 200, 4
CLIENT: dict[str, Any] = {
    "region_name": "eu-central-1",
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "config": Config(max_pool_connections=16, retries={"total_max_attempts": 1}),
}


def new_table(dynamodb: Any, name: str) -> None:
    """Make a table of sessions."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}, {"AttributeName": "userId", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "sessionId", "AttributeType": "S"},
            {"AttributeName": "userId", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def reconciled(reconciler: Reconciler, items: list[dict[str, Any]], size: int) -> tuple[float, float]:
    """Reconcile ``items`` in calls of ``size``; return the seconds of processor time and of the clock."""
    began, clock = time.process_time(), time.perf_counter()
    for start in range(0, len(items), size):
        pairs = [({name: item[name] for name in ("sessionId", "userId")}, item) for item in items[start : start + size]]
        outcomes = reconciler.reconcile_read(pairs, POLICY, Role.ENCRYPTOR)
        if {outcome.status for outcome in outcomes.values()} != {Status.ENCRYPTED}:
            raise RuntimeError("an item was not encrypted")
    return time.process_time() - began, time.perf_counter() - clock


def main() -> None:
    """Run both ways in turn, at every size, several rounds, and print what an item costs."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    typed = [
        {name: TypeSerializer().serialize(value) for name, value in session.items()}
        for session in islice(load_sessions(path), ITEMS)
    ]
    took: dict[tuple[bool, int], list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        # A fresh engine each round: it becomes slower with every write.
        with DynamoDBLocal() as engine:
            dynamodb = boto3.client("dynamodb", endpoint_url=engine.url, **CLIENT)
            for size in (WARM_UP, *SIZES):
                for batched in (False, True) if number % 2 else (True, False):
                    name = f"sessions-{size}-{batched}"
                    new_table(dynamodb, name)
                    items = [
                        session | {"sessionId": {"S": f"dlg-{place}"}}
                        for place, session in enumerate(islice(cycle(typed), ITEMS))
                    ]
                    for item in items:
                        dynamodb.put_item(TableName=name, Item=item)
                    reconciler = Reconciler(
                        Table(dynamodb, name),
                        ValueCipher(Keyrings(kms(), KEY_ARN)),
                        batch=Batch(dynamodb, name) if batched else None,
                    )
                    took.setdefault((batched, size), []).append(reconciled(reconciler, items, size))
                    dynamodb.delete_table(TableName=name)
    print(f"{'items a call':>12}  {'one by one':>24}  {'in one request':>24}")
    for size in SIZES:
        cells = []
        for batched in (False, True):
            processor, clock = (median(each) for each in zip(*took[batched, size], strict=True))
            cells.append(f"{processor / ITEMS * 1000:6.2f} ms {ITEMS / clock:9.0f} items/s")
        print(f"{size:>12}  {cells[0]:>24}  {cells[1]:>24}")


if __name__ == "__main__":
    main()
