"""Lambda's event source over a table's stream, as discrete events: how long items stand in plaintext. Pure, by a seed.

::

    write ─▶ record ─▶ shard ─▶ lane (one of ParallelizationFactor, by the item's key) ─▶ batch ─▶ invocation
                                  ▲                                                          │
                                  └── our own write's record ◀── encrypted ──────────────────┤
                                                                                             │ throttled by KMS
                                                          retry queue, 15 s ◀────────────────┘

A lane has one batch in hand and takes the next when that is done; what an idle lane gets is seen at the shard's next
poll. A batch needs an environment: a warm one, or a new one, which starts cold, or none where the function has as many
as it may: then the batch waits, longer each time. Items that KMS throttles go to the retry queue; where all of several
do, the batch fails as a whole and is tried again, as in `stream_encryptor.stream`.

What it leaves out: writes of the same item one after another, which are encrypted once; and when within a batch an item
is done, since the metric PlaintextWindow too takes the end of the batch.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import ceil, exp, floor, inf
from typing import Final

from benchmarks.scale.work import Work

RETRY_SECONDS: Final = 15.0
"""Until a key is tried again from the retry queue (`encryptor_runtime.queues`)."""

AGAIN_SECONDS: Final = 360.0
"""Until it is after that: the retry queue's visibility time-out."""

RETRY_BATCH: Final = 10
RETRY_CONCURRENCY: Final = 5

_FIRST_WAIT: Final = 0.1  # Seconds until a batch that failed or found no environment is tried again; doubles each time.
_LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True)
class Source:
    """The event source and what it triggers.

    Attributes:
        shards: open shards of the stream.
        parallelization: batches of a shard at a time.
        batch_size: records of a batch at most.
        batch_window: seconds to wait for a batch to fill.
        poll: seconds between two polls of a shard that find nothing.
        delay: seconds until a write is in the stream. An assumption, since nobody promises one.
        concurrency: environments of the function at most.
        scaling: new environments a second.
        warm: environments that are there at the start.
        kept: seconds that an idle environment is kept. An assumption.
        kms: calls to KMS a second.
        precision: seconds to which writes are dated, downwards, in what is measured; 0 for exactly.
    """

    shards: int = 1
    parallelization: int = 2
    batch_size: int = 100
    batch_window: float = 0.0
    poll: float = 0.25
    delay: float = 0.1
    concurrency: int = 1_000
    scaling: float = 100.0
    warm: int = 0
    kept: float = 300.0
    kms: float = inf
    precision: float = 0.0


@dataclass
class Result:
    """What happened.

    Attributes:
        windows: seconds from each write to the end of its encryption, in the order of writes; None of one that was not
            encrypted, which never is.
        invocations: of the stream's function.
        records: that they took, our own writes' among them.
        cold: how many started cold.
        waited: how often a batch found no environment.
        throttled: how often KMS throttled an item.
        at_once: invocations at a time, at most.
        behind: items that were not encrypted when the last one was written.
    """

    windows: list[float | None]
    invocations: int = 0
    records: int = 0
    cold: int = 0
    waited: int = 0
    throttled: int = 0
    at_once: int = 0
    behind: int = 0

    def quantile(self, part: float, since: int = 0) -> float:
        """Return the window that ``part`` (0 to 1) of the writes from number ``since`` on are not above; 0 of none."""
        found = sorted(window for window in self.windows[since:] if window is not None)
        return found[max(0, ceil(part * len(found)) - 1)] if found else 0.0


@dataclass
class _Lane:
    shard: int
    waiting: deque[int | None] = field(default_factory=deque)  # An item's number; None for our own write's record.
    busy: bool = False
    due: float | None = None  # When its next batch is to be begun, if that is fixed.
    failures: int = 0


@dataclass(frozen=True)
class Arrival:
    """A write: when, in seconds; and two numbers from 0 to 1 that tell its shard and, within that, its lane."""

    at: float
    shard: float
    lane: float


def poisson(rate: float, duration: float, seed: int) -> list[Arrival]:
    """Return writes that come independently of one another, ``rate`` a second for ``duration`` seconds."""
    chance = random.Random(seed)  # noqa: S311 - no secret hangs on it
    arrivals, now = [], chance.expovariate(rate)
    while now < duration:
        arrivals.append(Arrival(now, chance.random(), chance.random()))
        now += chance.expovariate(rate)
    return arrivals


def simulate(source: Source, work: Work, arrivals: list[Arrival], seed: int = 1) -> Result:
    """Return what becomes of writes, all of which are followed until they are encrypted."""
    return _Run(source, work, arrivals, seed).run()


