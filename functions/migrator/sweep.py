"""Lambda entry point for the work queue: carries segments of sweeps on, and starts sweeps that a switch asked for."""

from typing import Any, Final

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from encryptor_runtime.messages import SegmentWork, StartWork, work_from_body
from encryptor_runtime.waits import seconds_waited
from item_crypto.errors import SystemicError, TransientError, UnsupportedValue
from migrator.application import Application, application
from migrator.segments import Carried

_FIRST_WAIT: Final = 5  # Seconds; doubles with each receipt.
_LONGEST_WAIT: Final = 600  # With the queue's maxReceiveCount, this is what a sweep outlives: a test adds it up.


def lambda_handler(event: dict[str, Any], context: Any) -> PartialItemFailureResponse:
    """Do what the messages of a batch ask for.

    Raises:
        ItemCryptoError: the function cannot start; the messages come again.
    """
    return handle(event, context, application())


def handle(event: dict[str, Any], context: Any, parts: Application) -> PartialItemFailureResponse:
    """Do what the messages of a batch ask for with ``parts``."""
    parts.runtime.begin(context)
    parts.runtime.telemetry.seconds("WorkMessageAge", seconds_waited(event, parts.now().timestamp()))

    def work(record: SQSRecord) -> None:
        _work(record, context, parts)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    try:
        return process_partial_response(event=event, record_handler=work, processor=processor, context=context)
    finally:
        parts.runtime.telemetry.flush()


def _work(record: SQSRecord, context: Any, parts: Application) -> None:
    try:
        work = work_from_body(record.body)
    except UnsupportedValue as error:
        parts.letters.take(record.body, error.reason)
        return
    try:
        if isinstance(work, StartWork):
            _start(work, parts)
        else:
            _carry_on(work, context, parts)
    except (TransientError, SystemicError):
        _try_again_soon(record, parts)
        raise


def _start(work: StartWork, parts: Application) -> None:
    if number := parts.starter.look_after_listed_keys(work):
        parts.runtime.telemetry.audit(work.by, "encrypt-listed-keys", None, "queued", keys=number)
        return
    sweep = parts.starter.start_after_switch(work)
    parts.runtime.telemetry.audit(work.by, "start-sweep", None, "started" if sweep else "dropped", goal="encrypt")


def _carry_on(work: SegmentWork, context: Any, parts: Application) -> None:
    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    state = parts.worker.carry_on(work, seconds_left)
    if state is Carried.HOP_LIMIT:
        parts.runtime.telemetry.count("SweepsDead")
    parts.runtime.telemetry.log("segment", sweep=work.sweep, segment=work.segment, hop=work.hop, state=state.value)


def longest_life(receipts: int) -> int:
    """Return for how many seconds a message that fails each time comes again, if it is received ``receipts`` times."""
    return sum(map(_wait, range(1, receipts)))


def _wait(receives: int) -> int:
    doubled: int = _FIRST_WAIT * 2 ** min(receives, 8)
    return min(_LONGEST_WAIT, doubled)


def _try_again_soon(record: SQSRecord, parts: Application) -> None:
    """Show a failed message again long before its visibility timeout, which has to outlast a whole invocation."""
    receives = int(record.attributes.approximate_receive_count)
    try:
        parts.work.show_again(record.receipt_handle, _wait(receives))
    except (TransientError, SystemicError):
        parts.runtime.telemetry.problem("a failed message waits for its visibility timeout")
