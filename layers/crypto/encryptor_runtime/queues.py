"""The queues: every call to SQS, and what is sent where."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from encryptor_runtime.messages import Aim, Goal, Hint, KeyMessage, Kind, SegmentWork, StartWork
from item_crypto.core.codec import Item
from item_crypto.errors import TransientError
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

RETRY_DELAY: Final = 15
"""Seconds before a key is tried again: longer than a burst that is throttled, shorter than a user's wait."""

_BATCH: Final = 10  # Messages in one request (SendMessageBatch, ReceiveMessage, API reference).
_MAX_DELAY: Final = 900  # Seconds that SQS can hold a message back (API reference).


class Queue:
    """One SQS queue.

    Every method raises TransientError or SystemicError where SQS does not do what it is asked for; what stood behind
    the message must not count as done then.

    Args:
        sqs: a boto3 SQS client.
        url: the queue's URL.
    """

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self.url = url

    def send(self, body: str, delay: float = 0) -> None:
        """Send a message, to be seen after ``delay`` seconds or the longest that SQS knows."""
        seconds = min(_MAX_DELAY, max(0, int(delay)))
        with translated("sqs"):
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=seconds)

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send messages; where one of them is not taken, others may have been."""
        for start in range(0, len(bodies), _BATCH):
            portion = bodies[start : start + _BATCH]
            with translated("sqs"):
                answer = self._sqs.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(portion)],
                )
            if answer.get("Failed"):
                raise TransientError("sqs", "BatchEntryFailed")

    def receive(self, limit: int, hidden: int) -> "list[MessageTypeDef]":
        """Return messages, ``limit`` and 10 at most, and hide them from others for ``hidden`` seconds."""
        with translated("sqs"):
            answer = self._sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(_BATCH, limit),
                VisibilityTimeout=hidden,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        return answer.get("Messages", [])

    def delete(self, handle: str) -> None:
        """Delete a message, given its receipt handle."""
        with translated("sqs"):
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)

    def show_again(self, handle: str, delay: int = 0) -> None:
        """Have a message that was received be seen again after ``delay`` seconds."""
        with translated("sqs"):
            self._sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=delay)

    def count(self) -> int:
        """Return about how many messages there are, with those that are hidden and held back."""
        with translated("sqs"):
            answer: Mapping[str, Any] = self._sqs.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        return sum(int(number) for number in answer["Attributes"].values())


class WorkQueue(Queue):
    """The queue of sweeps."""

    def carry_on(self, work: SegmentWork, delay: float = 0) -> None:
        """Have a segment carried on, after ``delay`` seconds."""
        self.send(work.body(), delay)

    def begin(self, sweep_id: str, segments: Sequence[int]) -> None:
        """Have segments of a sweep begun, or carried on from where they stand."""
        self.send_all([SegmentWork(sweep_id, number).body() for number in segments])

    def start(self, work: StartWork, delay: float) -> None:
        """Have a sweep started, after ``delay`` seconds."""
        self.send(work.body(), delay)


class KeyQueues:
    """Where keys go that are not done. Every method raises as those of :class:`Queue` do.

    Args:
        table: the table's name.
        retry: where keys wait for another try.
        failure: where dead letters go.
        deferred: where keys wait for the migrator; None where nobody serves them.
        now: returns the time, aware.
    """

    def __init__(
        self,
        table: str,
        retry: Queue,
        failure: Queue,
        deferred: Queue | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table = table
        self._retry = retry
        self._failure = failure
        self._deferred = deferred
        self._now = now

    def retry(self, hint: Hint, reason: str) -> None:
        """Have the key tried again after a while."""
        self._retry.send(KeyMessage(Kind.RETRY, self._table, hint, reason, self._now()).body(), RETRY_DELAY)

    def defer(self, hint: Hint, reason: str) -> None:
        """Leave the key to the migrator, which may decrypt; without its queue, to the item's next access."""
        if self._deferred is not None:
            self._deferred.send(KeyMessage(Kind.DEFERRED, self._table, hint, reason, self._now()).body())

    def postpone(self, hint: Hint, reason: str, aim: Aim) -> None:
        """Have a key of a sweep tried again by itself, after a while, for what the sweep wanted of it."""
        if self._deferred is not None:
            self._deferred.send(KeyMessage(Kind.DEFERRED, self._table, hint, reason, aim=aim).body(), RETRY_DELAY)

    def look_after(self, key: Item, reason: str, delay: float) -> None:
        """Have a key encrypted by itself, by whoever may decrypt too, after ``delay`` seconds."""
        if self._deferred is not None:
            message = KeyMessage(Kind.DEFERRED, self._table, Hint(key), reason, aim=Aim(Goal.ENCRYPT))
            self._deferred.send(message.body(), delay)

    def dead_letter(self, hint: Hint, reason: str, attempts: int = 1, aim: Aim | None = None) -> None:
        """Leave the key to a person.

        Args:
            hint: the key.
            reason: a fixed kebab-case word.
            attempts: how often it was tried.
            aim: what it was tried for, where a sweep or the migrator tried it.
        """
        letter = KeyMessage(Kind.DEAD_LETTER, self._table, hint, reason, self._now(), attempts, aim)
        self._failure.send(letter.body())
