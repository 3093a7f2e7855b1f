"""One batch of the table's stream: hints, outcomes, and where the failures go.

::

    record ─▶ hint? ── no: done                    encrypted, nothing to do, superseded ─▶ done
               │                                   deferred ────────▶ migrator's queue ─▶ done
               │                                   failed for good ─▶ failure queue ───▶ done
               └─ yes ─▶ reconcile each key once ─ failed for now ──▶ retry queue ───▶ done
                                                   systemic, or a failed send ───────▶ batch item failure

Lambda takes the lowest record that is reported as failed for its checkpoint, and delivers all from there on again. So
only what lies below it is sent anywhere: the rest comes again, and would be sent each time::

    records   1 poison   2 encrypted   3 systemic   4 poison   5 encrypted
              └ letter                 └ reported   └ comes again with 3, and has its letter once 3 has passed
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from encryptor_runtime.messages import Hint
from encryptor_runtime.queues import KeyQueues
from item_crypto.core.key import KeyId, key_id
from item_crypto.errors import SystemicError, TransientError, UnsupportedValue
from item_crypto.outcome import Outcome, Status
from stream_encryptor.encryptor import Encryptor
from stream_encryptor.records import hint_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

_PASSED_ON: Final = (Status.FAILED, Status.DESTROYED, Status.DEFERRED, Status.RETRY)


@dataclass
class _Batch:
    """What the records of a batch point at.

    Attributes:
        hints: the earliest hint at each key: a hot item is encrypted once, and its window is the longest one.
        keys: the key that each record points at, by the record's place in the batch.
        malformed: records without a usable key, by place: a hint at none, and the failure.
        skipped: how many records tell that there is nothing to do.
    """

    hints: dict[KeyId, Hint] = field(default_factory=dict)
    keys: dict[int, KeyId] = field(default_factory=dict)
    malformed: dict[int, tuple[Hint, Outcome]] = field(default_factory=dict)
    skipped: int = 0


def process(event: Mapping[str, Any], context: Any, encryptor: Encryptor) -> "PartialItemFailureResponse":
    """Encrypt what a batch of stream records points at; return the records that Lambda has to deliver again.

    Args:
        event: Lambda's event of a DynamoDB stream.
        context: Lambda's context of the invocation.
        encryptor: the parts to work with.
    """
    telemetry = encryptor.runtime.telemetry
    batch = _read(event["Records"], encryptor)
    if batch.skipped:
        telemetry.count("ItemsSkipped", batch.skipped)
    outcomes = _judged(encryptor.reconcile(batch.hints, context))
    again = {place for place, key in batch.keys.items() if outcomes[key].status is Status.SYSTEMIC}
    telemetry.outcomes(outcome for outcome in outcomes.values() if outcome.status not in _PASSED_ON)
    for place, hint, outcome in _to_pass_on(batch, outcomes):
        sent = outcome
        if place < min(again, default=place + 1):
            sent = _sent(hint, outcome, encryptor.failures)
            if sent.status is Status.SYSTEMIC:
                again.add(place)
        elif not outcome.attributes:
            continue  # It comes again, and is counted then; only what was written of it was written now.
        telemetry.outcomes([sent])
    return {"batchItemFailures": [{"itemIdentifier": _identity(event["Records"][place])} for place in sorted(again)]}


def _read(records: Iterable[Mapping[str, Any]], encryptor: Encryptor) -> _Batch:
    batch = _Batch()
    for place, record in enumerate(records):
        try:
            hint = hint_of(record, encryptor.needs_work)
        except UnsupportedValue as error:
            batch.malformed[place] = Hint({}, record.get("eventID")), Outcome({}, Status.FAILED, error.reason)
            continue
        if hint is None:
            batch.skipped += 1
            continue
        key = batch.keys[place] = key_id(hint.key)
        batch.hints.setdefault(key, hint)
    return batch


def _judged(outcomes: dict[KeyId, Outcome]) -> dict[KeyId, Outcome]:
    """Return the outcomes, a service that is down as a systemic failure.

    One item's transient failure goes to the retry queue, so that the shard moves on. Where every one of several keys
    fails, a service is down, and the stream itself is the better place to wait.
    """
    if len(outcomes) > 1 and all(outcome.status is Status.RETRY for outcome in outcomes.values()):
        return {key: replace(outcome, status=Status.SYSTEMIC) for key, outcome in outcomes.items()}
    return outcomes


def _to_pass_on(batch: _Batch, outcomes: Mapping[KeyId, Outcome]) -> list[tuple[int, Hint, Outcome]]:
    """Return what is to be sent somewhere, in the records' order; a key in the place of its last record.

    If that one comes again, the key is looked at again, whatever becomes of the records before it.
    """
    last = {key: place for place, key in batch.keys.items()}
    found = [(place, *pair) for place, pair in batch.malformed.items()]
    found += [
        (last[key], batch.hints[key], outcome) for key, outcome in outcomes.items() if outcome.status in _PASSED_ON
    ]
    return sorted(found, key=lambda each: each[0])


def _sent(hint: Hint, outcome: Outcome, failures: KeyQueues) -> Outcome:
    """Send a failure to its queue; return the outcome, a failed send as a systemic failure."""
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
