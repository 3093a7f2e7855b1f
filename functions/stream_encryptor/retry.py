"""Lambda entry point for the retry queue: keys that failed for now, tried again by themselves.

A key that fails again stays in the queue, whose redrive policy moves it to the failure queue in the end. A message
that is no hint fails likewise, and so ends there as it is.
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from encryptor_runtime.messages import KeyMessage
from item_crypto.core.key import key_id
from item_crypto.errors import TransientError
from item_crypto.outcome import Status
from stream_encryptor.application import encryptor
from stream_encryptor.encryptor import Encryptor


def lambda_handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Reconcile the keys in a batch of retry messages.

    Raises:
        ItemCryptoError: the function cannot start; the messages come again.
    """
    return handle(event, context, encryptor())


def handle(event: dict[str, Any], context: Any, parts: Encryptor) -> PartialItemFailureResponse:
    """Reconcile the keys in a batch of retry messages with ``parts``."""
    parts.runtime.telemetry.begin(context)

    def try_again(record: SQSRecord) -> None:
        _try_again(record, context, parts)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=try_again, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.flush()


def _try_again(record: SQSRecord, context: Any, parts: Encryptor) -> None:
    hint = KeyMessage.from_body(record.body, parts.runtime.table.name).hint
    key = key_id(hint.key)
    outcome = parts.reconcile({key: hint}, context)[key]
    parts.runtime.telemetry.outcomes([outcome])
    if outcome.status in (Status.FAILED, Status.DESTROYED):
        parts.failures.dead_letter(hint, outcome.reason, attempts=int(record.attributes.approximate_receive_count))
    elif outcome.status is Status.DEFERRED:
        parts.failures.defer(hint, outcome.reason)
    elif outcome.status in (Status.RETRY, Status.SYSTEMIC):
        raise TransientError("retry", outcome.reason)
