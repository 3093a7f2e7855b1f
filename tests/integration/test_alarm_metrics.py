"""Each alarm, and each line of the dashboard, watches a metric that the code emits, under the dimensions it has there.

The functions are brought to emit each of them, and what they wrote is compared with the template.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from encryptor_runtime.messages import SegmentWork
from item_crypto import Outcome, Status
from migrator import deferred, sweep, watch
from migrator.application import application
from migrator.segments import MAX_HOPS
from reader import item
from reader.application import item_reader
from session_keys.application import session_keys
from stream_encryptor import handler, retry
from stream_encryptor.application import encryptor
from tests.factories import World
from tests.key_requests import KeyWorld
from tests.migration import TABLE, Migration, context
from tests.records import received
from tests.unit.sam_template import Stack, translated

STACK = Stack(translated(), {})
NAMESPACE = "StreamEncryptor"
OWN_UNITS = {"PlaintextWindow": "Milliseconds", "SweepStandstill": "Seconds", "OldestFailureAge": "Seconds"}
OWN_UNITS |= dict.fromkeys(["RetryMessageAge", "WorkMessageAge", "DeferredMessageAge"], "Seconds")

Metric = tuple[str, frozenset[str]]


@contextmanager
def migration(**environment: str) -> Iterator[Migration]:
    caches: list[Callable[[], object]] = [application, encryptor, item_reader, watch.watcher]  # type: ignore[list-item]
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        for cached in caches:
            cached.cache_clear()  # type: ignore[attr-defined]
        yield Migration(patch, **environment)
    for cached in caches:
        cached.cache_clear()  # type: ignore[attr-defined]
    boto3.setup_default_session()


def old_message(body: str) -> dict[str, Any]:
    """Return an event of a message that waited for an hour."""
    event = received(body)
    sent = datetime.now(UTC) - timedelta(hours=1)
    event["Records"][0]["attributes"]["SentTimestamp"] = str(int(sent.timestamp() * 1000))
    return event


def stream_event(session: str) -> dict[str, Any]:
    key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    change = {"Keys": key, "SequenceNumber": "1", "ApproximateCreationDateTime": 1767340800.0}
    return {"Records": [{"eventID": "e", "eventName": "INSERT", "dynamodb": change}]}


def key_message(session: str) -> str:
    key = {"sessionId": {"S": session}, "userId": {"S": "alice"}}
    return json.dumps({"kind": "retry", "table": TABLE, "key": key, "reason": "r"})


def answer_always(operation: str, status: int, document: dict[str, Any]) -> None:
    """Answer each call of ``operation``, of clients made from here on."""
    document = {"ResponseMetadata": {"HTTPStatusCode": status}, **document}
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register(
        f"before-call.{operation}",
        lambda **_: (AWSResponse("", status, {}, None), document),  # type: ignore[arg-type]
    )


def writes_are_encrypted_late_and_then_not_at_all() -> None:
    with migration() as world:
        world.set(RETRY_QUEUE_URL=world.failures)
        world.plain("s1")
        handler.lambda_handler(stream_event("s1"), context())
        retry.lambda_handler(old_message(key_message("s1")), context())
        world.plain("s2")
        answer_always("kms.GenerateDataKey", 400, {"Error": {"Code": "AccessDeniedException", "Message": ""}})
        world.set()
        encryptor.cache_clear()
        handler.lambda_handler(stream_event("s2"), context())


def a_read_meets_what_does_not_decrypt() -> None:
    with migration() as world:
        world.put("s1", encrypted_history={"S": "bm90IGEgbWVzc2FnZQ=="})
        key = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
        with pytest.raises(item.ItemUnreadable):
            item.lambda_handler({"Key": key}, context())
        world.lisa("s2", ["fine"])
        item.lambda_handler({"Key": {**key, "sessionId": {"S": "s2"}}}, context())


def sweeps_are_refused_late_and_dead() -> None:
    with migration() as world:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        assert "error" in world.command("start", goal="encrypt", by="schedule")
        sweep.handle(old_message(SegmentWork(sweep_id, 0, MAX_HOPS).body()), context(), world.parts)
        deferred.handle(old_message(key_message("s1")), context(), world.parts)
        world.run("encrypt")


def the_watcher_looks() -> None:
    with migration() as world:
        arn = world.dynamodb.update_table(
            TableName=TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        )["TableDescription"]["LatestStreamArn"]
        world.set(
            TABLE_STREAM_ARN=arn, MAPPING_IDS="00000000-0000-4000-8000-000000000000", SWEEP_STANDSTILL_MINUTES="45"
        )
        answer_always("lambda.GetEventSourceMapping", 200, {"State": "Disabled"})
        world.start("encrypt")
        world.sqs.send_message(QueueUrl=world.failures, MessageBody="{}")
        watch.lambda_handler({}, context())


def keys_end_in_every_way() -> None:
    with migration() as world:
        telemetry = world.parts.runtime.telemetry
        telemetry.outcomes(Outcome({}, status, "reason") for status in Status)
        telemetry.flush()


def the_api_is_asked() -> None:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        world = World(patch)
        assert world.call("GET", "nowhere").status == 404
        assert world.put("dlg-1", {"history": []}).status in (200, 201)
        assert world.call("GET", "dlg-1").status == 200
    boto3.setup_default_session()


def keys_are_asked_for() -> None:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        world = KeyWorld(patch)
        encrypted = world.generate().body["encryptedKey"]
        assert world.decrypt(encrypted).status == 200
        assert world.decrypt(encrypted, user="bob").status == 400
    session_keys.cache_clear()
    boto3.setup_default_session()


SCENARIOS = [
    writes_are_encrypted_late_and_then_not_at_all,
    a_read_meets_what_does_not_decrypt,
    sweeps_are_refused_late_and_dead,
    the_watcher_looks,
    keys_end_in_every_way,
    the_api_is_asked,
    keys_are_asked_for,
]


@pytest.fixture(scope="module")
def emitted() -> dict[Metric, str]:
    """The metrics that the functions wrote, with their dimensions' names, and the unit of each."""
    found: dict[Metric, str] = {}
    for scenario in SCENARIOS:
        with redirect_stdout(io.StringIO()) as output:
            scenario()
        for line in output.getvalue().splitlines():
            document = json.loads(line) if line.startswith("{") else {}
            for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == NAMESPACE
                (dimensions,) = directive["Dimensions"]
                for metric in directive["Metrics"]:
                    found[metric["Name"], frozenset(dimensions)] = metric["Unit"]
    return found


