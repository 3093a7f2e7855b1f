"""The plaintext window over time, from the metric that the stream's function and the retry function write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.config import Config

from encryptor_runtime.clients import longest_call
from encryptor_runtime.telemetry import NAMESPACE
from item_crypto.service_errors import translated

METRIC: Final = "PlaintextWindow"
MAX_HOURS: Final = 720

_CONNECT: Final = 2  # Seconds.
_READ: Final = 4
_ATTEMPTS: Final = 2

CALL_SECONDS: Final = longest_call(_CONNECT, _READ, _ATTEMPTS)
"""For how long CloudWatch is waited for at most."""

CLOUDWATCH_CONFIG: Final = Config(
    connect_timeout=_CONNECT,
    read_timeout=_READ,
    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
)

_STATISTICS: Final = {"p50": "p50", "p99": "p99", "count": "SampleCount"}


@dataclass(frozen=True)
class PlaintextWindow:
    """The metric.

    Attributes:
        cloudwatch: a boto3 CloudWatch client.
        service: the metric's dimension, which tells stacks apart.
        now: returns the time, aware.
    """

    cloudwatch: Any
    service: str
    now: Callable[[], datetime]

    def points(self, hours: int) -> tuple[int, list[dict[str, Any]]]:
        """Return the seconds of a period, and each period in which items were encrypted, the oldest first.

        A point has the period's beginning, the median and the 99th percentile of the time from an item's write to its
        encryption in milliseconds, and the number of items.

        Args:
            hours: how far to look back.

        Raises:
            TransientError, SystemicError: CloudWatch does not answer, or refuses.
        """
        period = _period(hours)
        now = self.now()
        seconds = int(now.timestamp()) // period * period
        end = datetime.fromtimestamp(seconds, now.tzinfo) + timedelta(seconds=period)
        pages = self.cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[self._query(name, statistic, period) for name, statistic in _STATISTICS.items()],
            StartTime=end - timedelta(hours=hours, seconds=period),
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        points: dict[datetime, dict[str, Any]] = {}
        with translated("cloudwatch"):
            for result in (result for page in pages for result in page["MetricDataResults"]):
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    points.setdefault(moment, {})[result["Id"]] = value
        return period, [
            {"time": moment.isoformat(), "p50": point["p50"], "p99": point["p99"], "count": round(point["count"])}
            for moment, point in sorted(points.items())
            if point.keys() == _STATISTICS.keys()  # One that was begun between two of the three is not whole.
        ]

    def _query(self, name: str, statistic: str, period: int) -> dict[str, Any]:
        metric = {
            "Namespace": NAMESPACE,
            "MetricName": METRIC,
            "Dimensions": [{"Name": "service", "Value": self.service}],
        }
        return {"Id": name, "MetricStat": {"Metric": metric, "Stat": statistic, "Period": period}}


def _period(hours: int) -> int:
    """Return seconds that make a few hundred points, and that CloudWatch still has (15 days of minutes, 63 of five)."""
    if hours <= 6:
        return 60
    return 300 if hours <= 24 else 3600
