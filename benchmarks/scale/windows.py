"""The plaintext window by write rate, simulated. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from benchmarks.scale.figures import Figures, Size
from benchmarks.scale.simulation import Arrival, Result, Source, poisson, simulate
from benchmarks.scale.throughput import PARTITIONS, STREAM_FUNCTION, Account, steady
from benchmarks.scale.work import Settings, Work, of_stream

SHARDS: Final = 4
"""Shards of a new table on demand: it is warm for 4,000 write units, 1,000 a partition."""

PARALLEL: Final = (1, 2, 10)
"""StreamParallelization, as it is simulated: the least, the default, the most."""

RATES: Final = (1, 10, 50, 100, 150, 200, 300, 400, 600, 800, 1000, 1300)
"""Writes a second of the whole table."""

SEED: Final = 20261130
_SETTLED: Final = 15.0  # Seconds until the cold starts of the beginning are over.
_WRITES: Final = 4_000  # As many at least, where that does not take too long.
_LONGEST: Final = 400.0


@dataclass(frozen=True)
class Window:
    """What was simulated at one rate.

    Attributes:
        rate: writes a second.
        median: seconds that half of the writes were not longer in plaintext.
        p99: likewise, of 99 in 100.
        records: records an invocation, in the mean.
        at_once: invocations at a time, at most.
        first: the longest of those in the beginning, when everything starts cold.
    """

    rate: float
    median: float
    p99: float
    records: float
    at_once: int
    first: float


def source_of(settings: Settings, shards: int = SHARDS) -> Source:
    """Return the event source as the template sets it up."""
    return Source(
        shards=shards,
        parallelization=settings.parallelization,
        batch_size=settings.batch_size,
        batch_window=settings.batch_window,
    )


def at_rate(source: Source, work: Work, rate: float, longest: float = _LONGEST) -> Window:
    """Return what the window is at a rate, once it has settled."""
    arrivals = poisson(rate, min(max(_WRITES / rate, 40.0), longest), SEED)
    return _window(rate, arrivals, simulate(source, work, arrivals))


def _window(rate: float, arrivals: list[Arrival], result: Result) -> Window:
    settled = sum(arrival.at < _SETTLED for arrival in arrivals)
    beginning = [window for window in result.windows[:settled] if window is not None]
    return Window(
        rate,
        result.quantile(0.5, settled),
        result.quantile(0.99, settled),
        result.records / max(1, result.invocations),
        result.at_once,
        max(beginning, default=0.0),
    )


def sustained(figures: Figures, size: Size, settings: Settings, limit: str) -> float:
    """Return how many writes a second ``SHARDS`` shards can keep up with by one limit."""
    return next(one.rate for one in steady(figures, size, settings, Account(), SHARDS) if one.name == limit)


def by_rate(figures: Figures, size: Size, parallelization: int) -> list[Window | None]:
    """Return the window at each of ``RATES``; None where the function falls behind, so that it grows without end.

    Rates that the partitions do not take are left out.
    """
    settings = Settings(parallelization=parallelization)
    work, source = of_stream(figures, size, settings), source_of(settings)
    most = sustained(figures, size, settings, PARTITIONS)
    behind = sustained(figures, size, settings, STREAM_FUNCTION)
    return [at_rate(source, work, rate) if rate < behind else None for rate in RATES if rate <= most]


def by_batch_window(figures: Figures, size: Size, rate: float, seconds: tuple[int, ...]) -> list[tuple[int, Window]]:
    """Return the window for each StreamBatchWindow, at a rate."""
    found = []
    for window in seconds:
        settings = Settings(batch_window=window)
        work = of_stream(figures, size, settings)
        found.append((window, at_rate(source_of(settings), work, rate)))
    return found


@dataclass(frozen=True)
class Shortage:
    """Something is short, and what comes of it.

    Attributes:
        what: what is short.
        median, p99, longest: seconds in plaintext.
        behind: items that were still in plaintext when the last one was written.
    """

    what: str
    median: float
    p99: float
    longest: float
    behind: int


def shortages(figures: Figures, size: Size) -> list[Shortage]:
    """Return what becomes of 100 writes a second for a minute where something is short."""
    settings = Settings()
    work, source = of_stream(figures, size, settings), source_of(settings)
    warm = replace(source, warm=SHARDS * settings.parallelization)
    even = poisson(100, 60, SEED)
    burst = [Arrival(one.at / 20, one.shard, one.lane) for one in even][:2000]
    cases = (
        ("nothing: 100 writes a second for a minute", warm, even),
        ("nothing warm: every environment starts cold", source, even),
        ("2,000 writes within a second, once", warm, burst),
        ("Lambda: 2 invocations at a time are left for the function", replace(warm, warm=2, concurrency=2), even),
        ("KMS: 90 calls a second are left", replace(warm, kms=90.0), even),
    )
    found = []
    for what, where, arrivals in cases:
        result = simulate(where, work, arrivals)
        found.append(Shortage(what, result.quantile(0.5), result.quantile(0.99), result.quantile(1.0), result.behind))
    return found
