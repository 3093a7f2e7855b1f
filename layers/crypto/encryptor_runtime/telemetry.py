"""What is logged, counted and audited, and what never is: a value, a ciphertext, a key or a token.

Three outputs, all lines of JSON on standard output: structured logs and audit lines (Powertools Logger; an audit line
has ``"audit": true``), and metrics in CloudWatch's embedded metric format (Powertools Metrics). Item keys and
attribute names do appear: they stand in CloudTrail too, as the encryption context.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from item_crypto.core.codec import Item, to_json
from item_crypto.errors import ItemCryptoError
from item_crypto.outcome import Outcome, Status

NAMESPACE: Final = "StreamEncryptor"

_COUNTED: Final = {
    Status.ENCRYPTED: "ItemsEncrypted",
    Status.DECRYPTED: "ItemsDecrypted",
    Status.NOTHING: "ItemsSkipped",
    Status.SUPERSEDED: "ItemsSuperseded",
    Status.DEFERRED: "ItemsDeferred",
    Status.DESTROYED: "ItemsKeyDestroyed",
    Status.FAILED: "ItemsFailedPermanent",
    Status.RETRY: "ItemsFailedTransient",
    Status.SYSTEMIC: "ItemsFailedSystemic",
}


class Telemetry:
    """The logs, metrics and audit lines of one function.

    Args:
        function: the function's name in audit lines, as who acted by itself.
        key_arn: the KMS key that audit lines name.
        stream: where log and audit lines go; standard output where None is given.
    """

    def __init__(self, function: str, key_arn: str, stream: TextIO | None = None) -> None:
        # Powertools takes the service, which tells stacks apart, from POWERTOOLS_SERVICE_NAME.
        self._logger = Logger(stream=stream or sys.stdout, log_uncaught_exceptions=False)
        self._metrics = EphemeralMetrics(namespace=NAMESPACE)
        self._counted_by: Counter[tuple[str, str, str]] = Counter()
        self._function = function
        self._key_arn = key_arn

    def begin(self, context: Any) -> None:
        """Name the invocation in every line that follows."""
        self._logger.set_correlation_id(context.aws_request_id)

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:
        """Name the invocation in every line within, and write its metrics at the end, whatever happens."""
        self.begin(context)
        try:
            yield
        finally:
            self.flush()

    def log(self, message: str, **fields: Any) -> None:
        """Write a log line; ``fields`` hold no values of items."""
        self._logger.info(message, **fields)

    def problem(self, message: str, **fields: Any) -> None:
        """Write a log line that somebody should read."""
        self._logger.error(message, **fields)

    def audit(
        self, who: str, operation: str, key: Item | None, result: str, attributes: Sequence[str] = (), **fields: Any
    ) -> None:
        """Write an audit line.

        Args:
            who: the user, or the function that acted by itself.
            operation: what was done or refused: ``encrypt``, ``read``, ``replace``, ``list``, ``delete``, …
            key: the item's key; None for an operation on no single item.
            result: what came of it.
            attributes: names of the attributes concerned.
            fields: more facts, never a value.
        """
        item = None if key is None else {name: to_json(value) for name, value in key.items()}
        self._logger.info(
            "audit",
            audit=True,
            who=who,
            operation=operation,
            item=item,
            attributes=list(attributes),
            keyArn=self._key_arn,
            result=result,
            **fields,
        )

    def outcomes(self, outcomes: Iterable[Outcome], who: str | None = None) -> None:
        """Count what became of keys, and write an audit line for each but those with nothing to do."""
        for outcome in outcomes:
            self.count(_COUNTED[outcome.status])
            if outcome.status in (Status.DEFERRED, Status.FAILED) and outcome.attributes:
                self.count(_COUNTED[Status.ENCRYPTED])
            if outcome.status is not Status.NOTHING:
                self.audit(
                    who or self._function,
                    "reconcile",
                    outcome.key,
                    outcome.status.value,
                    outcome.attributes,
                    reason=outcome.reason,
                    deferred=list(outcome.deferred),
                )

    def count(self, name: str, number: int = 1) -> None:
        """Add ``number`` to a counter."""
        self._metrics.add_metric(name, MetricUnit.Count, number)

    def count_by(self, name: str, dimension: str, value: str, number: int = 1) -> None:
        """Add ``number`` to a counter of its own for ``value``, which comes from a small set: CloudWatch bills each."""
        self._counted_by[name, dimension, value] += number

    def milliseconds(self, name: str, values: Iterable[float]) -> None:
        """Add durations in milliseconds."""
        for value in values:
            self._metrics.add_metric(name, MetricUnit.Milliseconds, round(value, 3))

    def seconds(self, name: str, values: Iterable[float]) -> None:
        """Add ages in seconds."""
        for value in values:
            self._metrics.add_metric(name, MetricUnit.Seconds, round(value, 3))

    def kms(self, latencies: Sequence[float]) -> None:
        """Count calls to KMS, given how many milliseconds each took."""
        if latencies:
            self.count("KmsCalls", len(latencies))
            self.milliseconds("KmsLatency", latencies)

    def flush(self) -> None:
        """Write the metrics that were added since the last flush."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
        for (name, dimension, value), number in self._counted_by.items():
            # A line of its own: the dimensions of a line are those of all its metrics.
            metrics = EphemeralMetrics(namespace=NAMESPACE)
            metrics.add_dimension(dimension, value)
            metrics.add_metric(name, MetricUnit.Count, number)
            metrics.flush_metrics()
        self._counted_by.clear()


def log_failed_start(function: str, error: ItemCryptoError) -> None:
    """Log why a function cannot start; those errors name settings and services, never a value."""
    Telemetry(function, key_arn="").problem("the function cannot start", reason=error.reason, detail=str(error))
