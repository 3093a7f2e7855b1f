"""What encrypting a table costs, line by line, on the cost model of `stream-encryptor plan`. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.scale.figures import Figures, Size
from benchmarks.scale.throughput import INDEX_WRITE, Table
from benchmarks.scale.work import PAGE, Settings, item_time, of_stream
from dynamodb_stream_encryptor.planning.cost import (
    RECORDS_AN_INVOCATION,
    Deployment,
    Load,
    Use,
    amount,
    migration,
    month,
    total,
)
from dynamodb_stream_encryptor.planning.prices import Prices
from migrator.adaptive_rate import PAGE as PAGE_ITEMS

SQS_MILLION: Final = 0.40
"""Dollars for a million requests to a standard queue in us-east-1 (SQS's pricing page), which `plan` does not count."""

SQS_REQUESTS: Final = 3
"""Requests of a message: it is sent, received and deleted."""

SEGMENT_SECONDS: Final = 225
"""Seconds that a message carries a segment on: the function's 300, less what it keeps back."""

COMMIT_UNITS: Final = 2
"""Write units of a page's commit, a transaction of one row of the control table; `plan` does not count them."""


@dataclass(frozen=True)
class Line:
    """A line of the bill: what it is, how many of what, and its amount."""

    what: str
    count: float
    unit: str
    amount: float


def load_of(table: Table) -> Load:
    """Return the table as `plan` counts it, nothing of it encrypted yet, with the template's own index."""
    size = table.size
    return Load(
        items=table.items,
        concerned=table.items,
        changed=table.items,
        bytes=table.items * size.plain,
        grown=table.items * (size.stored - size.plain),
        read_before=size.reads,
        read_after=size.stored_reads,
        write=size.writes,
        index_write=INDEX_WRITE,
    )


def lines(table: Table, prices: Prices, on_demand: bool, deployment: Deployment | None = None) -> list[Line]:
    """Return what encrypting all of a table costs, once: the lines together are `plan`'s own sum."""
    deployment = deployment or Deployment()
    uses = migration(load_of(table), deployment)
    sweep, records = uses
    whole = total(uses)

    def priced(use: Use) -> float:
        return amount(use, prices, on_demand, deployment.architecture)

    return _lines(whole, {"the sweep's scan": sweep.reads, "reads of what comes back": records.reads}, priced)


def monthly(table: Table, prices: Prices, on_demand: bool) -> dict[str, float]:
    """Return what thirty days cost once all is encrypted, without a write and a read: `plan`'s lines by name."""
    deployment = Deployment()
    uses = month(load_of(table), deployment, writes=0, reads=0, recovery=False, new_key=False)
    return {use.what: amount(use, prices, on_demand, deployment.architecture) for use in uses}


def a_million_writes(size: Size, prices: Prices, on_demand: bool) -> list[Line]:
    """Return what a million plaintext writes cost beside themselves: the lines together are `plan`'s "new writes"."""
    deployment = Deployment()
    uses = month(load_of(Table(0, size)), deployment, writes=1e6, reads=0, recovery=False, new_key=False)
    use = next(one for one in uses if one.what == "new writes")

    def priced(part: Use) -> float:
        return amount(part, prices, on_demand, deployment.architecture)

    return _lines(use, {"reads": use.reads}, priced)


def _lines(whole: Use, reads: Mapping[str, float], priced: Callable[[Use], float]) -> list[Line]:
    """Return ``whole``, taken apart; its reads as ``reads`` names them."""
    return [
        Line("writes", whole.writes, "write units", priced(Use("writes", writes=whole.writes))),
        Line("KMS", whole.kms, "calls", priced(Use("KMS", kms=whole.kms))),
        *(Line(name, units, "read units", priced(Use(name, reads=units))) for name, units in reads.items()),
        Line(
            "Lambda",
            whole.seconds,
            "GB-seconds",
            priced(Use("Lambda", invocations=whole.invocations, seconds=whole.seconds)),
        ),
    ]


def beside(table: Table, prices: Prices, worker_rate: float) -> list[Line]:
    """Return what `plan` leaves out as too little to matter: the queue's messages and the sweep's own bookkeeping.

    Args:
        table: the table.
        prices: the price list.
        worker_rate: items a second of one segment.
    """
    messages = table.items / (worker_rate * SEGMENT_SECONDS)
    requests = messages * SQS_REQUESTS
    commits = table.items / PAGE_ITEMS
    units = commits * COMMIT_UNITS
    return [
        Line("SQS", requests, "requests", requests / 1e6 * SQS_MILLION),
        Line("commits of pages", units, "write units", units / 1e6 * prices.write_requests),
    ]


def as_measured(figures: Figures, table: Table, prices: Prices) -> float:
    """Return what Lambda costs by the benchmark's times, with as many invocations as `plan` assumes."""
    settings, size = Settings(), table.size
    work = of_stream(figures, size, settings)
    migrator = PAGE / PAGE_ITEMS + item_time(size, settings.migrator_memory)
    record = work.record + work.once / RECORDS_AN_INVOCATION
    seconds = table.items * (migrator * settings.migrator_memory + record * settings.stream_memory) / 1024
    calls = table.items / PAGE_ITEMS + table.items / RECORDS_AN_INVOCATION
    return amount(Use("Lambda", invocations=calls, seconds=seconds), prices, True, Deployment().architecture)
