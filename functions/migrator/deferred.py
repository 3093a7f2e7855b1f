"""Lambda entry point for deferred keys: what the stream's function may not touch, and what a sweep found throttled."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from encryptor_runtime.messages import KeyMessage
from encryptor_runtime.waits import seconds_waited
from item_crypto.core.key import key_id
from item_crypto.errors import TransientError, UnsupportedValue
from item_crypto.outcome import Status
from migrator.application import Application, application
from migrator.policy import policy_for


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

    def reconcile(record: SQSRecord) -> None:
        _reconcile(record, parts)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=reconcile, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.kms(parts.runtime.meter.drain())
        parts.runtime.telemetry.flush()


def _reconcile(record: SQSRecord, parts: Application) -> None:
    try:
        message = KeyMessage.from_body(record.body, parts.runtime.settings.table)
    except UnsupportedValue as error:
        parts.letters.take(record.body, error.reason)
        return
    policy = policy_for(message.aim, parts.runtime.policy())
    key = key_id(message.hint.key)
    outcome = parts.persistent.keys({key: message.hint.key}, policy)[key]
    parts.runtime.telemetry.outcomes([outcome])
    if outcome.status is Status.FAILED:
        attempts = int(record.attributes.approximate_receive_count)
        parts.keys.dead_letter(message.hint, outcome.reason, attempts, message.aim)
    elif outcome.status in (Status.RETRY, Status.SYSTEMIC):
        raise TransientError("deferred", outcome.reason)
