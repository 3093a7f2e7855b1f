"""Lambda entry point for the work queue: carries segments of sweeps on, and starts sweeps that a switch asked for."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from item_crypto.errors import UnsupportedValue
from migrator.application import Application, application
from migrator.dead_letters import give_up_work
from migrator.messages import StartWork, parse_work


def lambda_handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Do what the messages of a batch ask for.

    Raises:
        ItemCryptoError: the function cannot start; the messages come again.
    """
    parts = application()
    parts.runtime.telemetry.begin(context)

    def handle(record: SQSRecord) -> None:
        _work(record, context, parts)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.flush()


def _work(record: SQSRecord, context: Any, parts: Application) -> None:
    try:
        work = parse_work(record.body)
    except UnsupportedValue as error:
        give_up_work(record.body, error.reason, parts)
        return
    if isinstance(work, StartWork):
        sweep = parts.starter.start_after_switch(work)
        parts.runtime.telemetry.audit(work.by, "start-sweep", None, "started" if sweep else "dropped", goal="encrypt")
        return

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    state = parts.worker.carry_on(work, seconds_left)
    parts.runtime.telemetry.log("segment", sweep=work.sweep, segment=work.segment, hop=work.hop, state=state)
