"""What docs/scale.md shows, as Markdown. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from benchmarks.scale import limits
from benchmarks.scale.chart import Axis, Mark, Series
from benchmarks.scale.chart import lines as drawn
from benchmarks.scale.costs import a_million_writes, as_measured, beside, lines, monthly
from benchmarks.scale.figures import Figures, Size
from benchmarks.scale.throughput import (
    MIGRATOR,
    PARTITIONS,
    STREAM_FUNCTION,
    Account,
    Bound,
    Table,
    binding,
    look,
    seconds,
    steady,
    sweep,
    workers_for,
)
from benchmarks.scale.windows import (
    PARALLEL,
    RATES,
    SHARDS,
    Window,
    by_batch_window,
    by_rate,
    shortages,
    sustained,
)
from benchmarks.scale.work import ONCE, PAGE, RECORD, SPREAD, START_UP, THREADS, WAITING, Settings, item_time, of_stream
from dynamodb_stream_encryptor.planning.figures import bytes_text
from dynamodb_stream_encryptor.planning.prices import Prices

ITEMS: Final = ((1e6, "1 M"), (1e8, "100 M"), (1e10, "10 B"))
"""How many items, and what that is called."""

STAGES: Final = (
    ("as it is", Account(kms=limits.KMS_QUOTA)),
    ("at the default quotas", Account(limits.TABLE_WRITES.value, limits.TABLE_READS.value, limits.KMS_QUOTA)),
    ("quotas raised", Account(400_000, 400_000, 100_000, 5_000)),
)
"""What is prepared for a sweep: nothing, a new table on demand; what quotas allow without asking; and more."""

CHARTED: Final = "1 KB"
_COLOURS: Final = {1: "#bc4c00", 2: "#0969da", 10: "#1a7f37"}
_ALARM: Final = 60  # Seconds: PlaintextWindowAlarmSeconds.


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, all but its first column to the right."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def words(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, every column to the left."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def duration(taken: float) -> str:
    """Return a time in words: two digits say enough."""
    for unit, length in (("years", 365 * 86_400), ("days", 2 * 86_400), ("hours", 2 * 3600), ("min", 60)):
        if taken >= length:
            return f"{_short(taken / {'years': 365 * 86_400, 'days': 86_400, 'hours': 3600, 'min': 60}[unit])} {unit}"
    return f"{_short(taken)} s"


def dollars(amount: float) -> str:
    """Return an amount, in whole dollars from ten on."""
    sign, size = "-" if amount < 0 else "", abs(amount)
    return f"{sign}${size:,.0f}" if size >= 10 else f"{sign}${size:,.2f}"


def _short(number: float) -> str:
    return f"{number:,.1f}" if number < 10 else f"{number:,.0f}"


def window(seconds_taken: float) -> str:
    """Return a plaintext window."""
    return f"{seconds_taken:.2f} s" if seconds_taken < 10 else f"{seconds_taken:,.0f} s"


def rests_on(figures: Figures) -> str:
    """Return the figures that all else is reckoned from, and the assumptions."""
    settings = Settings()
    rows = [
        (
            size.name,
            bytes_text(size.stored),
            f"{size.writes:.3g}",
            f"{size.processor * 1000:.1f} ms",
            f"{of_stream(figures, size, settings).item * 1000:.0f} ms",
            f"{item_time(size, settings.migrator_memory) * 1000:.0f} ms",
        )
        for size in figures.sizes
    ]
    heads = ("item", "stored", "write units", "processor time", "in the stream's function", "in the migrator")
    return (
        f"{table(heads, rows)}\n\n"
        f"Measured {figures.source}. The import of the stream's function takes {figures.import_time:.2g} s of "
        f"processor time; an item takes {figures.kms_calls:g} call to KMS.\n\n"
        f"Assumed: a vCPU of Lambda ({limits.VCPU_MEMORY:,} MB) computes as fast as the machine of the benchmark; an "
        f"item waits {WAITING * 1000:.0f} ms for KMS and its write, {THREADS} of them at a time; a record with nothing "
        f"to do takes {RECORD * 1000:.1f} ms of processor time, an invocation {ONCE * 1000:.0f} ms beside its records, "
        f"a sweep's page {PAGE * 1000:.0f} ms beside its items, a cold start {START_UP:.1f} s beside the import. One "
        f"invocation in a hundred takes {math.exp(2.326 * SPREAD - SPREAD**2 / 2):.1f} times the mean."
    )


def costs(figures: Figures, prices: Prices) -> str:
    """Return what encrypting tables costs, by line."""
    rows = []
    for items, name in ITEMS:
        for size in figures.sizes:
            whole = Table(items, size)
            bill = {one.what: one.amount for one in lines(whole, prices, on_demand=True)}
            provisioned = sum(one.amount for one in lines(whole, prices, on_demand=False))
            little = sum(one.amount for one in beside(whole, prices, _worker_rate(size)))
            rows.append(
                (
                    f"{name} of {size.name}",
                    *map(dollars, bill.values()),
                    dollars(little),
                    f"**{dollars(sum(bill.values()))}**",
                    dollars(provisioned),
                )
            )
    heads = (
        "items",
        "writes",
        "KMS",
        "scan",
        "other reads",
        "Lambda",
        "SQS, commits",
        "**on demand**",
        "provisioned",
    )
    return (
        f"{table(heads, rows)}\n\n"
        f"List prices of {prices.region} as of {prices.as_of}. “On demand” and “provisioned” are what "
        "`stream-encryptor plan` says of such a table; SQS and the sweep's own commits, which it leaves out, stand "
        f"beside. With the times of the benchmark in the place of those that it assumes, Lambda costs "
        f"{_lambda_share(figures, prices):.0%} of its line for items of 6 KB."
    )


def from_then_on(figures: Figures, prices: Prices) -> str:
    """Return what a month costs once all is encrypted, and how long one look at all items takes."""
    rows = []
    for items, name in ITEMS:
        for size in figures.sizes:
            whole = Table(items, size)
            bill = monthly(whole, prices, on_demand=True)
            looks = [
                seconds(items, binding(look(whole, chosen, account)).rate)
                for chosen, account in (
                    (Settings(), STAGES[0][1]),
                    (prepared(figures, whole, STAGES[1][1])[0], STAGES[1][1]),
                )
            ]
            rows.append(
                (
                    f"{name} of {size.name}",
                    *(dollars(bill[line]) for line in ("catch-up", "re-encryption", "stored bytes")),
                    *map(duration, looks),
                )
            )
    heads = (
        "items",
        "catch-up, daily",
        "re-encryption, each item every 30 days",
        "storage",
        "one catch-up sweep: as it is",
        "at the default quotas",
    )
    return table(heads, rows)


def a_million(figures: Figures, prices: Prices) -> str:
    """Return what a million plaintext writes cost beside themselves."""
    rows = []
    for size in figures.sizes:
        bill = a_million_writes(size, prices, on_demand=True)
        rows.append(
            (
                size.name,
                *(dollars(line.amount) for line in bill),
                f"**{dollars(sum(line.amount for line in bill))}**",
                dollars(sum(line.amount for line in a_million_writes(size, prices, on_demand=False))),
            )
        )
    return table(("items of", "writes", "KMS", "reads", "Lambda", "**on demand**", "provisioned"), rows)


def _lambda_share(figures: Figures, prices: Prices) -> float:
    whole = Table(1e6, figures.size("6 KB"))
    planned = next(one.amount for one in lines(whole, prices, on_demand=True) if one.what == "Lambda")
    return as_measured(figures, whole, prices) / planned


def _worker_rate(size: Size) -> float:
    return 1 / (PAGE / 100 + item_time(size, Settings().migrator_memory))


def prepared(figures: Figures, whole: Table, account: Account) -> tuple[Settings, Bound]:
    """Return the settings under which a sweep makes use of what an account has, and what then is its limit."""
    settings = Settings()
    reachable = [one for one in sweep(figures, whole, settings, account) if one.name not in (MIGRATOR, PARTITIONS)]
    wanted = workers_for(binding(reachable).rate, whole.size, settings)
    most = min(limits.QUEUE_CONCURRENCY.value, account.concurrency // 2)
    chosen = replace(settings, migrator_concurrency=min(max(wanted, settings.migrator_concurrency), most))
    return chosen, binding(sweep(figures, whole, chosen, account))


def times(figures: Figures) -> str:
    """Return how long sweeps take, and by which limit."""
    rows = []
    for items, name in ITEMS:
        for size in figures.sizes:
            whole = Table(items, size)
            bounds = [binding(sweep(figures, whole, Settings(), STAGES[0][1]))]
            bounds += [prepared(figures, whole, account)[1] for _, account in STAGES[1:]]
            rows.append(
                (
                    f"{name} of {size.name}",
                    *(f"{duration(seconds(items, one.rate))}: {_short(one.rate)}/s, {one.name}" for one in bounds),
                )
            )
    return words(("items", *(name for name, _ in STAGES)), rows)


def settings_for(figures: Figures) -> str:
    """Return what to set for each of these sweeps."""
    rows = []
    for (stage, account), which in zip(STAGES, ("WarmThroughput as it is", "", ""), strict=True):
        for size in figures.sizes:
            whole = Table(1e8, size)
            chosen, bound = (
                (Settings(), binding(sweep(figures, whole, Settings(), account)))
                if which
                else prepared(figures, whole, account)
            )
            rows.append(
                (
                    stage,
                    size.name,
                    f"{_short(bound.rate)}/s",
                    bound.name,
                    f"`MigratorConcurrency={chosen.migrator_concurrency}`, "
                    f"`--segments {max(4, chosen.migrator_concurrency)}`",
                    f"{account.table_writes:,.0f} write, {account.table_reads:,.0f} read units",
                    f"{_short(bound.rate * figures.kms_calls)} a second",
                )
            )
    return words(("prepared", "items of", "speed", "limit", "parameters", "table", "KMS, used"), rows)


def steadily(figures: Figures) -> str:
    """Return what a shard and a table keep up with."""
    shard = []
    for size in figures.sizes:
        by_shard = {
            parallel: {
                one.name: one.rate
                for one in steady(figures, size, Settings(parallelization=parallel), Account(), partitions=1)
            }
            for parallel in PARALLEL
        }
        partition = by_shard[1][PARTITIONS]
        function = {parallel: rates[STREAM_FUNCTION] for parallel, rates in by_shard.items()}
        needed = math.ceil(partition / function[1])
        shard.append(
            (
                size.name,
                f"{size.plain_writes:.3g} + {size.writes:.3g}",
                f"{_short(partition)}/s",
                *(f"{_short(rate)}/s" for rate in function.values()),
                str(needed) if needed <= limits.PARALLELIZATION.value else "more than 10",
            )
        )
    heads = (
        "items of",
        "units: the write + ours",
        "the partition",
        *(f"function, {parallel}" for parallel in PARALLEL),
        "`StreamParallelization` for all of it",
    )
    return f"{table(heads, shard)}\n\n{_whole_tables(figures)}"


def _whole_tables(figures: Figures) -> str:
    rows = []
    for size in figures.sizes:
        for _, account in STAGES:
            partitions = Table(1, size).partitions(account)
            found = [
                (chosen, binding(steady(figures, size, chosen, account, partitions)))
                for chosen in map(_parallel, range(Settings().parallelization, limits.PARALLELIZATION.value + 1))
            ]
            chosen, bound = max(found, key=lambda each: each[1].rate)  # The first of the best.
            work = of_stream(figures, size, chosen)
            half = chosen.batch_size / 2
            at_once = bound.rate * (work.once + half * (work.item + work.record)) / half
            rows.append(
                (
                    size.name,
                    f"{account.table_writes:,.0f}",
                    f"{partitions:,}",
                    f"{_short(bound.rate)}/s",
                    bound.name,
                    str(chosen.parallelization),
                    f"{_short(bound.rate * figures.kms_calls)}/s",
                    f"{math.ceil(at_once):,} to {partitions * chosen.parallelization:,}",
                )
            )
    heads = (
        "items of",
        "table's write units",
        "partitions",
        "plaintext writes",
        "limit",
        "`StreamParallelization`",
        "KMS",
        "invocations at a time",
    )
    return table(heads, rows)


def _parallel(number: int) -> Settings:
    return Settings(parallelization=number)


def windows(figures: Figures) -> tuple[str, str]:
    """Return the plaintext window by write rate, as a table with the chart shown below it, and the chart as SVG."""
    shown = figures.sizes[:2]
    found = {size.name: {p: by_rate(figures, size, p) for p in PARALLEL} for size in shown}
    rows = []
    for place, rate in enumerate(RATES):
        columns = [found[size.name][parallel] for size in shown for parallel in PARALLEL]
        if all(place >= len(column) for column in columns):
            break
        rows.append((f"{rate:,}", *(_cell(column[place]) if place < len(column) else "" for column in columns)))
    heads = ("writes a second", *(f"{size.name}, {p}" for size in shown for p in PARALLEL))
    calm = [one for one in found[CHARTED][Settings().parallelization] if one is not None]
    limits_of = {
        parallel: sustained(figures, figures.size(CHARTED), _parallel(parallel), STREAM_FUNCTION)
        for parallel in PARALLEL[:2]
    }
    behind = " and ".join(f"{_short(rate)} with {parallel}" for parallel, rate in limits_of.items())
    said = (
        f"The plaintext window by write rate: {calm[0].median:.2f} s at the median and {calm[0].p99:.2f} s at the 99th "
        f"percentile, until the function falls behind, at so many writes a second by parallelization: {behind}"
    )
    return f"{table(heads, rows)}\n\n![{said}](images/scale-window.svg)", _chart(figures, found[CHARTED])


def _cell(found: Window | None) -> str:
    return "falls behind" if found is None else f"{found.median:.2f} / {found.p99:.2f} s"


def _chart(figures: Figures, found: dict[int, list[Window | None]]) -> str:
    x = Axis("plaintext writes a second, over four shards", 1, 2000, (1, 10, 100, 1000))
    y = Axis(
        f"Plaintext window of {CHARTED} items: median (solid), 99th percentile (broken)", 0.1, 100, (0.1, 1, 10, 100)
    )
    series = []
    for parallel, windows_of in found.items():
        settings = Settings(parallelization=parallel)
        limit = sustained(figures, figures.size(CHARTED), settings, STREAM_FUNCTION)
        kept = [one for one in windows_of if one is not None]
        # Beyond what the function sustains, the window grows as long as the rate lasts: straight up, out of the chart.
        beyond = [(limit, y.most)] if None in windows_of else []
        name = f"parallelization {parallel}"
        for dashed, of in ((False, "median"), (True, "p99")):
            points = [(one.rate, one.p99 if dashed else one.median) for one in kept]
            series.append(Series(f"{name}, {of}" if dashed else name, _COLOURS[parallel], points + beyond, dashed))
    full = sustained(figures, figures.size(CHARTED), Settings(), PARTITIONS)
    return drawn(
        f"Plaintext window by write rate, items of {CHARTED}, {SHARDS} shards",
        x,
        y,
        series,
        [
            Mark("alarm's default, 60 s", _ALARM),
            Mark("partitions full", full, upright=True),
        ],
    )


def batch_windows(figures: Figures) -> str:
    """Return what waiting for fuller batches does."""
    size = figures.size("6 KB")
    rows = [
        (str(waited), f"{one.median:.2f} s", f"{one.p99:.2f} s", f"{one.records:.1f}", f"{2e6 / one.records:,.0f}")
        for waited, one in by_batch_window(figures, size, 100, (0, 1, 5))
    ]
    heads = ("`StreamBatchWindow`", "median", "p99", "records an invocation", "invocations a million writes")
    return table(heads, rows)


def checked(measured: Mapping[str, Any]) -> str:
    """Return how the simulation compares with the local stack, by what `benchmarks/scale/local.json` has."""
    rows = [
        (
            f"{one['rate']}",
            f"{one['writes']:,}",
            f"{1000 * one['once']:.0f} ms + {1000 * one['item']:.0f} ms an item",
            *(f"{one['measured'][place]:.2f} s, simulated {one['simulated'][place]:.2f} s" for place in (0, 1)),
        )
        for one in measured["rates"]
    ]
    return table(("writes a second", "writes", "an invocation took", "median", "95th percentile"), rows)


def short_of(figures: Figures) -> str:
    """Return what comes of it where something is short."""
    rows = [
        (one.what, window(one.median), window(one.p99), window(one.longest), f"{one.behind:,}")
        for one in shortages(figures, figures.size("6 KB"))
    ]
    return table(("short is", "median", "p99", "longest", "waiting at the end"), rows)


def bounds(figures: Figures) -> str:
    """Return where each limit is the one that is met first."""
    rows = []
    for case, found in cases(figures):
        first = binding(found)
        second = binding([one for one in found if one.name != first.name])
        rows.append(
            (case, first.name, f"{_short(first.rate)}/s", first.mend, f"{second.name}, {_short(second.rate)}/s")
        )
    return words(("case", "limit", "items", "what raises it", "the next limit"), rows)


def cases(figures: Figures) -> list[tuple[str, list[Bound]]]:
    """Return cases in which each limit is met, with their bounds."""
    small, usual, large = figures.sizes[:3]
    default, warm, raised = (account for _, account in STAGES)

    def swept(size: Size, account: Account, workers: int, memory: int = Settings().migrator_memory) -> list[Bound]:
        chosen = Settings(migrator_concurrency=workers, migrator_memory=memory)
        return sweep(figures, Table(1e8, size), chosen, account)

    def written(
        size: Size, account: Account, parallel: int = 2, partitions: int | None = None, batch: int = 100
    ) -> list[Bound]:
        cut = partitions or Table(1, size).partitions(account)
        return steady(figures, size, Settings(batch_size=batch, parallelization=parallel), account, cut)

    widest = limits.PARALLELIZATION.value
    raised_table = f"400,000 write units, `StreamParallelization={widest}`"
    return [
        (f"sweep, {small.name}, all defaults", swept(small, default, 4)),
        (f"sweep, {usual.name}, all defaults", swept(usual, default, 4)),
        (
            f"sweep, {small.name}, 40,000 write units, `MigratorConcurrency=4`, `MigratorMemory=512`",
            swept(small, warm, 4, 512),
        ),
        (f"sweep, {large.name}, 40,000 write units, `MigratorConcurrency=4`", swept(large, warm, 4)),
        (f"sweep, {usual.name}, 40,000 write and 4,000 read units", swept(usual, replace(warm, table_reads=4_000), 40)),
        (
            f"sweep, {small.name}, 400,000 write units, KMS at 10,000 a second",
            swept(small, replace(raised, kms=limits.KMS_QUOTA), 850),
        ),
        (f"writes, {small.name}, all defaults", written(small, default)),
        (f"writes, {small.name}, `StreamParallelization={widest}`", written(small, default, widest)),
        (
            f"writes, {small.name}, 40,000 write units, all in four partitions, `StreamParallelization=1`, "
            "`StreamBatchSize=10`",
            written(small, warm, 1, 4, 10),
        ),
        (
            f"writes, {usual.name}, 40,000 write units, all in one partition, `StreamParallelization={widest}`",
            written(usual, warm, widest, 1),
        ),
        (
            f"writes, {small.name}, {raised_table}, KMS at 10,000 a second",
            written(small, replace(raised, kms=limits.KMS_QUOTA), widest),
        ),
        (
            f"writes, {small.name}, {raised_table}, 100 invocations at a time left by others",
            written(small, replace(raised, concurrency=100), widest),
        ),
    ]


def many_shards(figures: Figures) -> str:
    """Return what a table with many partitions and few writes in each asks of Lambda."""
    usual, settings, account = figures.size("6 KB"), Settings(), STAGES[1][1]
    whole = Table(1e10, usual)
    shards = whole.partitions(account)
    rate = binding(steady(figures, usual, settings, account, shards)).rate
    work = of_stream(figures, usual, settings)
    calls = 2 * rate
    at_once = rate * (work.invocation(1, 0) + work.invocation(0, 1))
    allowed = limits.LAMBDA_REQUESTS.value * account.concurrency
    filled = shards * settings.parallelization
    return (
        f"A table of 10 B items of {usual.name} is cut into at least {shards:,} partitions by its bytes alone. At the "
        f"{rate:,.0f} writes a second that 40,000 write units take, each of a shard's {settings.parallelization} "
        f"batches has {calls / filled:.1f} records a second, so nearly every record is an invocation of its own: "
        f"{calls:,.0f} a second, {math.ceil(at_once):,} at a time. An account's {account.concurrency:,} at a time may "
        f"begin {allowed:,} a second. Where others need them, `StreamBatchWindow=5` makes "
        f"{calls / (1 + 5 * calls / filled):,.0f} of them, for a window longer by up to five seconds."
    )


def published() -> str:
    """Return the limits that are reckoned with, each with its source."""
    rows = [
        (one.what, f"{one.value:,} {one.unit}", one.asked_for or "no", f"[source]({one.source})")
        for one in limits.LIMITS
    ]
    by_quota: dict[int, list[str]] = {}
    for region, quota in limits.KMS_QUOTAS.items():
        by_quota.setdefault(quota, []).append(region)
    rows += [
        (
            f"symmetric cryptographic requests to KMS in {', '.join(sorted(regions))}",
            f"{quota:,} requests a second",
            "Service Quotas, KMS",
            f"[source]({limits.KMS_SOURCE})",
        )
        for quota, regions in by_quota.items()
    ]
    rows.append(
        (
            "the same in every other Region",
            f"{limits.KMS_QUOTA:,} requests a second",
            "Service Quotas, KMS",
            f"[source]({limits.KMS_SOURCE})",
        )
    )
    return words(("what", "default", "more", ""), rows)
