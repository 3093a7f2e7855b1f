"""The one module that looks into moto's memory, where its HTTP interface does not reach.

moto keeps one state for the whole process, so there is one local stack in a process at a time, and `mock_aws`
must not be active beside it.

What is put right here, for moto 5.2.5:

- moto delivers to event source mappings itself, inside the writer's request and through Docker; it is kept
  from it.
- A stream is read from memory. Through GetRecords every call would leak a shard iterator.
- A key that CloudFormation makes keeps its policy as a document, of which KMS's own calls want the text.
- Records come with the Region us-east-1 and the version 1.0 whatever the stream; both are corrected.
- KMS keys get ids by chance; here they are numbered, so that a stack's key has the same ARN in every run.
- CloudWatch knows no percentiles.
"""

import base64
import itertools
import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json, get_model_map
from moto.cloudwatch.models import Statistics, cloudwatch_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.sqs.models import sqs_backends

from local.errors import LocalStackError
from local.event_sources.delivery import StreamRecord

ACCOUNT_ID: str = DEFAULT_ACCOUNT_ID

_in_use = threading.Lock()


@contextmanager
def exclusive_state(region: str) -> Iterator[None]:
    """Hold moto's state, empty at first; raise `LocalStackError` if another stack holds it."""
    if not _in_use.acquire(blocking=False):
        raise LocalStackError("another local stack runs in this process; stop it first")
    try:
        moto_api_backend.reset()
        _keep_from_delivering(region)
        with patch("moto.kms.models.generate_key_id", _numbered_ids()), percentiles():
            yield
    finally:
        _in_use.release()


@contextmanager
def percentiles() -> Iterator[None]:
    """Have CloudWatch answer percentiles (`p99`) of single values within."""
    others = Statistics.get_statistics_for_type

    def statistic(self: Any, name: str) -> Any:
        if not name.startswith("p") or not self.metric_single_values_list:
            return others(self, name)
        values = sorted(self.metric_single_values_list)
        # Nearest rank. CloudWatch interpolates, from a sample: see "Percentiles" in its guide.
        return values[max(0, math.ceil(float(name[1:]) / 100 * len(values)) - 1)]

    with patch.object(Statistics, "get_statistics_for_type", statistic):
        yield


def put_metrics(region: str, data: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Put metric data, each with its namespace, into CloudWatch."""
    for namespace, datum in data:
        # moto's times are naive and in UTC.
        naive = datum | {"Timestamp": datum["Timestamp"].replace(tzinfo=None)}
        cloudwatch_backends[ACCOUNT_ID][region].put_metric_data(namespace, [naive])


def supported_types() -> set[str]:
    """Return the CloudFormation resource types that moto can create."""
    return set(get_model_map())


def resolve(region: str, stack_name: str, document: Any) -> Any:
    """Return a part of a deployed template with its intrinsic functions resolved."""
    return clean_json(document, _stack(region, stack_name).resource_map)


def condition_holds(region: str, stack_name: str, condition: str | None) -> bool:
    """Tell whether a condition of a deployed template is true; no condition is."""
    return condition is None or bool(_stack(region, stack_name).resource_map.lazy_condition_map[condition])


def queue_has_messages(region: str, queue_name: str) -> bool:
    """Tell whether a queue has a message that can be received now."""
    return bool(sqs_backends[ACCOUNT_ID][region].queues[queue_name].messages)


def spell_out_key_policies(region: str) -> None:
    """Turn the policies of keys that CloudFormation made into text."""
    for key in kms_backends[ACCOUNT_ID][region].keys.values():
        if not isinstance(key.policy, str):
            key.policy = json.dumps(key.policy)


class Shard:
    """The one shard that moto gives a table's stream, read by position: the sequence number last read."""

    def __init__(self, region: str, stream_arn: str) -> None:
        """Take a stream's ARN."""
        self.stream_arn = stream_arn
        self._region = region
        self._table_name = stream_arn.split(":", 5)[5].split("/")[1]

    @property
    def id(self) -> str:
        """Return the shard's id."""
        shard_id: str = self._shard().id
        return shard_id

    def trim_horizon(self) -> int:
        """Return the position before the oldest record."""
        return int(self._shard().starting_sequence_number) - 1

    def latest(self) -> int:
        """Return the position after the newest record."""
        return self.trim_horizon() + len(self._shard().items)

    def after(self, position: int, limit: int) -> list[StreamRecord]:
        """Return the records that follow a position."""
        start = position - self.trim_horizon()
        return [self._record(item.to_json()) for item in self._shard().items[start : start + limit]]

    def _shard(self) -> Any:
        # Looked up each time: a failed transaction makes moto replace all tables by copies.
        table = dynamodb_backends[ACCOUNT_ID][self._region].tables.get(self._table_name)
        if table is None or table.stream_shard is None:
            raise LocalStackError(f"the stream {self.stream_arn} does not exist any more")
        return table.stream_shard

    def _record(self, raw: dict[str, Any]) -> StreamRecord:
        # moto's times are naive and in UTC.
        created = raw["dynamodb"]["ApproximateCreationDateTime"].replace(tzinfo=UTC).timestamp()
        change = _json_ready(raw["dynamodb"] | {"ApproximateCreationDateTime": round(created, 3)})
        event = raw | {
            "eventVersion": "1.1",
            "awsRegion": self._region,
            "dynamodb": change,
            "eventSourceARN": self.stream_arn,
        }
        return StreamRecord(sequence=int(change["SequenceNumber"]), created=created, event=event)


def _json_ready(value: Any) -> Any:
    """Return DynamoDB JSON with binary values in base64, as they travel."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {key: _json_ready(element) for key, element in value.items()}
        case list():
            return [_json_ready(element) for element in value]
    return value


def _stack(region: str, stack_name: str) -> Any:
    return cloudformation_backends[ACCOUNT_ID][region].get_stack(stack_name)


def _numbered_ids() -> Callable[..., str]:
    """Return what makes the ids of KMS keys: by number, in the order in which the keys are made."""
    numbers = itertools.count(1)

    def next_id(multi_region: bool = False) -> str:
        return f"{'mrk-' if multi_region else ''}00000000-0000-4000-8000-{next(numbers):012}"

    return next_id


def _keep_from_delivering(region: str) -> None:
    """Make moto forget, after each mapping it creates, that the queue or table should deliver to it."""
    backend = lambda_backends[ACCOUNT_ID][region]
    create = backend.create_event_source_mapping

    def create_without_delivery(spec: dict[str, Any]) -> Any:
        mapping = create(spec)
        for queue in sqs_backends[ACCOUNT_ID][region].queues.values():
            queue.lambda_event_source_mappings.clear()
        for table in dynamodb_backends[ACCOUNT_ID][region].tables.values():
            table.lambda_event_source_mappings.clear()
        return mapping

    backend.create_event_source_mapping = create_without_delivery  # type: ignore[method-assign]
