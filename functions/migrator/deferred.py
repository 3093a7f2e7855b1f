"""Lambda entry point for deferred keys: what the stream's function may not touch, and what a sweep found throttled."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from encryptor_runtime.failures import hint_from_message
from item_crypto.core.key import key_id
from item_crypto.errors import TransientError, UnsupportedValue
from item_crypto.outcome import Status
from migrator.application import Application, application
from migrator.dead_letters import give_up_work
from migrator.messages import deferred_goal, goal_members, parse_json
from migrator.policy import policy_for


def lambda_handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Reconcile the keys in a batch of messages.

    Raises:
        ItemCryptoError: the function cannot start; the messages come again.
    """
    parts = application()
    parts.runtime.telemetry.begin(context)

    def handle(record: SQSRecord) -> None:
        _reconcile(record, parts)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.kms(parts.runtime.meter.drain())
        parts.runtime.telemetry.flush()


def _reconcile(record: SQSRecord, parts: Application) -> None:
    try:
        hint = hint_from_message(record.body, parts.settings.shared.table)
        goal, older_than = deferred_goal(parse_json(record.body))
    except UnsupportedValue as error:
        give_up_work(record.body, error.reason, parts)
        return
    policy = policy_for(goal, older_than, parts.runtime.policy())
    key = key_id(hint.key)
    outcome = parts.persistent.keys({key: hint.key}, policy)[key]
    parts.runtime.telemetry.outcomes([outcome])
    if outcome.status is Status.FAILED:
        attempts = int(record.attributes.approximate_receive_count)
        parts.failures.dead_letter(hint, outcome.reason, attempts, goal_members(goal, older_than))
    elif outcome.status in (Status.RETRY, Status.SYSTEMIC):
        raise TransientError("deferred", outcome.reason)
