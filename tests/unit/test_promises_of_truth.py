"""What is measured and told is true: each of these broke unnoticed when a line was changed."""

import json
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from moto import mock_aws

from encryptor_runtime.messages import Hint, StartWork
from encryptor_runtime.queues import KeyQueues, Queue
from encryptor_runtime.runtime import compose
from encryptor_runtime.settings import Settings
from item_crypto.core.key import key_id
from migrator import sweep
from stream_encryptor.encryptor import Encryptor
from stream_encryptor.stream import process
from tests.migration import TABLE, Migration, context
from tests.records import received

HISTORY: Any = {"L": [{"S": "what is the tide in Porto?"}]}
LAMBDA = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 100_000)


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def audited(output: str, who: str) -> list[tuple[Any, str]]:
    """Return the sessions and results of one function's audit lines about items."""
    return [
        (line["item"]["sessionId"]["S"], line["result"])
        for line in lines(output)
        if line.get("audit") and line["who"] == who and line["operation"] == "reconcile"
    ]


def counted(output: str, name: str) -> list[float]:
    return [value for line in lines(output) if "_aws" in line for value in line.get(name, [])]


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)


@pytest.fixture
def encryptor(migration: Migration) -> Encryptor:
    """The stream's function, at second 1,000."""
    runtime = compose(Settings.from_environment(os.environ), "stream_encryptor", sleep=lambda _: None)
    queues = KeyQueues(TABLE, *(Queue(migration.sqs, migration.failures) for _ in range(3)))
    return Encryptor(runtime, queues, clock=lambda: 1_000.0)


def record(session: str, written_at: float) -> dict[str, Any]:
    keys = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    change = {"Keys": keys, "SequenceNumber": str(uuid4()), "ApproximateCreationDateTime": written_at}
    return {"eventID": str(uuid4()), "eventName": "MODIFY", "dynamodb": change}


def window(encryptor: Encryptor, output: pytest.CaptureFixture[str], *records: dict[str, Any]) -> list[float]:
    """Handle a batch and return the plaintext windows that were measured, in milliseconds."""
    output.readouterr()
    with encryptor.runtime.telemetry.invocation(LAMBDA):
        assert process({"Records": list(records)}, LAMBDA, encryptor) == {"batchItemFailures": []}
    return counted(output.readouterr().out, "PlaintextWindow")


def test_window_when_an_item_was_written_often_then_it_is_counted_once_and_from_the_earliest_write(
    migration: Migration, encryptor: Encryptor, capsys: pytest.CaptureFixture[str]
) -> None:
    migration.put("s-1", history=HISTORY)

    measured = window(encryptor, capsys, record("s-1", 990.0), record("s-1", 995.0), record("s-1", 999.0))

    assert measured == [10_000.0]


def test_window_when_an_item_was_not_encrypted_then_it_has_none(
    migration: Migration, encryptor: Encryptor, capsys: pytest.CaptureFixture[str]
) -> None:
    migration.put("nothing-to-encrypt")
    migration.put("broken", history=HISTORY, encrypted_configuration={"S": "no ciphertext"})
    migration.put("s-1", history=HISTORY)

    measured = window(
        encryptor,
        capsys,
        record("nothing-to-encrypt", 900.0),
        record("broken", 910.0),
        record("gone", 920.0),
        record("s-1", 998.0),
    )

    assert measured == [2_000.0]


def test_window_when_encryption_is_off_then_there_is_none(
    migration: Migration, encryptor: Encryptor, capsys: pytest.CaptureFixture[str]
) -> None:
    migration.put("s-1", history=HISTORY)
    migration.command("set-config", enabled=False, version=0, confirm="switch-off")

    assert window(encryptor, capsys, record("s-1", 900.0)) == []


def test_window_when_a_hint_has_no_time_then_none_is_made_up(
    migration: Migration, encryptor: Encryptor, capsys: pytest.CaptureFixture[str]
) -> None:
    item = migration.put("s-1", history=HISTORY)
    key = {name: item[name] for name in ("sessionId", "userId")}
    capsys.readouterr()

    encryptor.reconcile({key_id(key): Hint(key)}, LAMBDA)
    encryptor.runtime.telemetry.flush()

    output = capsys.readouterr().out
    assert counted(output, "PlaintextWindow") == []


@pytest.mark.parametrize(
    ("goal", "metric", "result"),
    [("encrypt", "ItemsEncrypted", "encrypted"), ("decrypt", "ItemsDecrypted", "decrypted")],
)
def test_sweep_when_it_changes_items_then_each_has_an_audit_line_and_is_a_metric(
    migration: Migration, capsys: pytest.CaptureFixture[str], goal: str, metric: str, result: str
) -> None:
    for session in ("s-1", "s-2"):
        migration.put(session, history=HISTORY)
    if goal == "decrypt":
        migration.run("encrypt")
        migration.switch(False, 0)
    capsys.readouterr()

    migration.run(goal)

    output = capsys.readouterr().out
    assert sorted(audited(output, "migrator")) == [("s-1", result), ("s-2", result)]
    assert sum(counted(output, metric)) == 2
    assert sum(counted(output, "KmsCalls")) == len(counted(output, "KmsLatency")) == 2
    segments = [line for line in lines(output) if line.get("message") == "segment"]
    assert {line["state"] for line in segments} == {"done"}


def test_sweep_when_an_item_fails_then_that_is_audited_and_a_metric_too(
    migration: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    migration.put("s-1", encrypted_history={"S": "no ciphertext"})
    capsys.readouterr()

    migration.run("encrypt")

    output = capsys.readouterr().out
    assert audited(output, "migrator") == [("s-1", "failed-for-good")]
    assert sum(counted(output, "ItemsFailedPermanent")) == 1


def test_sweep_when_a_page_is_done_then_what_it_asked_of_kms_is_told_by_then(
    migration: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    for session in ("s-1", "s-2"):
        migration.put(session, history=HISTORY)
    migration.start("encrypt", segments=1)
    capsys.readouterr()

    migration.pump()

    output = capsys.readouterr().out  # Read before a command has told what is left.
    assert sum(counted(output, "KmsCalls")) == len(counted(output, "KmsLatency")) == 2


def test_redrive_when_an_item_is_mended_then_its_encryption_is_audited_and_a_metric(
    migration: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    migration.put("s-1", encrypted_history={"S": "no ciphertext"})
    migration.run("encrypt")
    migration.put("s-1", history=HISTORY)
    capsys.readouterr()

    assert migration.command("redrive")["done"] == 1

    output = capsys.readouterr().out
    assert audited(output, "migrator") == [("s-1", "encrypted")]
    assert sum(counted(output, "ItemsEncrypted")) == 1


def test_sweep_that_a_switch_asks_for_when_its_message_comes_then_the_audit_says_what_came_of_it(
    migration: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    message = received(StartWork("alice", 0).body())
    for _ in range(2):  # SQS delivers at least once.
        assert sweep.handle(message, context(), migration.parts) == {"batchItemFailures": []}

    started = [line for line in lines(capsys.readouterr().out) if line.get("operation") == "start-sweep"]
    assert [(line["who"], line["goal"], line["result"]) for line in started] == [
        ("alice", "encrypt", "started"),
        ("alice", "encrypt", "dropped"),
    ]