class _Run:
    def __init__(self, source: Source, work: Work, arrivals: list[Arrival], seed: int) -> None:
        self._source = source
        self._work = work
        self._arrivals = arrivals
        self._chance = chance = random.Random(seed)  # noqa: S311 - no secret hangs on it
        self._phases = [chance.random() * source.poll for _ in range(source.shards)]
        self._lanes = [[_Lane(shard) for _ in range(source.parallelization)] for shard in range(source.shards)]
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        self._idle = [0.0] * source.warm
        self._environments = source.warm
        self._tokens = self._burst = max(1.0, source.kms)
        self._refilled = 0.0
        self._may_start = source.scaling * 10
        self._grown = 0.0
        self._running = 0
        self._retries: deque[int] = deque()
        self._retrying = 0
        self._left = len(arrivals)
        self.result = Result([None] * len(arrivals))

    def run(self) -> Result:
        """Work all events off, in the order of time."""
        for number, arrival in enumerate(self._arrivals):
            lane = self._lane_of(arrival)
            self._at(arrival.at + self._source.delay, partial(self._arrived, number, lane))
        if self._arrivals:
            self._at(self._arrivals[-1].at, self._look)
        while self._events:
            now, _, happen = heapq.heappop(self._events)
            happen(now)
        return self.result

    def _at(self, when: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), happen))

    def _lane_of(self, arrival: Arrival) -> _Lane:
        lanes = self._lanes[int(arrival.shard * self._source.shards)]
        return lanes[int(arrival.lane * self._source.parallelization)]

    def _look(self, _: float) -> None:
        self.result.behind = self._left

    def _arrived(self, record: int | None, lane: _Lane, now: float) -> None:
        lane.waiting.append(record)
        if lane.busy:
            return
        if lane.due is None:
            self._begin_at(self._seen(now, lane) + self._source.batch_window, lane)
        elif self._source.batch_window and len(lane.waiting) >= self._source.batch_size:
            self._begin_at(min(lane.due, self._seen(now, lane)), lane)

    def _seen(self, now: float, lane: _Lane) -> float:
        """Return when the shard is polled next."""
        if not self._source.poll:
            return now
        phase = self._phases[lane.shard]
        return phase + ceil((now - phase) / self._source.poll) * self._source.poll

    def _begin_at(self, when: float, lane: _Lane) -> None:
        lane.due = when
        self._at(when, partial(self._due, lane))

    def _due(self, lane: _Lane, now: float) -> None:
        if lane.due == now and not lane.busy:  # Else it was moved since, or has begun.
            self._begin(now, lane)

    def _begin(self, now: float, lane: _Lane) -> None:
        lane.due = None
        start = self._environment(now)
        if start is None:
            self.result.waited += 1
            self._again(now, lane)
            return
        batch = [lane.waiting.popleft() for _ in range(min(len(lane.waiting), self._source.batch_size))]
        items = [record for record in batch if record is not None]
        granted = self._granted(now, len(items))
        self.result.throttled += len(items) - granted
        self.result.invocations += 1
        self._running += 1
        self.result.at_once = max(self.result.at_once, self._running)
        lane.busy = True
        ends = now + start + self._taken(granted, len(batch) - granted)
        self._at(ends, partial(self._done, lane, batch, items, granted))

    def _taken(self, items: int, records: int) -> float:
        spread = self._work.spread
        # Log-normal, with a mean of 1: what is sustained stays the same.
        factor = exp(self._chance.gauss(-(spread**2) / 2, spread)) if spread else 1.0
        return self._work.invocation(items, records) * factor

    def _done(self, lane: _Lane, batch: list[int | None], items: list[int], granted: int, now: float) -> None:
        self._idle.append(now)
        self._running -= 1
        lane.busy = False
        if len(items) > 1 and not granted:
            # Every one of several keys failed: a service is down, and the stream is the better place to wait.
            lane.waiting.extendleft(reversed(batch))
            self._again(now, lane)
            return
        lane.failures = 0
        self.result.records += len(batch)
        for number in items[:granted]:
            self._encrypted(now, number, lane)
        for number in items[granted:]:
            self._at(now + RETRY_SECONDS, partial(self._retry, number))
        if lane.waiting:
            self._begin_at(now + self._source.batch_window, lane)

    def _again(self, now: float, lane: _Lane) -> None:
        lane.failures += 1
        self._begin_at(now + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (min(lane.failures, 10) - 1)), lane)

    def _encrypted(self, now: float, number: int, lane: _Lane) -> None:
        if self.result.windows[number] is not None:
            raise AssertionError("an item is encrypted once")
        written = self._arrivals[number].at
        if self._source.precision:
            written = floor(written / self._source.precision) * self._source.precision
        self.result.windows[number] = now - written
        self._left -= 1
        self._at(now + self._source.delay, partial(self._arrived, None, lane))

    def _retry(self, number: int, now: float) -> None:
        self._retries.append(number)
        self._serve_retries(now)

    def _serve_retries(self, now: float) -> None:
        while self._retries and self._retrying < RETRY_CONCURRENCY:
            items = [self._retries.popleft() for _ in range(min(len(self._retries), RETRY_BATCH))]
            granted = self._granted(now, len(items))
            self.result.throttled += len(items) - granted
            self._retrying += 1
            ends = now + self._taken(granted, len(items) - granted)
            self._at(ends, partial(self._retried, items, granted))

    def _retried(self, items: list[int], granted: int, now: float) -> None:
        self._retrying -= 1
        for number in items[:granted]:
            self._encrypted(now, number, self._lane_of(self._arrivals[number]))
        for number in items[granted:]:
            self._at(now + AGAIN_SECONDS, partial(self._retry, number))
        self._serve_retries(now)

    def _environment(self, now: float) -> float | None:
        """Take an environment; return the seconds that it takes to start, or None where there is none to have."""
        while self._idle and self._idle[0] + self._source.kept < now:
            self._idle.pop(0)
            self._environments -= 1
        if self._idle:
            self._idle.pop()  # The one that was used last, so that the others may go.
            return 0.0
        limit = self._source.scaling * 10
        self._may_start = min(limit, self._may_start + (now - self._grown) * self._source.scaling)
        self._grown = now
        if self._environments >= self._source.concurrency or self._may_start < 1:
            return None
        self._may_start -= 1
        self._environments += 1
        self.result.cold += 1
        return self._work.cold

    def _granted(self, now: float, wanted: int) -> int:
        """Return how many of so many calls KMS answers; what it grants is a second's worth at once at most."""
        if self._source.kms == inf:
            return wanted
        self._tokens = min(self._burst, self._tokens + (now - self._refilled) * self._source.kms)
        self._refilled = now
        granted = min(wanted, floor(self._tokens))
        self._tokens -= granted
        return granted
