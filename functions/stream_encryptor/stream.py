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

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from encryptor_runtime.messages import Hint
from encryptor_runtime.queues import KeyQueues
from item_crypto.core.key import KeyId, key_id
from item_crypto.errors import SystemicError, TransientError, UnsupportedValue
from item_crypto.outcome import Outcome, Status
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
    telemetry = encryptor.runtime.telemetry
    hints: dict[KeyId, Hint] = {}
    records: dict[str, KeyId] = {}  # Those that point at work, by what Lambda knows each by.
    again: list[str] = []
    for record in event["Records"]:
        try:
            hint = hint_of(record, encryptor.needs_work)
        except UnsupportedValue as error:
            outcome = _give_up(record, error, encryptor.failures)
            telemetry.outcomes([outcome])
            if outcome.status is Status.SYSTEMIC:
                again.append(_identity(record))
            continue
        if hint is None:
            telemetry.count("ItemsSkipped")
            continue
        key = records[_identity(record)] = key_id(hint.key)
        # The earliest hint at each key: a hot item is encrypted once, and its window is the longest one.
        hints.setdefault(key, hint)
    outcomes = _passed_on(hints, encryptor.reconcile(hints, context), encryptor.failures)
    telemetry.outcomes(outcomes.values())
    again += [record for record, key in records.items() if outcomes[key].status is Status.SYSTEMIC]
    return {"batchItemFailures": [{"itemIdentifier": record} for record in again]}


def _give_up(record: Mapping[str, Any], error: UnsupportedValue, failures: KeyQueues) -> Outcome:
    return _sent(Hint({}, record.get("eventID")), Outcome({}, Status.FAILED, error.reason), failures)


def _passed_on(
    hints: Mapping[KeyId, Hint], outcomes: Mapping[KeyId, Outcome], failures: KeyQueues
) -> dict[KeyId, Outcome]:
    """Send failures to their queues; return the outcomes, a failed send as a systemic failure.

    One item's transient failure goes to the retry queue, so that the shard moves on. Where every one of several keys
    fails, a service is down, and the stream itself is the better place to wait.
    """
    if len(outcomes) > 1 and all(outcome.status is Status.RETRY for outcome in outcomes.values()):
        return {key: replace(outcome, status=Status.SYSTEMIC) for key, outcome in outcomes.items()}
    return {key: _sent(hints[key], outcome, failures) for key, outcome in outcomes.items()}


def _sent(hint: Hint, outcome: Outcome, failures: KeyQueues) -> Outcome:
    try:
        match outcome.status:
            case Status.FAILED | Status.DESTROYED:
                failures.dead_letter(hint, outcome.reason)
            case Status.DEFERRED:
                failures.defer(hint, outcome.reason)
            case Status.RETRY:
                failures.retry(hint, outcome.reason)
    except (TransientError, SystemicError) as error:
        return replace(outcome, status=Status.SYSTEMIC, reason=f"{error.service}-{error.code}")
    return outcome


def _identity(record: Mapping[str, Any]) -> str:
    """Return what Lambda knows the record by; it is there even where the key is not."""
    return str(record.get("dynamodb", {}).get("SequenceNumber"))
