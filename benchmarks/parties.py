"""The processes of a measurement: a fresh DynamoDB Local with a table, the KMS stand-in, and who is measured."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3

from benchmarks.contenders import ATTRIBUTES, KEY, PURPOSE
from benchmarks.entries import Entry
from local.dynamodb_local import DynamoDBLocal

ROOT: Final = Path(__file__).parents[1]
REGION: Final = "eu-central-1"
KEY_ARN: Final = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TABLE: Final = "sessions"
CONTROL_TABLE: Final = "control"
OWN_PYTHON: Final = ROOT / ".venv-bench/bin/python"
"""The interpreter of contenders that need what no other part of the project does."""

_BATCH: Final = 25  # Items in one BatchWriteItem (API reference), and 16 MB: 25 of 400 KB at most.
_NO_QUEUE: Final = "http://127.0.0.1:1/none"  # Nothing is to fail, so nothing is to be sent.


class Kms:
    """The KMS stand-in, as a context manager; ``url`` is where it listens."""

    def __init__(self, milliseconds: float) -> None:
        self._milliseconds = milliseconds
        self.url = ""

    def __enter__(self) -> "Kms":
        """Start it on a free port."""
        command = [sys.executable, "-m", "benchmarks.kms_stand_in", str(self._milliseconds), KEY_ARN]
        self._process = subprocess.Popen(  # noqa: S603 - no part of the command is from outside
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()

    def calls(self) -> int:
        """Return how many calls it has answered."""
        with urllib.request.urlopen(f"{self.url}/counts") as answer:  # noqa: S310 - our own process
            return sum(json.load(answer).values())


class Worker:
    """Who is measured, in a process of its own, as a context manager."""

    def __init__(self, command: Sequence[str], more: Mapping[str, str] | None = None) -> None:
        """Describe it: an interpreter and its arguments, and more of an environment; `with` starts it."""
        self._command = list(command)
        self._environment = environment() | dict(more or {})

    def __enter__(self) -> "Worker":
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603 - no part of the command is from outside
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self._environment
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have it do something, and return what it answers; raise RuntimeError where it ends instead."""
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._command[1:4])} ended: what it says stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def contender(entry: Entry, dynamodb_url: str, kms_url: str) -> Worker:
    """Return the process of a contender."""
    python = str(OWN_PYTHON) if entry.own_environment else sys.executable
    options = json.dumps(dict(entry.options))
    return Worker(
        [python, "-m", "benchmarks.worker", entry.module, dynamodb_url, kms_url, KEY_ARN, REGION, TABLE, options]
    )


def function(handler: str, dynamodb_url: str, kms_url: str) -> Worker:
    """Return a process that runs a function's handler, over the table and a control table."""
    more = {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
        "AWS_ENDPOINT_URL_KMS": kms_url,
        "TABLE_NAME": TABLE,
        "CONTROL_TABLE_NAME": CONTROL_TABLE,
        "SESSION_ENCRYPTION_KEY_ARN": KEY_ARN,
        "ENCRYPTED_ATTRIBUTES": ",".join(ATTRIBUTES),
        "CONTEXT_ATTRIBUTES": ",".join(KEY),
        "CONTEXT_PURPOSE": PURPOSE,
        "USER_INDEX_NAME": "byUserId",
        "READ_CACHE_SECONDS": "60",  # As the template has it.
        "RETRY_QUEUE_URL": _NO_QUEUE,
        "FAILURE_QUEUE_URL": _NO_QUEUE,
        "DEFERRED_QUEUE_URL": _NO_QUEUE,
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "StreamEncryptor",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
    }
    return Worker([sys.executable, "-m", "benchmarks.function_worker", handler], more)


@contextmanager
def engine() -> Iterator[tuple[str, Any]]:
    """Run a fresh DynamoDB Local, and yield its URL and a client of it.

    Fresh, since it slows down with every write that its streams remember.
    """
    with DynamoDBLocal() as running:
        yield running.url, client(running.url)


def client(dynamodb_url: str) -> Any:
    """Return a client of DynamoDB Local in the database that contenders use."""
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=dynamodb_url,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
    )


def create_table(dynamodb: Any) -> None:
    """Create a table like the template's: keys of sessions, and a stream of keys."""
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}, {"AttributeName": "userId", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("sessionId", "userId")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )


def create_control_table(dynamodb: Any) -> None:
    """Create an empty control table: the setting is what the environment says, on."""
    dynamodb.create_table(
        TableName=CONTROL_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "part")],
    )


def warm_up(dynamodb: Any, requests: int = 400) -> None:
    """Have a fresh engine compile what contenders ask for, whichever of it each does; its streams get none of it."""
    name = "warming-up"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    value = {"L": [{"M": {"type": {"S": "human"}, "content": {"S": "x" * 200}}}] * 20}
    for start in range(0, requests, _BATCH):
        keys = [{"id": {"S": str(number)}} for number in range(start, start + _BATCH)]
        puts = [{"PutRequest": {"Item": {**key, "history": value}}} for key in keys]
        dynamodb.batch_write_item(RequestItems={name: puts})
        dynamodb.scan(TableName=name, ConsistentRead=True, Limit=_BATCH)
        for key in keys:
            dynamodb.update_item(
                TableName=name,
                Key=key,
                UpdateExpression="SET #a = :a REMOVE #h",
                ConditionExpression="#h = :h AND attribute_not_exists(#a)",
                ExpressionAttributeNames={"#a": "encrypted_history", "#h": "history"},
                ExpressionAttributeValues={":a": {"S": "x" * 2_000}, ":h": value},
            )
            dynamodb.put_item(TableName=name, Item={**key, "history": value})
        statement = (
            'UPDATE "warming-up" SET "a" = ? REMOVE "history" WHERE "id" = ? AND "history" = ? AND "a" IS MISSING'
        )
        dynamodb.batch_execute_statement(
            Statements=[{"Statement": statement, "Parameters": [{"S": "x" * 2_000}, key["id"], value]} for key in keys]
        )


def fill(dynamodb: Any, items: Sequence[Mapping[str, Any]]) -> None:
    """Put ``items``, whatever is there."""
    for start in range(0, len(items), _BATCH):
        puts = [{"PutRequest": {"Item": dict(item)}} for item in items[start : start + _BATCH]]
        answer = dynamodb.batch_write_item(RequestItems={TABLE: puts})
        if answer["UnprocessedItems"]:
            raise RuntimeError("DynamoDB Local left items unwritten")


def stored(dynamodb: Any) -> list[dict[str, Any]]:
    """Return all items of the table."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def environment() -> dict[str, str]:
    """Return the environment of a process that imports this project from the checkout."""
    paths = (ROOT / "layers/crypto", ROOT / "functions", ROOT)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
