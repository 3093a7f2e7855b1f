"""Reads one SQS queue for one mapping."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.event_sources.batch_response import failed_identifiers
from local.event_sources.filters import passes
from local.event_sources.mapping import EventSourceMapping
from local.function_process import Invocation

_IDLE_INTERVAL = 0.15
_RECEIVE_LIMIT = 10


class QueuePoller(threading.Thread):
    """Runs until stopped. A message is deleted once the function took it, and left to its visibility timeout
    if not.
    """

    def __init__(
        self,
        mapping: EventSourceMapping,
        *,
        queue_url: str,
        sqs: Any,
        has_messages: Callable[[], bool],
        invoke: Callable[[Any], Invocation],
    ) -> None:
        """Take the mapping and what to call; `has_messages` is a cheap look that spares empty receives."""
        super().__init__(name=f"mapping-{mapping.id}", daemon=True)
        self.mapping = mapping
        self._queue_url = queue_url
        self._sqs = sqs
        self._has_messages = has_messages
        self._invoke = invoke
        self._stopping = threading.Event()

    @property
    def idle(self) -> bool:
        """Tell whether the queue is empty: nothing to receive, nothing in flight, nothing delayed."""
        names = (
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        )
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(names))
        return all(answer["Attributes"][name] == "0" for name in names)

    def stop(self) -> None:
        """Finish the invocation under way and stop."""
        self._stopping.set()

    def run(self) -> None:
        """Receive, invoke, delete, until stopped: as many batches at once as the mapping allows."""
        with ThreadPoolExecutor(self.mapping.concurrency, thread_name_prefix=self.name) as pool:
            pollers = [pool.submit(self._poll) for _ in range(self.mapping.concurrency)]
        for poller in pollers:
            poller.result()

    def _poll(self) -> None:
        try:
            self._serve()
        finally:
            self._stopping.set()  # One that fails takes the others along, and so is seen.

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if not self._has_messages():
                self._stopping.wait(_IDLE_INTERVAL)
                continue
            messages = self._collect()
            if messages:
                self._deliver(messages)

    def _collect(self) -> list[dict[str, Any]]:
        """Return up to BatchSize messages, waiting up to the batching window from the first one for more."""
        messages: list[dict[str, Any]] = []
        closes = time.monotonic() + self.mapping.window
        while len(messages) < self.mapping.batch_size and not self._stopping.is_set():
            received = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(_RECEIVE_LIMIT, self.mapping.batch_size - len(messages)),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            messages.extend(received)
            if not received:
                if time.monotonic() >= closes:
                    break
                self._stopping.wait(min(_IDLE_INTERVAL, max(closes - time.monotonic(), 0)))
        return messages

    def _deliver(self, messages: list[dict[str, Any]]) -> None:
        records = {message["MessageId"]: self._record(message) for message in messages}
        wanted = {key: record for key, record in records.items() if passes(self.mapping.patterns, _filterable(record))}
        failed = self._failures(wanted) if wanted else set()
        done = [record["receiptHandle"] for key, record in records.items() if key not in failed]
        for start in range(0, len(done), _RECEIVE_LIMIT):
            entries = [
                {"Id": str(index), "ReceiptHandle": handle}
                for index, handle in enumerate(done[start : start + _RECEIVE_LIMIT])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)

    def _failures(self, records: Mapping[str, dict[str, Any]]) -> set[str]:
        invocation = self._invoke({"Records": list(records.values())})
        if invocation.failed:
            return set(records)
        if not self.mapping.report_failures:
            return set()
        failed = failed_identifiers(invocation.payload, set(records))
        return set(records) if failed is None else failed

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message as Lambda puts it into an event."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {f"{key[0].lower()}{key[1:]}": part for key, part in value.items() if key != "BinaryValue"}
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.source_arn,
            "awsRegion": self.mapping.source_arn.split(":")[3],
        }


def _filterable(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record with its body parsed, as filters see it, where it is JSON."""
    try:
        return record | {"body": json.loads(record["body"])}
    except ValueError:
        return record
