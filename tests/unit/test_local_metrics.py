"""Metrics on the local stack: from the functions' lines to CloudWatch."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import moto_state
from local.metrics import MetricLines, metric_data

MOMENT = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)


def line(**values: Any) -> str:
    """Return a line of the embedded metric format, as Powertools writes it."""
    directive = {
        "Namespace": "StreamEncryptor",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": "Milliseconds"} for name in values],
    }
    metadata = {"Timestamp": int(MOMENT.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, "service": "local", **values})


def test_given_a_metric_line_then_each_metric_is_a_datum_with_its_dimensions() -> None:
    assert list(metric_data(line(PlaintextWindow=[1.5, 2.5], KmsCalls=[3.0]))) == [
        (
            "StreamEncryptor",
            {
                "MetricName": name,
                "Dimensions": [{"Name": "service", "Value": "local"}],
                "Timestamp": MOMENT,
                "Values": values,
                "Unit": "Milliseconds",
            },
        )
        for name, values in {"PlaintextWindow": [1.5, 2.5], "KmsCalls": [3.0]}.items()
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("START RequestId: 1", 0),
        ('{"level": "INFO", "message": "audit"}', 0),
        ('{"_aws": {"Timestamp"', 0),
        (line(A=1.0) + line(B=2.0), 2),
    ],
    ids=["no JSON", "another line", "cut off", "two processes on one line"],
)
def test_given_any_line_then_what_is_whole_counts(text: str, number: int) -> None:
    assert len(list(metric_data(text))) == number


def test_given_log_files_when_looked_at_again_then_each_new_whole_line_counts_once(tmp_path: Path) -> None:
    old, later = tmp_path / "old.log", tmp_path / "later.log"
    old.write_text(line(Earlier=1.0) + "\n")
    lines = MetricLines([old, later])

    def names() -> list[str]:
        return [datum["MetricName"] for _, datum in lines.take()]

    assert names() == []
    later.write_text(line(A=1.0) + "\n" + line(B=1.0))
    assert names() == ["A"]
    with later.open("a") as log:
        log.write("\n")
    assert names() == ["B"]
    assert names() == []


def test_given_single_values_when_asked_for_percentiles_then_moto_answers_them(aws: None) -> None:
    cloudwatch = boto3.client("cloudwatch")
    dimensions = [{"Name": "service", "Value": "local"}]
    datum = {"MetricName": "M", "Dimensions": dimensions, "Timestamp": MOMENT, "Values": list(range(1, 101))}
    cloudwatch.put_metric_data(Namespace="N", MetricData=[datum])

    def query(statistic: str) -> dict[str, Any]:
        metric = {"Namespace": "N", "MetricName": "M", "Dimensions": dimensions}
        stat = {"Metric": metric, "Stat": statistic, "Period": 60}
        return {"Id": statistic.lower(), "MetricStat": stat}

    with moto_state.percentiles():
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=[query(name) for name in ("p50", "p99", "SampleCount")],
            StartTime=MOMENT,
            EndTime=MOMENT + timedelta(minutes=1),
        )

    assert {result["Id"]: result["Values"] for result in answer["MetricDataResults"]} == {
        "p50": [50.0],
        "p99": [99.0],
        "samplecount": [100.0],
    }
