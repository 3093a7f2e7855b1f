"""What docs/scale.md reckons: costs are `plan`'s, no speed is above a limit, more of a thing never makes less of it."""

import json
import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import results
from benchmarks.scale import costs, figures, limits, tables
from benchmarks.scale.chart import Axis, Mark, Series, lines
from benchmarks.scale.document import filled
from benchmarks.scale.figures import Size
from benchmarks.scale.simulation import AGAIN_SECONDS, RETRY_BATCH, RETRY_CONCURRENCY, RETRY_SECONDS
from benchmarks.scale.throughput import (
    CONCURRENCY,
    KMS,
    MIGRATOR,
    PARTITIONS,
    STREAM_FUNCTION,
    TABLE_READS,
    TABLE_WRITES,
    Account,
    Table,
    binding,
    look,
    seconds,
    steady,
    sweep,
    workers_for,
)
from benchmarks.scale.work import Settings, of_stream
from dynamodb_stream_encryptor.planning.cost import Deployment, amount, migration, month, total
from dynamodb_stream_encryptor.planning.prices import Prices, find_prices
from dynamodb_stream_encryptor.planning.units import read_units, write_units
from encryptor_runtime.queues import RETRY_DELAY
from migrator.adaptive_rate import START, STEP
from tests.unit.sam_template import source

FIGURES = figures.read()
ALL = {PARTITIONS, TABLE_WRITES, TABLE_READS, KMS, STREAM_FUNCTION, CONCURRENCY, MIGRATOR}


def a_size(plain: int, stored: int, processor: float) -> Size:
    return Size("any", plain, stored, write_units(max(plain, stored)), read_units(plain), processor)


sizes = st.builds(a_size, st.integers(1, 400 * 1024), st.integers(1, 400 * 1024), st.floats(0.0005, 0.5))
items = st.floats(1, 1e11)
accounts = st.builds(
    Account,
    table_writes=st.floats(1, 1e7),
    table_reads=st.floats(1, 1e7),
    kms=st.floats(1, 1e6),
    concurrency=st.integers(1, 20_000),
)
settings = st.builds(
    Settings,
    batch_size=st.integers(1, 1000),
    parallelization=st.integers(1, 10),
    migrator_concurrency=st.integers(2, 1000),
    migrator_memory=st.integers(512, 10_240),
)


def prices() -> Prices:
    found = find_prices("us-east-1", None)
    assert found is not None
    return found


@given(sizes, items, st.booleans())
def test_costs_when_added_up_then_they_are_those_of_the_plan_for_the_same_load(
    size: Size, count: float, on_demand: bool
) -> None:
    table = Table(count, size)
    planned = total(migration(costs.load_of(table), Deployment()))
    bill = costs.lines(table, prices(), on_demand)
    assert math.isclose(sum(line.amount for line in bill), amount(planned, prices(), on_demand, "x86_64"), rel_tol=1e-9)
    assert all(line.amount >= 0 for line in bill)


@given(sizes, st.booleans())
def test_a_million_writes_when_added_up_then_they_are_those_of_the_plan(size: Size, on_demand: bool) -> None:
    uses = month(costs.load_of(Table(5, size)), Deployment(), writes=1e6, reads=0, recovery=False, new_key=False)
    planned = next(use for use in uses if use.what == "new writes")
    bill = costs.a_million_writes(size, prices(), on_demand)
    assert sum(line.amount for line in bill) == pytest.approx(amount(planned, prices(), on_demand, "x86_64"))


@given(sizes, items, settings, accounts)
def test_a_sweep_that_finds_nothing_when_as_fast_as_it_can_then_it_reads_half_of_what_the_table_serves_at_most(
    size: Size, count: float, chosen: Settings, account: Account
) -> None:
    rate = binding(look(Table(count, size), chosen, account)).rate
    assert 0 < rate * size.stored / 4096 <= account.table_reads / 2 * 1.000001


@given(sizes, items)
def test_a_table_when_ten_times_as_large_then_costs_ten_times_as_much(size: Size, count: float) -> None:
    once, often = (
        [
            line.amount
            for line in costs.lines(Table(n, size), prices(), True) + costs.beside(Table(n, size), prices(), 100)
        ]
        for n in (count, 10 * count)
    )
    assert often == pytest.approx([10 * each for each in once])


