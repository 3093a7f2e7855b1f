"""A queue's messages are handed over as many batches at once as its mapping allows."""

import threading
from typing import Any

from local.event_sources.mapping import EventSourceMapping
from local.event_sources.queue_poller import QueuePoller
from local.function_process import Invocation

CONFIGURATION = {
    "UUID": "mapping",
    "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:work",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:migrator",
    "State": "Enabled",
    "BatchSize": 1,
}


class OneMessageEach:
    """SQS with a number of messages."""

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._left = list(range(number))
        self.deleted: list[str] = []

    def has_messages(self) -> bool:
        return bool(self._left)

    def receive_message(self, **_: Any) -> dict[str, Any]:
        with self._lock:
            if not self._left:
                return {}
            name = str(self._left.pop())
        return {"Messages": [{"MessageId": name, "ReceiptHandle": name, "Body": "{}", "MD5OfBody": ""}]}

    def delete_message_batch(self, Entries: list[dict[str, str]], **_: Any) -> None:  # noqa: N803 - SQS's name
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]


def mapping(**more: Any) -> EventSourceMapping:
    return EventSourceMapping.from_configuration({**CONFIGURATION, **more})


def test_mapping_with_a_maximum_concurrency_then_so_many_batches_are_under_way_at_once() -> None:
    sqs = OneMessageEach(3)
    all_there = threading.Barrier(3, timeout=20)  # Passed by three at once, or by none.

    def invoke(_: Any) -> Invocation:
        all_there.wait()
        return Invocation(None)

    poller = QueuePoller(
        mapping(ScalingConfig={"MaximumConcurrency": 3}),
        queue_url="work",
        sqs=sqs,
        has_messages=sqs.has_messages,
        invoke=invoke,
    )
    poller.start()
    poller.join(0.1)
    while len(sqs.deleted) < 3 and poller.is_alive():
        poller.join(0.01)
    poller.stop()
    poller.join(20)

    assert sorted(sqs.deleted) == ["0", "1", "2"]
    assert not poller.is_alive()


def test_mapping_without_one_then_one_batch_at_a_time() -> None:
    assert mapping().concurrency == 1
    assert mapping(ScalingConfig=None).concurrency == 1
