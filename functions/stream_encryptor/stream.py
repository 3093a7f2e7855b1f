"""One batch of the table's stream: hints, outcomes, and where the failures go.

::

    record ─▶ hint? ── no: done                    encrypted, nothing to do, superseded ─▶ done
               │                                   deferred ────────▶ migrator's queue ─▶ done
               │                                   failed for good ─▶ failure queue ───▶ done
               └─ yes ─▶ reconcile each key once ─ failed for now ──▶ retry queue ───▶ done
                                                   systemic, or a failed send ───────▶ batch item failure
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from encryptor_runtime.messages import Hint
from item_crypto.core.decide import Policy
from item_crypto.dynamodb.table import KeyId, key_id
from item_crypto.errors import SystemicError, TransientError, UnsupportedValue
from item_crypto.reconcile import Outcome, Status
from stream_encryptor.encryptor import Encryptor
from stream_encryptor.records import hint_of


def process(event: Mapping[str, Any], context: Any, encryptor: Encryptor) -> PartialItemFailureResponse:
    """Encrypt what a batch of stream records points at; return the records that Lambda has to deliver again.

    Lambda takes the lowest failed record as its checkpoint, so a systemic failure repeats the batch from there on.

    Args:
        event: Lambda's event of a DynamoDB stream.
        context: Lambda's context of the invocation.
        encryptor: the parts to work with.
    """
    batch = _Batch(encryptor)
    hints = batch.hints(event["Records"], encryptor.policy())
    outcomes = batch.pass_on(hints, encryptor.reconcile(hints, context))
    encryptor.telemetry.outcomes(outcomes.values())

    def handle(record: DynamoDBRecord) -> None:
        batch.check(record.raw_event, outcomes)

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
    return process_partial_response(event=dict(event), record_handler=handle, processor=processor, context=context)


class _Batch:
    """The records of one invocation."""

    def __init__(self, encryptor: Encryptor) -> None:
        self._encryptor = encryptor
        self._key_of_record: dict[str, KeyId] = {}
        self._unsent: set[str] = set()

    def hints(self, records: list[Mapping[str, Any]], policy: Policy) -> dict[KeyId, Hint]:
        """Return the earliest hint at each key: a hot item is encrypted once, and its window is the longest one."""
        found: dict[KeyId, Hint] = {}
        for record in records:
            try:
                hint = hint_of(record, policy)
            except UnsupportedValue as error:
                self._give_up(record, error)
                continue
            if hint is None:
                self._encryptor.telemetry.count("ItemsSkipped")
                continue
            key = key_id(hint.key)
            self._key_of_record[_identity(record)] = key
            found.setdefault(key, hint)
        return found

    def _give_up(self, record: Mapping[str, Any], error: UnsupportedValue) -> None:
        hint = Hint({}, record.get("eventID"))
        outcome = self._send(hint, Outcome({}, Status.FAILED, error.reason), is_outage=False)
        self._encryptor.telemetry.outcomes([outcome])
        if outcome.status is Status.SYSTEMIC:
            self._unsent.add(_identity(record))

    def pass_on(self, hints: Mapping[KeyId, Hint], outcomes: Mapping[KeyId, Outcome]) -> dict[KeyId, Outcome]:
        """Send failures to their queues; return the outcomes, a failed send as a systemic failure.

        One item's transient failure goes to the retry queue, so that the shard moves on. Where every one of several
        keys fails, a service is down, and the stream itself is the better place to wait.
        """
        is_outage = len(outcomes) > 1 and all(o.status is Status.RETRY for o in outcomes.values())
        return {key: self._send(hints[key], outcome, is_outage) for key, outcome in outcomes.items()}

    def _send(self, hint: Hint, outcome: Outcome, is_outage: bool) -> Outcome:
        try:
            if outcome.status is Status.FAILED:
                self._encryptor.failures.dead_letter(hint, outcome.reason)
            elif outcome.status is Status.DEFERRED:
                self._encryptor.failures.defer(hint, outcome.reason)
            elif outcome.status is Status.RETRY and is_outage:
                return replace(outcome, status=Status.SYSTEMIC)
            elif outcome.status is Status.RETRY:
                self._encryptor.failures.retry(hint, outcome.reason)
        except (TransientError, SystemicError) as error:
            return replace(outcome, status=Status.SYSTEMIC, reason=f"{error.service}-{error.code}")
        return outcome

    def check(self, record: Mapping[str, Any], outcomes: Mapping[KeyId, Outcome]) -> None:
        """Raise where the record has to be delivered again.

        Raises:
            SystemicError: its key failed systemically, or its failure could not be sent.
        """
        identity = _identity(record)
        key = self._key_of_record.get(identity)
        if identity in self._unsent or (key is not None and outcomes[key].status is Status.SYSTEMIC):
            raise SystemicError("stream", "not-done")


def _identity(record: Mapping[str, Any]) -> str:
    """Return what Lambda knows the record by; it is there even where the key is not."""
    return str(record.get("dynamodb", {}).get("SequenceNumber"))
