"""The simulated event source: every write is encrypted once, and no faster than what it has."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scale import figures, windows
from benchmarks.scale.local import Invocation, Log, work_of
from benchmarks.scale.simulation import RETRY_SECONDS, Arrival, Source, poisson, simulate
from benchmarks.scale.throughput import STREAM_FUNCTION
from benchmarks.scale.work import Settings, Work, of_stream

FIGURES = figures.read()
WORK = Work(once=0.015, item=0.014, record=0.002, cold=1.0)
PLENTY = Source(shards=4, parallelization=2, delay=0.0, poll=0.25, warm=64)

arrivals = st.lists(
    st.builds(
        Arrival,
        at=st.floats(0, 30),
        shard=st.floats(0, 1, exclude_max=True),
        lane=st.floats(0, 1, exclude_max=True),
    ),
    max_size=200,
).map(lambda found: sorted(found, key=lambda one: one.at))
sources = st.builds(
    Source,
    shards=st.integers(1, 8),
    parallelization=st.integers(1, 10),
    batch_size=st.integers(1, 100),
    batch_window=st.sampled_from([0.0, 0.5, 3.0]),
    poll=st.sampled_from([0.0, 0.1, 0.25]),
    delay=st.sampled_from([0.0, 0.1]),
    concurrency=st.integers(1, 20),
    scaling=st.sampled_from([0.5, 100.0]),
    kept=st.sampled_from([1.0, 300.0]),
    kms=st.sampled_from([1.0, 20.0, math.inf]),
)


@given(sources, arrivals)
@settings(max_examples=150, deadline=None)
def test_every_write_is_encrypted_once_and_its_record_and_ours_are_seen(
    source: Source, written: Sequence[Arrival]
) -> None:
    result = simulate(source, WORK, list(written))
    assert len(result.windows) == len(written)
    assert all(window is not None for window in result.windows)
    # What the retry queue encrypts was a record too; ours come on top, one for each write.
    assert result.records == 2 * len(written)
    assert result.at_once <= min(source.concurrency, source.shards * source.parallelization)


@given(sources, arrivals)
@settings(max_examples=100, deadline=None)
def test_no_write_is_encrypted_before_it_is_in_the_stream_and_worked_on(
    source: Source, written: Sequence[Arrival]
) -> None:
    result = simulate(source, WORK, list(written))
    assert all(
        window is not None and window >= source.delay + WORK.once + WORK.item - 1e-9 for window in result.windows
    )


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_windows(seed: int) -> None:
    written = poisson(20, 10, seed)
    assert simulate(PLENTY, WORK, written, seed).windows == simulate(PLENTY, WORK, written, seed).windows


@given(arrivals, st.integers(1, 4), st.integers(2, 4))
@settings(max_examples=150, deadline=None)
def test_more_shards_never_lengthen_the_window_by_more_than_a_batch(
    written: Sequence[Arrival], shards: int, times: int
) -> None:
    """Not by the single write: one that begins a batch at once may keep the next one waiting, where both would have
    been in one. So no window is longer by more than a batch, whatever the writes."""
    few = replace(PLENTY, shards=shards, poll=0.0)
    before = simulate(few, WORK, list(written))
    after = simulate(replace(few, shards=shards * times), WORK, list(written))
    slack = WORK.invocation(few.batch_size, few.batch_size)
    for part in (0.5, 0.99, 1.0):
        assert after.quantile(part) <= before.quantile(part) + slack


@pytest.mark.parametrize("parallelization", [1, 2, 4])
def test_more_shards_shorten_the_window_where_too_few_fall_behind(parallelization: int) -> None:
    written = poisson(600, 20, 3)
    windows = [
        simulate(replace(PLENTY, shards=shards, parallelization=parallelization), WORK, written).quantile(0.99)
        for shards in (1, 2, 4, 8)
    ]
    assert windows == sorted(windows, reverse=True)
    assert windows[0] > 2 * windows[2]


@pytest.mark.parametrize("size", [size.name for size in FIGURES.sizes])
@pytest.mark.parametrize("parallelization", [1, 2])
def test_the_function_falls_behind_where_the_reckoning_says_so_and_not_before(size: str, parallelization: int) -> None:
    chosen = Settings(parallelization=parallelization)
    work, source = of_stream(FIGURES, FIGURES.size(size), chosen), windows.source_of(chosen)
    most = windows.sustained(FIGURES, FIGURES.size(size), chosen, STREAM_FUNCTION)
    warm = replace(source, warm=100)
    calm, beyond = (simulate(warm, work, poisson(most * part, 60, 5)) for part in (0.8, 1.25))
    assert calm.behind < most * 3
    assert beyond.behind > 60 * most * 0.1


def test_throughput_is_never_above_what_the_lanes_do() -> None:
    written = [Arrival(0.0, one.shard, one.lane) for one in poisson(2000, 1, 9)]
    result = simulate(PLENTY, WORK, written)
    busy = sum(WORK.item + WORK.record for _ in written) / (PLENTY.shards * PLENTY.parallelization)
    assert max(window for window in result.windows if window is not None) >= busy * 0.9


def test_a_cold_start_is_waited_for_once() -> None:
    written = [Arrival(at, 0.0, 0.0) for at in (1.0, 5.0, 9.0)]
    result = simulate(replace(PLENTY, warm=0, poll=0.0), WORK, written)
    assert result.windows[0] == pytest.approx(WORK.cold + WORK.once + WORK.item)
    assert result.windows[1] == pytest.approx(WORK.once + WORK.item)
    assert result.cold == 1


def test_an_environment_that_was_idle_for_long_is_gone() -> None:
    written = [Arrival(at, 0.0, 0.0) for at in (1.0, 500.0)]
    result = simulate(replace(PLENTY, warm=0, poll=0.0, kept=300.0), WORK, written)
    assert result.cold == 2


def test_an_item_that_kms_throttles_beside_others_waits_in_the_retry_queue() -> None:
    written = [Arrival(0.0, 0.0, 0.0), Arrival(0.0, 0.0, 0.0)]
    result = simulate(replace(PLENTY, poll=0.0, kms=1.0), WORK, written)
    first, second = sorted(window for window in result.windows if window is not None)
    assert first < 1
    assert second >= RETRY_SECONDS
    assert result.throttled == 1


def test_where_kms_throttles_all_of_a_batch_then_the_stream_waits_and_nothing_is_queued() -> None:
    written = [Arrival(0.0, 0.0, 0.0), *(Arrival(0.1, 0.0, 0.0) for _ in range(2))]
    result = simulate(replace(PLENTY, poll=0.0, kms=1.0, batch_size=2), WORK, written)
    assert result.windows[0] is not None
    assert result.windows[0] < 0.1
    # The token that comes within the second takes one of both; the other goes to the queue then.
    assert min(window for window in result.windows[1:] if window is not None) < RETRY_SECONDS


def test_a_batch_window_gathers_records_and_is_over_when_a_batch_is_full() -> None:
    written = [Arrival(0.001 * number, 0.0, 0.0) for number in range(100)]
    long, full = (
        simulate(replace(PLENTY, poll=0.0, batch_window=10.0, batch_size=size), WORK, written) for size in (1000, 100)
    )
    assert long.windows[0] is not None
    assert long.windows[0] > 10
    assert full.windows[0] is not None
    assert full.windows[0] < 2


def test_without_an_environment_a_batch_waits_and_is_done_later() -> None:
    written = poisson(50, 5, 4)
    plenty, one = (simulate(replace(PLENTY, warm=1, concurrency=most), WORK, written) for most in (100, 1))
    assert one.waited > 0
    assert one.at_once == 1
    assert one.quantile(0.99) > plenty.quantile(0.99)


def test_invocations_that_vary_sustain_as_much_and_have_a_longer_tail() -> None:
    written = poisson(100, 60, 8)
    even, varied = (simulate(PLENTY, replace(WORK, spread=spread), written) for spread in (0.0, 0.5))
    assert varied.behind < 3 * even.behind + 20
    assert varied.quantile(0.99) > even.quantile(0.99)
    assert varied.quantile(0.5) < 1.5 * even.quantile(0.5)


def test_invocations_in_a_log_when_told_of_then_their_times_and_items_are_known(tmp_path: Path) -> None:
    log, now = Log(tmp_path / "function.log"), 100.0
    for content in (b'{"ItemsSkipped": [1.0]}', b'{"ItemsEncrypted": [2.0, 1.0]}', b'{"ItemsEncrypted": 4}', b"else"):
        for line in (b"START RequestId: x", content, b"END RequestId: x"):
            log.take(line, now)
            now += 1
    assert [one.encrypted for one in log.invocations] == [0, 3, 4, 0]
    assert [(one.began, one.ended) for one in log.invocations][:2] == [(100, 102), (103, 105)]


def test_work_when_reckoned_from_invocations_then_it_is_what_they_took() -> None:
    begun, found = 100.0, []
    for items in (0, 1, 0, 4, 2, 0, 3):
        ended = begun + 0.02 + items * 0.03
        found.append(Invocation(begun, ended, items))
        begun = ended + 0.01
    work = work_of(found)
    assert work.once == pytest.approx(0.03)  # With the time until the next one begins.
    assert work.item == pytest.approx(0.03)
    assert work.spread == pytest.approx(0, abs=1e-6)