def test_kms_and_writes_when_counted_then_they_are_one_an_item_and_its_units_with_the_indexs() -> None:
    bill = {line.what: line for line in costs.lines(Table(1e6, FIGURES.size("6 KB")), prices(), True)}
    assert bill["KMS"].count == 1e6
    assert bill["KMS"].amount == pytest.approx(3.0)  # Three dollars a million.
    units = FIGURES.size("6 KB").writes + 1
    assert bill["writes"].count == units * 1e6
    assert bill["writes"].amount == pytest.approx(units * 0.625)


@given(sizes, items, settings, accounts)
def test_a_sweep_when_it_goes_as_fast_as_it_can_then_it_takes_no_more_than_half_of_the_table_and_all_of_the_rest(
    size: Size, count: float, chosen: Settings, account: Account
) -> None:
    table = Table(count, size)
    rate = binding(sweep(FIGURES, table, chosen, account)).rate
    assert 0 < rate < math.inf
    assert rate * size.writes <= account.table_writes / 2 * 1.000001
    assert rate * size.plain / 4096 <= account.table_reads / 2 * 1.000001
    assert rate * FIGURES.kms_calls <= account.kms * 1.000001
    at_once = min(table.partitions(account), chosen.migrator_concurrency)
    assert rate * size.writes <= at_once * limits.PARTITION_WRITES.value * 1.000001


@given(sizes, settings, accounts, st.integers(1, 10_000))
def test_steady_writes_when_as_many_as_can_be_then_they_are_above_no_limit(
    size: Size, chosen: Settings, account: Account, partitions: int
) -> None:
    rate = binding(steady(FIGURES, size, chosen, account, partitions)).rate
    both = size.plain_writes + size.writes
    assert rate * both <= partitions * limits.PARTITION_WRITES.value * 1.000001
    assert rate * (both + 2) <= account.table_writes * 1.000001
    assert rate <= account.kms * 1.000001
    work = of_stream(FIGURES, size, chosen)
    busy = rate * (work.item + work.record)  # Environments that are at work at a time, whatever the batches.
    assert busy <= min(account.concurrency, partitions * chosen.parallelization) * 1.000001


@given(sizes, settings, accounts, st.integers(1, 5_000), st.integers(1, 10))
def test_more_of_anything_never_lets_fewer_writes_through(
    size: Size, chosen: Settings, account: Account, partitions: int, times: int
) -> None:
    before = binding(steady(FIGURES, size, chosen, account, partitions)).rate
    more = [
        (chosen, account, partitions * times),
        (chosen, replace(account, kms=account.kms * times), partitions),
        (chosen, replace(account, table_writes=account.table_writes * times), partitions),
        (chosen, replace(account, concurrency=account.concurrency * times), partitions),
        (replace(chosen, parallelization=10), account, partitions),
        (replace(chosen, batch_size=1000), account, partitions),
    ]
    assert all(binding(steady(FIGURES, size, *each)).rate >= before * 0.999999 for each in more)


@given(st.floats(1, 1e12), st.floats(0.1, 1e6))
def test_a_sweeps_time_when_it_rises_step_by_step_then_it_has_done_all_its_items(count: float, rate: float) -> None:
    taken = seconds(count, rate)
    assert taken >= count / rate * 0.999999
    first = min(START, rate)
    rising = min(taken, max(0.0, (rate - START) / STEP))
    done = first * rising + STEP * rising**2 / 2 + (taken - rising) * rate
    assert done == pytest.approx(count, rel=1e-6)


@given(sizes, st.floats(1, 1e5))
def test_workers_when_reckoned_for_a_speed_then_they_reach_it_in_half_of_their_partitions(
    size: Size, rate: float
) -> None:
    workers = workers_for(rate, size, Settings())
    bounds = sweep(
        FIGURES,
        Table(1e10, size),
        Settings(migrator_concurrency=workers),
        Account(1e9, 1e9, 1e9, 10**9),
    )
    reached = {one.name: one.rate for one in bounds}
    assert reached[MIGRATOR] >= rate * 0.9999
    assert reached[PARTITIONS] >= 2 * rate * 0.9999


