"""The migrator's queues: what it sends to them."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.codec import Item, to_json
from item_crypto.errors import TransientError
from item_crypto.service_errors import from_boto
from migrator.messages import SegmentWork, goal_members
from migrator.sweeps import Goal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_BATCH: Final = 10  # Messages in one SendMessageBatch (API reference).
_MAX_DELAY: Final = 900  # Seconds that SQS can hold a message back (API reference).
_DEFERRED_DELAY: Final = 15  # Seconds that a throttled key rests.


class Queues:
    """Sends work on; every method raises TransientError or SystemicError where SQS does not take a message.

    Args:
        sqs: a boto3 SQS client.
        table: the table's name.
        work_url: the work queue.
        deferred_url: the queue of keys that wait for the migrator.
    """

    def __init__(self, sqs: "SQSClient", table: str, work_url: str, deferred_url: str) -> None:
        self._sqs = sqs
        self._table = table
        self._work_url = work_url
        self._deferred_url = deferred_url

    def carry_on(self, work: SegmentWork, delay: float = 0) -> None:
        """Have a segment carried on, after ``delay`` seconds."""
        seconds = min(_MAX_DELAY, max(0, int(delay)))
        self._call(self._sqs.send_message, QueueUrl=self._work_url, MessageBody=work.body(), DelaySeconds=seconds)

    def begin(self, sweep_id: str, segments: Sequence[int], delay: float = 0) -> None:
        """Have segments of a sweep begun, or carried on from where they stand."""
        seconds = min(_MAX_DELAY, max(0, int(delay)))
        for start in range(0, len(segments), _BATCH):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": SegmentWork(sweep_id, number).body(),
                    "DelaySeconds": seconds,
                }
                for number in segments[start : start + _BATCH]
            ]
            answer = self._call(self._sqs.send_message_batch, QueueUrl=self._work_url, Entries=entries)
            if answer.get("Failed"):
                raise TransientError("sqs", "BatchEntryFailed")

    def work_again(self, body: str) -> None:
        """Send a work message as it was."""
        self._call(self._sqs.send_message, QueueUrl=self._work_url, MessageBody=body)

    def defer(self, key: Item, reason: str, goal: Goal, older_than: datetime | None) -> None:
        """Have a key tried again by itself, for a sweep's goal."""
        body = {
            "kind": "deferred",
            "table": self._table,
            "key": {name: to_json(value) for name, value in key.items()},
            "reason": reason,
            **goal_members(goal, older_than),
        }
        self._call(
            self._sqs.send_message,
            QueueUrl=self._deferred_url,
            MessageBody=json.dumps(body),
            DelaySeconds=_DEFERRED_DELAY,
        )

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        try:
            return operation(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise from_boto("sqs", error) from error