def watched() -> list[Any]:
    """Return the own metric that each alarm watches, with its dimensions and how it is to be read."""
    cases = []
    for name, alarm in STACK.of_type("AWS::CloudWatch::Alarm").items():
        metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each] or [alarm]
        cases += [pytest.param(metric, id=name) for metric in metrics if metric["Namespace"] == NAMESPACE]
    return cases


def shown() -> list[Any]:
    """Return the dashboard's own metrics: name, and names of dimensions."""
    cases = []
    for widget in json.loads(STACK.properties("Dashboard")["DashboardBody"])["widgets"]:
        previous: list[Any] = []
        for metric in widget["properties"]["metrics"]:
            names = [each for each in metric if isinstance(each, str)]
            if not names:
                search = re.fullmatch(
                    r"SEARCH\('\{StreamEncryptor,([\w,]+)\} MetricName=\"(\w+)\" service=\"app\"', 'Sum', 60\)",
                    metric[0]["expression"],
                )
                assert search, metric
                cases.append(pytest.param(search[2], frozenset(search[1].split(",")), id=search[2]))
                continue
            if names[0] == "...":
                names = [*previous[: -len(names) + 1], *names[1:]] if len(names) > 1 else previous
            names = [previous[place] if name == "." else name for place, name in enumerate(names)]
            previous = names
            if names[0] == NAMESPACE:
                cases.append(pytest.param(names[1], frozenset(names[2::2]), id=names[1]))
    return cases


@pytest.mark.parametrize("metric", watched())
def test_alarm_watches_a_metric_that_the_code_emits(metric: dict[str, Any], emitted: dict[Metric, str]) -> None:
    name = metric["MetricName"]
    variables = STACK.properties("StreamEncryptorFunction")["Environment"]["Variables"]
    assert metric["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
    assert emitted[name, frozenset({"service"})] == OWN_UNITS.get(name, "Count")


@pytest.mark.parametrize(("name", "dimensions"), shown())
def test_dashboard_shows_a_metric_that_the_code_emits(
    name: str, dimensions: frozenset[str], emitted: dict[Metric, str]
) -> None:
    assert (name, dimensions) in emitted
