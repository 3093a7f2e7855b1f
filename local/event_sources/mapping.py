"""The settings of an event source mapping, as GetEventSourceMapping returns them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.event_sources.delivery import RetryPolicy
from local.event_sources.filters import Pattern, patterns_of


@dataclass(frozen=True)
class EventSourceMapping:
    """One mapping. Retries and record age are None where they are unlimited (-1 in Lambda's API).

    Without a bound of its own a queue's messages are handed over one batch at a time here, as Lambda may do.
    """

    id: str
    source_arn: str
    function: str
    enabled: bool
    batch_size: int
    window: float
    patterns: tuple[Pattern, ...]
    report_failures: bool
    starting_position: str
    max_retries: int | None
    max_age: float | None
    bisect: bool
    on_failure: str | None
    concurrency: int

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> "EventSourceMapping":
        """Read Lambda's document; what it leaves out has Lambda's default."""
        on_failure = (configuration.get("DestinationConfig") or {}).get("OnFailure") or {}
        return cls(
            id=configuration["UUID"],
            source_arn=configuration["EventSourceArn"],
            function=configuration["FunctionArn"].partition(":function:")[2].partition(":")[0],
            enabled=configuration["State"] == "Enabled",
            batch_size=int(configuration["BatchSize"]),
            window=float(configuration.get("MaximumBatchingWindowInSeconds", 0)),
            patterns=tuple(patterns_of(configuration.get("FilterCriteria"))),
            report_failures="ReportBatchItemFailures" in configuration.get("FunctionResponseTypes", ()),
            starting_position=configuration.get("StartingPosition", "TRIM_HORIZON"),
            max_retries=_limit(configuration.get("MaximumRetryAttempts", -1)),
            max_age=_limit(configuration.get("MaximumRecordAgeInSeconds", -1)),
            bisect=bool(configuration.get("BisectBatchOnFunctionError", False)),
            on_failure=on_failure.get("Destination"),
            concurrency=int((configuration.get("ScalingConfig") or {}).get("MaximumConcurrency", 1)),
        )

    @property
    def service(self) -> str:
        """Return `dynamodb` or `sqs`."""
        return self.source_arn.split(":")[2]

    @property
    def retry_policy(self) -> RetryPolicy:
        """Return what happens to failed batches of a stream."""
        return RetryPolicy(max_retries=self.max_retries, max_age=self.max_age, bisect=self.bisect)


def _limit(value: Any) -> int | None:
    number = int(value)
    return None if number < 0 else number
