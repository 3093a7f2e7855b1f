"""The functions' metric lines, as CloudWatch takes them out of a log (the embedded metric format)."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_START = '{"_aws"'


class MetricLines:
    """What was written to log files since the last look, as metric data. To be shared between threads."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Begin at the present end of each file: what is there is of earlier runs."""
        self._read = {file: file.stat().st_size if file.exists() else 0 for file in files}
        self._lock = threading.Lock()

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what is new, each as a namespace and a member of PutMetricData's `MetricData`."""
        with self._lock:
            return [datum for file in self._read for line in self._lines(file) for datum in metric_data(line)]

    def _lines(self, file: Path) -> list[str]:
        if not file.exists():
            return []
        with file.open("rb") as log:
            log.seek(self._read[file])
            # A line that is being written is whole the next time.
            whole, newline, _ = log.read().rpartition(b"\n")
        self._read[file] += len(whole) + len(newline)
        return whole.decode(errors="replace").split("\n")


def metric_data(line: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the metrics in a line of a log, none where it has none; two processes may have shared a line."""
    while (start := line.find(_START)) >= 0:
        try:
            document, end = json.JSONDecoder().raw_decode(line, start)
        except ValueError:
            return
        line = line[end:]
        yield from _of(document)


def _of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    moment = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": document[name]} for name in names]
            for metric in directive["Metrics"]:
                values = document[metric["Name"]]
                yield (
                    directive["Namespace"],
                    {
                        "MetricName": metric["Name"],
                        "Dimensions": dimensions,
                        "Timestamp": moment,
                        "Values": values if isinstance(values, list) else [values],
                        "Unit": metric["Unit"],
                    },
                )
