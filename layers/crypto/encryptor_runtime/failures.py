"""Where failures go: one item's transient failure to the retry queue, a permanent one to the failure queue.

A message names an item and a reason, never a value::

    {"kind": "item", "table": "sessions", "key": {"sessionId": {"S": "…"}, "userId": {"S": "…"}},
     "reason": "unknown-form", "recordId": "4c2f…", "time": "2026-01-02T08:30:00Z", "attempts": 1}

``kind`` is ``deferred`` in the migrator's queue and ``retry`` in the retry queue, whose redrive policy moves a message
that was received too often to the failure queue as it is. ``writtenAt`` (epoch seconds, or null) is then the time of
the write, for the plaintext window.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.codec import Item, key_from_json, to_json
from item_crypto.errors import UnsupportedValue
from item_crypto.service_errors import from_boto

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

RETRY_DELAY: Final = 15
"""Seconds before a key is tried again: longer than a burst that is throttled, shorter than a user's wait."""


@dataclass(frozen=True)
class Hint:
    """A key that may need work, and where the hint came from.

    Attributes:
        key: the item's key.
        record_id: the stream record's event id, where one stands behind it.
        written_at: when the writer wrote the item, in epoch seconds, where it is known.
    """

    key: Item
    record_id: str | None = None
    written_at: float | None = None


class Failures:
    """Sends what failed to its queue.

    Args:
        sqs: a boto3 SQS client.
        table: the table's name.
        retry_queue_url: where keys wait for another try.
        failure_queue_url: where dead letters go.
        deferred_queue_url: where keys wait for the migrator; None where nobody serves them.
        now: returns the time, aware.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        table: str,
        retry_queue_url: str,
        failure_queue_url: str,
        deferred_queue_url: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sqs = sqs
        self._table = table
        self._retry_queue_url = retry_queue_url
        self._failure_queue_url = failure_queue_url
        self._deferred_queue_url = deferred_queue_url
        self._now = now

    def retry(self, hint: Hint, reason: str) -> None:
        """Have the key tried again after a while.

        Raises:
            TransientError, SystemicError: SQS did not take the message; the record must not count as done.
        """
        body = self._body("retry", hint, reason) | {"writtenAt": hint.written_at}
        self._send(self._retry_queue_url, body, RETRY_DELAY)

    def defer(self, hint: Hint, reason: str) -> None:
        """Leave the key to the migrator, which may decrypt; without its queue, to the item's next access.

        Raises:
            TransientError, SystemicError: SQS did not take the message; the record must not count as done.
        """
        if self._deferred_queue_url is not None:
            self._send(self._deferred_queue_url, self._body("deferred", hint, reason), 0)

    def dead_letter(
        self, hint: Hint, reason: str, attempts: int = 1, purpose: Mapping[str, str | None] | None = None
    ) -> None:
        """Leave the key to a person.

        Args:
            hint: the key.
            reason: a fixed kebab-case word.
            attempts: how often it was tried.
            purpose: more members of the message, which tell what the key was tried for.

        Raises:
            TransientError, SystemicError: SQS did not take the message; the record must not count as done.
        """
        body = self._body("item", hint, reason) | {"attempts": attempts} | dict(purpose or {})
        self._send(self._failure_queue_url, body, 0)

    def _body(self, kind: str, hint: Hint, reason: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "table": self._table,
            "key": {name: to_json(value) for name, value in hint.key.items()},
            "reason": reason,
            "recordId": hint.record_id,
            "time": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _send(self, queue_url: str, body: dict[str, Any], delay: int) -> None:
        try:
            self._sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(body), DelaySeconds=delay)
        except (ClientError, BotoCoreError) as error:
            raise from_boto("sqs", error) from error


def hint_from_message(body: str, table: str) -> Hint:
    """Return the hint in a queue message made by :class:`Failures`.

    Raises:
        UnsupportedValue: it is not such a message, or is for another table.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnsupportedValue("a queue message is not JSON") from None
    if not isinstance(document, dict) or document.get("table") != table:
        raise UnsupportedValue("a queue message is not for this table")
    record_id, written_at = document.get("recordId"), document.get("writtenAt")
    return Hint(
        key_from_json(document.get("key")),
        record_id if isinstance(record_id, str) else None,
        _seconds(written_at),
    )


def _seconds(number: object) -> float | None:
    try:
        seconds = float(number) if isinstance(number, int | float) else math.nan
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None
