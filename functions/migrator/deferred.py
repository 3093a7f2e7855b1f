"""Lambda entry point for deferred keys: what the stream's function may not touch, and what a sweep found throttled."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from encryptor_runtime.messages import KeyMessage
from encryptor_runtime.waits import seconds_waited
from item_crypto.core.key import key_id
from item_crypto.errors import TransientError, UnsupportedValue
from item_crypto.outcome import Status
from migrator.application import Application, application
from migrator.budget import budget
from migrator.policy import policy_for

_RESERVE: Final = 30.0  # Seconds with which no further key is begun: a call that hangs, and the queues.
_PATIENCE: Final = 2  # Receipts: the queue's visibility timeout lies between two, longer than a deployment.


def lambda_handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Reconcile the keys in a batch of messages.

    Raises:
        ItemCryptoError: the function cannot start; the messages come again.
    """
    return handle(event, context, application())


def handle(event: dict[str, Any], context: Any, parts: Application) -> PartialItemFailureResponse:
    """Reconcile the keys in a batch of messages with ``parts``."""
    parts.runtime.begin(context)
    parts.runtime.telemetry.seconds("DeferredMessageAge", seconds_waited(event, parts.now().timestamp()))

    seconds_left = budget(lambda: float(context.get_remaining_time_in_millis()) / 1000, _RESERVE)

    def reconcile(record: SQSRecord) -> None:
        _reconcile(record, parts, seconds_left)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=reconcile, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.kms(parts.runtime.meter.drain())
        parts.runtime.telemetry.flush()


def _reconcile(record: SQSRecord, parts: Application, seconds_left: Callable[[], float]) -> None:
    try:
        message = KeyMessage.from_body(record.body, parts.runtime.settings.table)
    except UnsupportedValue as error:
        parts.letters.take(record.body, error.reason)
        return
    policy = policy_for(message.aim, parts.runtime.policy())
    key = key_id(message.hint.key)
    outcome = parts.persistent.keys({key: message.hint.key}, policy, seconds_left)[key]
    attempts = int(record.attributes.approximate_receive_count)
    if outcome.known_elsewhere and policy.enabled and attempts <= _PATIENCE:
        # Amid a change of the key, this function may be the last that does not know the new one.
        outcome = replace(outcome, status=Status.RETRY)
    parts.runtime.telemetry.outcomes([outcome])
    if outcome.status is Status.FAILED:
        parts.keys.dead_letter(message.hint, outcome.reason, attempts, message.aim)
    elif outcome.status in (Status.RETRY, Status.SYSTEMIC):
        raise TransientError("deferred", outcome.reason)
