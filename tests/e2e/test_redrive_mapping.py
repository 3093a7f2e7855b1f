"""What the stream's mapping gave up on, and redriving it: the real template on the local stack, with a real stream."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from local import FunctionError, LocalStack

ITEMS: Final = 12


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    parameters = {"StreamRetries": "0", "StreamBatchSize": "5", "SettingCacheSeconds": "0"}
    with LocalStack(state_directory=tmp_path_factory.mktemp("state"), parameters=parameters) as running:
        yield running


def control(stack: LocalStack, command: str, **fields: Any) -> dict[str, Any]:
    return dict(stack.invoke("ControlFunction", {"command": command, "by": "operator", **fields}))


def key(prefix: str, number: int) -> dict[str, Any]:
    return {"sessionId": {"S": f"{prefix}-{number}"}, "userId": {"S": "alice"}}


def write(stack: LocalStack, prefix: str) -> None:
    for number in range(ITEMS):
        item = {**key(prefix, number), "history": {"L": [{"S": f"secret {number}"}]}}
        stack.client("dynamodb").put_item(TableName=stack.outputs["TableName"], Item=item)


def stored(stack: LocalStack, prefix: str) -> list[dict[str, Any]]:
    items = stack.client("dynamodb").scan(TableName=stack.outputs["TableName"], ConsistentRead=True)["Items"]
    return [item for item in items if item["sessionId"]["S"].startswith(prefix)]


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def outage(stack: LocalStack) -> Iterator[None]:
    """Disable the KMS key. moto still serves a disabled one, so the functions meet it when they start anew."""
    kms, key_id = stack.client("kms"), stack.outputs["KeyArn"].rpartition("/")[2]
    kms.disable_key(KeyId=key_id)
    try:
        for function in ("StreamEncryptorFunction", "ControlFunction"):
            stack.crash(function)
        yield
    finally:
        kms.enable_key(KeyId=key_id)


def give_up(stack: LocalStack, prefix: str) -> list[dict[str, Any]]:
    """Write while the key is disabled, until the mapping has given up on all of it; return its letters."""
    with outage(stack):
        write(stack, prefix)
        stack.wait_until_idle(60)
    letters = control(stack, "failures", max=100)["failures"]
    return [letter for letter in letters if letter["kind"] == "mapping"]


def test_given_up_batches_when_redriven_then_the_items_of_their_ranges_are_encrypted(stack: LocalStack) -> None:
    letters = give_up(stack, "range")
    assert letters
    assert {letter["reason"] for letter in letters} == {"RetryAttemptsExhausted"}
    assert all("history" in item for item in stored(stack, "range"))

    answer = control(stack, "redrive")

    assert (answer["done"], answer["again"], answer["remaining"], answer["sweep"]) == (len(letters), 0, 0, None)
    items = stored(stack, "range")
    assert len(items) == ITEMS
    assert not any("history" in item for item in items)
    seen = stack.invoke("ItemReaderFunction", {"Key": key("range", 7)})["Item"]
    assert seen["history"] == {"L": [{"S": "secret 7"}]}


def test_given_up_batches_when_redriven_before_the_cause_is_mended_then_the_letters_stay(stack: LocalStack) -> None:
    letters = give_up(stack, "again")

    with outage(stack), pytest.raises(FunctionError):
        control(stack, "redrive")

    assert control(stack, "redrive")["done"] == len(letters)
    assert not any("history" in item for item in stored(stack, "again"))


def test_a_range_that_does_not_exist_when_redriven_then_a_sweep_looks_at_every_item(stack: LocalStack) -> None:
    letters = give_up(stack, "trimmed")
    sqs, queue = stack.client("sqs"), stack.outputs["FailureQueueUrl"]
    bodies = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert len(bodies) == len(letters)
    # Sequence numbers that the stream does not hold: moto knows no trimming, and gives empty pages for ever.
    gone = str(10**30)
    for body in bodies:
        body["DDBStreamBatchInfo"] |= {"startSequenceNumber": gone, "endSequenceNumber": gone}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"DDBStreamBatchInfo": {"shardId": []}}))

    answer = control(stack, "redrive")

    assert (answer["done"], answer["again"], answer["remaining"]) == (len(bodies), 1, 1)
    assert len([note for note in answer["notes"] if "trimmed" in note]) == len(bodies)
    until(lambda: control(stack, "sweep", sweep=answer["sweep"])["sweep"]["state"] == "done")
    assert not any("history" in item for item in stored(stack, "trimmed"))
    (letter,) = control(stack, "failures")["failures"]
    assert control(stack, "discard", id=letter["id"], reason="a test")["discarded"] is True