@pytest.mark.parametrize("times", [0.25, 0.5, 1, 2])
def test_every_limit_is_shown_where_it_binds_however_fast_encryption_is(times: float) -> None:
    sizes_measured = tuple(replace(size, processor=size.processor * times) for size in FIGURES.sizes)
    shown = {binding(bounds).name for _, bounds in tables.cases(replace(FIGURES, sizes=sizes_measured))}
    assert shown == ALL


def test_figures_when_of_a_run_of_the_benchmark_then_they_are_read_and_their_source_told() -> None:
    document = json.loads(results.FILE.read_text(encoding="utf-8"))
    run = {"date": "2026-11-30", "engine": "DynamoDB Local 3.3.0", "kmsMilliseconds": 8, "cores": 2, "python": "3.11.7"}
    found = figures.from_document({**document, "run": run})
    assert "make bench` on 2026-11-30, with DynamoDB Local 3.3.0" in found.source
    assert [size.name for size in found.sizes] == ["1 KB", "6 KB", "50 KB"]
    with pytest.raises(ValueError, match="shape"):
        figures.from_document({**document, "shape": 0})


def test_figures_when_nothing_was_built_then_refused_with_what_mends_it() -> None:
    document = json.loads(results.FILE.read_text(encoding="utf-8"))

    with pytest.raises(ValueError, match="run sam build"):
        figures.from_document({**document, "coldImports": {}})


@pytest.mark.parametrize(
    ("region", "quota"), [("us-east-1", 100_000), ("eu-central-1", 20_000), ("eu-north-1", 10_000)]
)
def test_kms_quota_when_asked_by_region_then_it_is_what_kms_publishes(region: str, quota: int) -> None:
    assert limits.kms_quota(region) == quota


def test_every_limit_names_its_source() -> None:
    assert all(one.source.startswith("https://docs.aws.amazon.com/") for one in limits.LIMITS)
    assert len({one.what for one in limits.LIMITS}) == len(limits.LIMITS)


def test_settings_when_not_given_then_they_are_the_templates() -> None:
    template = source()
    defaults = Settings()
    named = {
        "StreamBatchSize": defaults.batch_size,
        "StreamBatchWindow": defaults.batch_window,
        "StreamParallelization": defaults.parallelization,
        "MigratorConcurrency": defaults.migrator_concurrency,
        "MigratorMemory": defaults.migrator_memory,
    }
    assert {name: template["Parameters"][name]["Default"] for name in named} == named
    assert template["Globals"]["Function"]["MemorySize"] == defaults.stream_memory
    assert "MemorySize" not in template["Resources"]["StreamEncryptorFunction"]["Properties"]
    retry = template["Resources"]["RetryMapping"]["Properties"]
    assert retry["BatchSize"] == RETRY_BATCH
    assert retry["ScalingConfig"]["MaximumConcurrency"] == RETRY_CONCURRENCY
    assert template["Resources"]["RetryQueue"]["Properties"]["VisibilityTimeout"] == AGAIN_SECONDS
    assert RETRY_DELAY == RETRY_SECONDS


@given(
    st.lists(st.tuples(st.floats(0.01, 1e5), st.floats(0.001, 1e4)), min_size=1, max_size=20),
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=20),
)
def test_chart_when_drawn_then_it_is_well_formed_and_inside_its_frame(
    points: list[tuple[float, float]], name: str
) -> None:
    x, y = Axis("x <&>", 1, 1000, (1, 10)), Axis("y", 0.1, 100, (0.1, 1))
    chart = ElementTree.fromstring(
        lines(
            name,
            x,
            y,
            [Series(name, "#000", points), Series(name, "#111", points, True)],
            [Mark(name, 5, True), Mark("m", 3)],
        )
    )
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    drawn = chart.findall("{*}polyline")
    assert len(drawn) == 2
    for line in drawn:
        for point in line.attrib["points"].split():
            across, up = map(float, point.split(","))
            assert 0 <= across <= width
            assert 0 <= up <= height


def test_page_when_a_marker_has_nothing_to_stand_for_it_then_it_is_refused() -> None:
    page = "# Page\n<!-- made: one -->\nold\n<!-- end -->\n"
    assert filled(page, {"one": "new"}) == "# Page\n<!-- made: one -->\nnew\n<!-- end -->\n"
    with pytest.raises(ValueError, match="markers"):
        filled(page, {"other": "new"})
