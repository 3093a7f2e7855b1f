"""The plaintext window on the local stack, beside what the simulation says of it: `python -m benchmarks.scale.local`.

The local event source reads one shard in one thread and has one batch in hand. Writes come at several rates; how long
the function's invocations took meanwhile is seen in its log, and the simulation is given that and the very times of the
writes. So what is checked is how it polls, queues and batches, not how fast this machine is.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from pathlib import Path
from statistics import median, pstdev
from typing import Any, Final, Literal

from benchmarks.scale.document import COMPARED
from benchmarks.scale.simulation import Arrival, Source, poisson, simulate
from benchmarks.scale.work import Work
from local.stack import LocalStack

RATES: Final = (1, 5, 20)
"""Writes a second that the local stack can follow."""

POLL: Final = 0.1
"""Seconds between two looks of the local event source that find nothing (`local/event_sources/stream_poller.py`)."""

_PATIENCE: Final = 120.0
_LOOK: Final = 0.003  # Seconds between two looks at the log: to that, times are exact.
_TEXT: Final = "What one says of one's lease, one's landlord and the stairs, in so many words. " * 40


@dataclass(frozen=True)
class Invocation:
    """An invocation: from when to when, in epoch seconds, and how many items it encrypted."""

    began: float
    ended: float
    encrypted: int


@dataclass(frozen=True)
class Compared:
    """One rate.

    Attributes:
        rate: writes a second.
        writes: how many there were.
        measured: median and 95th percentile of the window, in seconds.
        simulated: the same, simulated.
        work: how long invocations took.
    """

    rate: float
    writes: int
    measured: tuple[float, float]
    simulated: tuple[float, float]
    work: Work


class Log(threading.Thread):
    """Follows the log of the stream's function, and notes when each invocation begins and ends."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._stopping = threading.Event()
        self._began = 0.0
        self._encrypted = 0
        self.invocations: list[Invocation] = []

    def stop(self) -> None:
        """Follow it no further."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Read what is new, until stopped."""
        rest = b""
        with self._file.open("rb") as log:
            while not self._stopping.wait(_LOOK):
                *lines, rest = (rest + log.read()).split(b"\n")
                for line in lines:
                    self.take(line, time.time())

    def take(self, line: bytes, now: float) -> None:
        """Note what a line of the log tells, which was there at ``now`` (epoch seconds)."""
        if line.startswith(b"START "):
            self._began, self._encrypted = now, 0
        elif line.startswith(b"END "):
            self.invocations.append(Invocation(self._began, now, self._encrypted))
        elif b'"ItemsEncrypted"' in line:
            counted = json.loads(line)["ItemsEncrypted"]
            self._encrypted += int(sum(counted) if isinstance(counted, list) else counted)


class Writer:
    """Writes items into the stack's table, one after another, and finds out when each was encrypted.

    One shard and one batch at a time: items are encrypted in the order in which they were written. So the
    invocations, each with its number of items, tell the end of every item's window.
    """

    def __init__(self, stack: LocalStack, log: Log) -> None:
        self._dynamodb = stack.client("dynamodb")
        self._table = stack.outputs["TableName"]
        self._log = log
        self.written: list[float] = []

    def write(self) -> None:
        """Write one item of some 3 KB."""
        number = len(self.written)
        item = {
            "sessionId": {"S": f"window-{number}"},
            "userId": {"S": "alice"},
            "history": {"L": [{"M": {"type": {"S": "human"}, "content": {"S": f"{number} {_TEXT}"}}}]},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)
        self.written.append(time.time())

    def ends(self) -> list[float]:
        """Wait until all is encrypted; return when each item was, in the order of writes.

        Raises:
            TimeoutError: that takes more than two minutes.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            ended = [one.ended for one in list(self._log.invocations) for _ in range(one.encrypted)]
            if len(ended) >= len(self.written):
                return ended
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.written) - len(ended)} items are still in plaintext")
            time.sleep(0.05)

    def invocations(self) -> list[Invocation]:
        """Return all invocations up to now."""
        return list(self._log.invocations)


def work_of(invocations: Sequence[Invocation]) -> Work:
    """Return what invocations took: those without an item what each takes once, its few other records included."""
    # From the end of one to the start of the next, where that followed at once.
    between = [later.began - one.ended for one, later in pairwise(invocations)]
    gap = median([each for each in between if each < POLL / 2] or [0.0])
    alone = [one.ended - one.began for one in invocations if not one.encrypted]
    once = median(alone) if alone else 0.0
    item = median((one.ended - one.began - once) / one.encrypted for one in invocations if one.encrypted)
    ratios = [log((one.ended - one.began) / max(0.001, once + one.encrypted * item)) for one in invocations]
    # The medians are of the middle; the simulation wants means.
    spread = pstdev(ratios)
    mean = exp(spread**2 / 2)
    return Work(max(0.0, once * mean + gap), max(0.0, item * mean), 0.0, 0.0, spread)


def compared(writer: Writer, rate: float, seconds: float) -> Compared:
    """Write at a rate for so long, and return the windows as they were and as the simulation has them."""
    begun, before, earlier = time.time(), len(writer.written), len(writer.invocations())
    for arrival in poisson(rate, seconds, seed=int(rate)):
        time.sleep(max(0.0, begun + arrival.at - time.time()))
        writer.write()
    ends = writer.ends()
    times = writer.written[before:]
    windows = sorted(end - written for end, written in zip(ends[before:], times, strict=True))
    time.sleep(1)  # Our own writes' records too.
    work = work_of(writer.invocations()[earlier:])
    result = simulate(
        Source(shards=1, parallelization=1, poll=POLL, delay=0.0, concurrency=1, warm=1, kept=float("inf")),
        work,
        [Arrival(written - begun, 0.0, 0.0) for written in times],
    )
    return Compared(
        rate,
        len(times),
        (median(windows), windows[round(0.95 * (len(windows) - 1))]),
        (result.quantile(0.5), result.quantile(0.95)),
        work,
    )


def measure(dynamodb: Literal["moto", "local"], rates: Sequence[float] = RATES, seconds: float = 30) -> list[Compared]:
    """Start a stack, write into it at each of ``rates`` for so many seconds, and return the windows."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(state_directory=Path(folder), dynamodb=dynamodb) as stack,
    ):
        log = Log(stack.log_files["StreamEncryptorFunction"])
        log.start()
        try:
            writer = Writer(stack, log)
            writer.write()
            writer.ends()  # From here on everything is warm.
            return [compared(writer, rate, seconds) for rate in rates]
        finally:
            log.stop()


def as_document(found: Sequence[Compared], dynamodb: str) -> dict[str, Any]:
    """Return the comparison as it is written down: seconds, to the millisecond."""
    return {
        "dynamodb": dynamodb,
        "rates": [
            {
                "rate": one.rate,
                "writes": one.writes,
                "measured": [round(each, 3) for each in one.measured],
                "simulated": [round(each, 3) for each in one.simulated],
                "once": round(one.work.once, 4),
                "item": round(one.work.item, 4),
                "spread": round(one.work.spread, 2),
            }
            for one in found
        ],
    }


def main() -> int:
    """Measure, print and write down; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.local", description=__doc__)
    parser.add_argument("--dynamodb", choices=("moto", "local"), default="local", help="who plays DynamoDB")
    given = parser.parse_args()
    document = as_document(measure(given.dynamodb), given.dynamodb)
    print(json.dumps(document, indent=1))
    COMPARED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
