"""Reads one shard of a DynamoDB stream for one mapping and takes every batch through its `Delivery`."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from local.event_sources.batch_response import failed_identifiers
from local.event_sources.delivery import Delivery, Discard, Invoke, StreamRecord, Wait
from local.event_sources.failure_document import failure_document
from local.event_sources.filters import passes
from local.event_sources.mapping import EventSourceMapping
from local.function_process import FunctionSpec, Invocation

_IDLE_INTERVAL = 0.1
_PAYLOAD_LIMIT = 6 * 1024 * 1024
_READ_LIMIT = 1000


class Shard(Protocol):
    """A stream's shard, read by position: the sequence number last read."""

    @property
    def id(self) -> str:
        """The shard's id."""

    def trim_horizon(self) -> int:
        """Return the position before the oldest record."""

    def latest(self) -> int:
        """Return the position after the newest record."""

    def after(self, position: int, limit: int) -> list[StreamRecord]:
        """Return the records that follow a position."""


class StreamPoller(threading.Thread):
    """Runs until stopped. `position` is the sequence number up to which every record is resolved."""

    def __init__(
        self,
        mapping: EventSourceMapping,
        *,
        position: int,
        shard: Shard,
        function: FunctionSpec,
        invoke: Callable[[Any], Invocation],
        send_failure: Callable[[str], None] | None,
    ) -> None:
        """Take the mapping, where to go on, and what to call; `send_failure` takes a message for the
        destination.
        """
        super().__init__(name=f"mapping-{mapping.id}", daemon=True)
        self.mapping = mapping
        self.position = position
        self._shard = shard
        self._function = function
        self._invoke = invoke
        self._send_failure = send_failure
        self._stopping = threading.Event()
        self._last = Invocation(None)

    @property
    def idle(self) -> bool:
        """Tell whether every record of the shard is resolved."""
        return not self._shard.after(self.position, 1)

    def stop(self) -> None:
        """Finish the invocation under way and stop; the rest of its batch stays unresolved."""
        self._stopping.set()

    def run(self) -> None:
        """Read, filter, deliver, until stopped."""
        while not self._stopping.is_set():
            batch, end = self._collect()
            if batch and not self._deliver(Delivery(batch, self.mapping.retry_policy)):
                return
            if end == self.position and not batch:
                self._stopping.wait(_IDLE_INTERVAL)
            self.position = end

    def _collect(self) -> tuple[list[StreamRecord], int]:
        """Return the next batch, which may be empty, and the last sequence number it accounts for.

        A batch closes when it has BatchSize records or 6 MB, or when the batching window since its first
        record is over; without a window, when there is nothing more to read.
        """
        batch: list[StreamRecord] = []
        size = 0
        end = self.position
        closes = 0.0
        while not self._stopping.is_set():
            records = self._shard.after(end, _READ_LIMIT)
            for record in records:
                if passes(self.mapping.patterns, record.event):
                    size += len(json.dumps(record.event))
                    if batch and size > _PAYLOAD_LIMIT:
                        return batch, end
                    if not batch:
                        closes = time.monotonic() + self.mapping.window
                    batch.append(record)
                end = record.sequence
                if len(batch) >= self.mapping.batch_size:
                    return batch, end
            if not batch or time.monotonic() >= closes:
                break
            self._stopping.wait(min(_IDLE_INTERVAL, max(closes - time.monotonic(), 0)))
        return batch, end

    def _deliver(self, delivery: Delivery) -> bool:
        """Take a batch to its end; False when stopped before that."""
        while (step := delivery.next_step(time.time())) is not None:
            if self._stopping.is_set():
                return False
            match step:
                case Invoke(records):
                    self._attempt(delivery, records)
                case Discard():
                    self._report(step)
                    delivery.discarded()
                case Wait(seconds):
                    self._stopping.wait(seconds)
            if delivery.checkpoint is not None:
                self.position = delivery.checkpoint
        return True

    def _attempt(self, delivery: Delivery, records: tuple[StreamRecord, ...]) -> None:
        self._last = self._invoke({"Records": [record.event for record in records]})
        if self._last.failed:
            delivery.fail(time.time())
            return
        if not self.mapping.report_failures:
            delivery.acknowledge()
            return
        failed = failed_identifiers(self._last.payload, {str(record.sequence) for record in records})
        if failed is None:
            delivery.fail(time.time())
        elif failed:
            delivery.fail(time.time(), lowest=min(map(int, failed)))
        else:
            delivery.acknowledge()

    def _report(self, discard: Discard) -> None:
        if self._send_failure is None:
            return
        document = failure_document(
            discard,
            request_id=self._last.request_id,
            function_arn=self._function.arn,
            function_error=self._last.failed,
            shard_id=self._shard.id,
            stream_arn=self.mapping.source_arn,
            now=time.time(),
        )
        self._send_failure(json.dumps(document))
