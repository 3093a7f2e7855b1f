"""The plaintext window as the admin function reads it from CloudWatch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from admin.window import MAX_HOURS, METRIC, PlaintextWindow
from item_crypto.errors import SystemicError, TransientError
from local import moto_state
from tests.faults import failing

NOW: Final = datetime(2026, 1, 2, 8, 30, 17, tzinfo=UTC)
RETENTION: Final = {60: 15 * 24, 300: 63 * 24, 3600: 455 * 24}
"""Hours for which CloudWatch keeps points of so many seconds ("Metrics retention")."""


@pytest.fixture
def cloudwatch(aws: None) -> Iterator[Any]:
    with moto_state.percentiles():
        yield boto3.client("cloudwatch")


def put(cloudwatch: Any, moment: datetime, *values: float, service: str = "app", name: str = METRIC) -> None:
    dimensions = [{"Name": "service", "Value": service}]
    datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Values": list(values)}
    cloudwatch.put_metric_data(Namespace="StreamEncryptor", MetricData=[datum])


def window(cloudwatch: Any) -> PlaintextWindow:
    return PlaintextWindow(cloudwatch, "app", lambda: NOW)


def test_given_items_encrypted_when_read_then_each_period_with_some_is_a_point_of_this_stack(cloudwatch: Any) -> None:
    put(cloudwatch, NOW - timedelta(minutes=90), 100, 200, 300)
    put(cloudwatch, NOW - timedelta(seconds=5), 40)
    put(cloudwatch, NOW - timedelta(hours=4), 1)
    put(cloudwatch, NOW, 7, service="other")
    put(cloudwatch, NOW, 7, name="KmsLatency")

    assert window(cloudwatch).points(2) == (
        60,
        [
            {"time": "2026-01-02T07:00:00+00:00", "p50": 200.0, "p99": 300.0, "count": 3},
            {"time": "2026-01-02T08:30:00+00:00", "p50": 40.0, "p99": 40.0, "count": 1},
        ],
    )


def test_given_nothing_encrypted_when_read_then_there_is_no_point(cloudwatch: Any) -> None:
    assert window(cloudwatch).points(24) == (300, [])


@pytest.mark.parametrize(("hours", "seconds"), [(1, 60), (6, 60), (7, 300), (24, 300), (25, 3600), (MAX_HOURS, 3600)])
def test_given_any_span_when_read_then_points_are_few_kept_by_cloudwatch_and_aligned(
    cloudwatch: Any, hours: int, seconds: int
) -> None:
    asked: list[dict[str, Any]] = []
    cloudwatch.meta.events.register("provide-client-params.*.GetMetricData", lambda params, **_: asked.append(params))

    period, _ = window(cloudwatch).points(hours)

    assert period == seconds
    assert hours * 3600 / period <= 1000
    assert hours <= RETENTION[period]
    (request,) = asked
    assert request["StartTime"].timestamp() % period == 0
    assert request["StartTime"] <= NOW - timedelta(hours=hours)
    assert request["EndTime"] > NOW
    assert {query["MetricStat"]["Period"] for query in request["MetricDataQueries"]} == {period}


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("Throttling", 400, TransientError),
        ("InternalFailure", 500, TransientError),
        ("AccessDenied", 403, SystemicError),
    ],
)
def test_given_cloudwatch_that_refuses_when_read_then_it_raises(
    cloudwatch: Any, code: str, status: int, error: type[Exception]
) -> None:
    with failing(cloudwatch, "cloudwatch.GetMetricData", code, status=status), pytest.raises(error):
        window(cloudwatch).points(1)
