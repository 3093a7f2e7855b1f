"""Sweeps at an adaptive rate against a model of a table with a capacity and other writers, on a clock of its own."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from migrator import capacity
from migrator.adaptive_rate import LimitedBy, Pace, Page, after, first, limits, page_size, within

_WORK = 0.004  # Seconds that a worker needs for an item, eight of them side by side.
_BURST = 1.0  # Seconds' worth of capacity that a table saves up: DynamoDB keeps more, so this is the hard case.


@dataclass
class ModelTable:
    """A bucket that fills with its capacity and throttles when it is empty.

    Attributes:
        units: a second.
        at: when it was last looked at.
        saved: units that are there.
    """

    units: float
    at: float = 0.0
    saved: float = 0.0

    def takes(self, now: float) -> bool:
        """Consume a unit at a time that only goes forward; tell whether there was one."""
        self.saved = min(self.units * _BURST, self.saved + (now - self.at) * self.units)
        self.at = now
        if self.saved < 1:
            return False
        self.saved -= 1
        return True


@dataclass
class Told:
    """What happened within a stretch of time."""

    swept: int = 0
    throttled: int = 0
    written: int = 0
    writers_throttled: int = 0
    rates: list[float] = field(default_factory=list)
    limited_by: set[LimitedBy | None] = field(default_factory=set)


class Simulation:
    """A sweep of some segments and steady writers over one table, in the order of their times."""

    def __init__(
        self,
        units: float,
        segments: int,
        writes: Callable[[float], float] = lambda _: 0.0,
        ceiling: float | None = None,
        known: dict[str, float] | None = None,
        paces: list[float] | None = None,
    ) -> None:
        self.table = ModelTable(units)
        self.limits = limits(ceiling, known or {}, segments)
        self.paces = [first(self.limits)] * segments
        if paces is not None:
            self.paces = [within(Pace(rate), self.limits) for rate in paces]
        self.told = Told()
        self._events: list[tuple[float, int, Iterator[float]]] = []
        self._writes = writes
        self._draw = random.Random(segments)
        for number, actor in enumerate([self._writers(), *map(self._segment, range(segments))]):
            heapq.heappush(self._events, (number * 0.001, number, actor))
        self.now = 0.0

    def run(self, seconds: float) -> Told:
        """Go on for some seconds and tell what happened in them."""
        self.told, end = Told(), self.now + seconds
        while self._events[0][0] < end:
            self.now, number, actor = heapq.heappop(self._events)
            heapq.heappush(self._events, (self.now + next(actor), number, actor))
        self.now = end
        return self.told

    def _writers(self) -> Iterator[float]:
        while True:
            rate = self._writes(self.now)
            if rate:
                self.told.written += 1
                self.told.writers_throttled += not self.table.takes(self.now)
            yield self._draw.expovariate(rate) if rate else 1.0

    def _segment(self, number: int) -> Iterator[float]:
        while True:
            pace, began, throttles = self.paces[number], self.now, 0
            size = page_size(pace.rate)
            for _ in range(size):
                for attempt in range(4):  # As boto3 and the worker do: it waits longer each time.
                    if self.table.takes(self.now):
                        break
                    throttles += 1
                    yield 0.05 * 2**attempt
                yield _WORK * self._draw.uniform(0.5, 1.5)
            page = Page(size, self.now - began, table_throttles=throttles, units={capacity.WRITE: float(size)})
            self.paces[number] = after(pace, page, self.limits)
            self.told.swept += size
            self.told.throttled += throttles
            self.told.rates.append(pace.rate)
            self.told.limited_by.add(self.paces[number].limited_by)
            yield max(0.0, size / pace.rate - page.seconds)


@pytest.mark.parametrize("segments", [1, 4, 16])
@pytest.mark.parametrize(("units", "writes"), [(50, 20), (200, 50), (500, 300)])
def test_given_writers_when_swept_for_long_then_the_sweep_takes_most_of_what_they_leave_and_they_are_hardly_throttled(
    units: float, writes: float, segments: int
) -> None:
    """The capacity is known to nobody: throttles are all that tells."""
    simulation = Simulation(units, segments, lambda _: writes)
    simulation.run(600)

    told = simulation.run(1200)

    left = units - writes
    assert 0.5 * left <= told.swept / 1200 <= left
    assert told.writers_throttled / told.written < 0.02
    assert told.limited_by >= {LimitedBy.TABLE_THROTTLED}


@pytest.mark.parametrize("segments", [1, 4])
def test_given_provisioned_capacity_when_swept_then_half_of_it_is_taken_and_nobody_is_throttled(segments: int) -> None:
    known = capacity.of_table({"ProvisionedThroughput": {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 100}})
    simulation = Simulation(100, segments, lambda _: 40, known=known)
    simulation.run(120)

    told = simulation.run(600)

    assert told.swept / 600 == pytest.approx(50, rel=0.05)
    assert told.writers_throttled == 0
    assert told.limited_by == {LimitedBy.TABLE_CAPACITY}


def test_given_writers_that_come_and_go_when_swept_then_the_sweep_makes_way_and_comes_back() -> None:
    simulation = Simulation(300, 4, lambda now: 250.0 if 1200 <= now < 2400 else 20.0)
    simulation.run(600)
    alone = simulation.run(600)
    simulation.run(300)
    beside = simulation.run(900)
    simulation.run(600)
    again = simulation.run(600)

    assert alone.swept / 600 > 140
    assert beside.swept / 900 < 60
    assert beside.writers_throttled / beside.written < 0.02
    assert again.swept / 600 > 140


def test_given_segments_that_begin_unlike_when_swept_then_they_come_to_like_shares() -> None:
    simulation = Simulation(200, 4, paces=[150.0, 30.0, 5.0, 1.0])
    simulation.run(3600)

    rates = [0.0] * 4
    for _ in range(600):
        simulation.run(1)
        rates = [total + pace.rate for total, pace in zip(rates, simulation.paces, strict=True)]
    assert max(rates) < 3 * min(rates)


@pytest.mark.parametrize("segments", [1, 4, 7])
def test_given_a_ceiling_when_swept_then_no_stretch_of_time_is_above_it(segments: int) -> None:
    simulation = Simulation(1000, segments, ceiling=40)
    simulation.run(60)

    told = simulation.run(600)

    assert 0.95 * 40 <= told.swept / 600 <= 40 * 1.01
    assert told.limited_by == {LimitedBy.CEILING}


def test_given_a_table_that_gives_nothing_when_swept_then_each_segment_still_tries() -> None:
    simulation = Simulation(0.001, 4)
    simulation.run(300)

    told = simulation.run(600)

    assert told.throttled > 0
    assert len(told.rates) >= 4 * 600 / 20  # A page each ten seconds, and the time that its retries take.
