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
- A scan in segments fails where the partition key is binary.
"""

import base64
import itertools
import json
import math
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import ResourceMap, clean_json, get_model_map
from moto.cloudwatch.models import Statistics, cloudwatch_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.kms.models import kms_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.sqs.models import sqs_backends

from local.errors import LocalStackError
from local.event_sources.delivery import StreamRecord
from local.update import Resource

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
        with patch("moto.kms.models.generate_key_id", _numbered_ids()), percentiles(), segments_of_binary_keys():
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


@contextmanager
def segments_of_binary_keys() -> Iterator[None]:
    """Have a scan in segments take binary partition keys within."""
    others = Item.is_within_segment

    def is_within(self: Any, segments: tuple[None, None] | tuple[int, int]) -> bool:
        value = self.hash_key.value
        if segments == (None, None) or not isinstance(value, bytes):
            return bool(others(self, segments))
        segment, total = segments
        return total is not None and zlib.crc32(value) % total == segment

    with patch.object(Item, "is_within_segment", is_within):
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


class StackState:
    """A stack of moto's, as its template and parameters make it: what it resolves to."""

    def __init__(self, resources: Any, document: Mapping[str, Any]) -> None:
        """Take moto's map of the resources, and the template."""
        self._resources = resources
        self._document = document

    def resolve(self, part: Any) -> Any:
        """Return a part of the template with its intrinsic functions resolved."""
        return clean_json(part, self._resources)

    def condition_holds(self, condition: str | None) -> bool:
        """Tell whether a condition of the template is true; no condition is."""
        return condition is None or bool(self._resources.lazy_condition_map[condition])

    def resources(self) -> dict[str, Resource]:
        """Return the resources that the stack has, by logical id, resolved."""
        return {
            name: Resource(
                resource["Type"],
                self.resolve(resource.get("Properties", {})),
                resource.get("DeletionPolicy", "Delete"),
            )
            for name, resource in self._document["Resources"].items()
            if self.condition_holds(resource.get("Condition"))
        }

    def outputs(self) -> dict[str, str]:
        """Return the template's outputs."""
        return {
            name: str(self.resolve(output["Value"]))
            for name, output in (self._document.get("Outputs") or {}).items()
            if self.condition_holds(output.get("Condition"))
        }


def deployed(region: str, stack_name: str) -> StackState:
    """Return the state of a stack as it is."""
    stack = _stack(region, stack_name)
    return StackState(stack.resource_map, stack.template_dict)


class Prospect(StackState):
    """The state of a stack as an update with other parameters would leave it; nothing changes until `adopt`."""

    def __init__(self, region: str, stack_name: str, document: dict[str, Any], parameters: dict[str, str]) -> None:
        """Take the template and all parameters. Raise `LocalStackError` where the stack would get a new resource."""
        self._stack = stack = _stack(region, stack_name)
        self._parameters = parameters
        resources = ResourceMap(stack.stack_id, stack.name, parameters, stack.tags, region, ACCOUNT_ID, document, {})
        resources.load_parameters()
        resources.load_conditions()
        super().__init__(resources, document)
        there = {name: found for name, found in stack.resource_map._parsed_resources.items() if found is not None}
        # moto would make a resource as soon as something refers to it.
        lacking = [
            name
            for name, resource in document["Resources"].items()
            if self.condition_holds(resource.get("Condition")) and name not in there
        ]
        if lacking:
            raise LocalStackError(
                f"that would make {', '.join(lacking)}, which the local stack cannot while it runs; give the "
                "parameters to `up` instead"
            )
        resources._parsed_resources.update({name: there[name] for name in document["Resources"] if name in there})

    def adopt(self) -> None:
        """Make it the state of the stack, as DescribeStacks tells it."""
        self._stack.resource_map, self._stack.parameters = self._resources, self._parameters
        self._stack.output_map = self._stack._create_output_map()
        self._stack.status = "UPDATE_COMPLETE"


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
