"""What a table sustains, and how fast a sweep can go: a bound for each limit, the lowest of which binds. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.scale import limits
from benchmarks.scale.figures import Figures, Size
from benchmarks.scale.work import PAGE, Settings, item_time, of_stream
from dynamodb_stream_encryptor.planning.cost import SCAN_SECONDS
from dynamodb_stream_encryptor.planning.units import scan_units
from migrator.adaptive_rate import PAGE as PAGE_ITEMS
from migrator.adaptive_rate import START, STEP
from migrator.capacity import SHARE

INDEX_WRITE: Final = 1
"""Units of an item's write in the template's index, which holds whether the item is encrypted."""


@dataclass(frozen=True)
class Account:
    """What an account and a table may do in a second, and how many invocations at a time.

    Attributes:
        table_writes: write units that the table serves: what it is warm for, or provisioned with.
        table_reads: read units, likewise.
        kms: cryptographic requests to KMS.
        concurrency: Lambda's invocations at a time.
    """

    table_writes: float = limits.NEW_ON_DEMAND_WRITES.value
    table_reads: float = limits.NEW_ON_DEMAND_READS.value
    kms: float = limits.REGIONS_SHOWN
    concurrency: int = limits.LAMBDA_CONCURRENCY.value


@dataclass(frozen=True)
class Table:
    """A table whose items are all of a size.

    Attributes:
        items: how many there are.
        size: theirs.
    """

    items: float
    size: Size

    def partitions(self, account: Account) -> int:
        """Return into how many partitions it is cut, at the least: by its bytes, and by what it serves.

        DynamoDB tells nobody; a partition has one open shard in the stream.
        """
        larger = max(self.size.plain, self.size.stored)
        by_bytes = math.ceil(self.items * larger / limits.PARTITION_BYTES)
        by_writes = math.ceil(account.table_writes / limits.PARTITION_WRITES.value)
        by_reads = math.ceil(account.table_reads / limits.PARTITION_READS.value)
        return max(1, by_bytes, by_writes, by_reads)


@dataclass(frozen=True)
class Bound:
    """What one limit allows.

    Attributes:
        name: the limit, in a few words.
        rate: items a second.
        mend: what makes it higher.
    """

    name: str
    rate: float
    mend: str


_MORE_TABLE: Final = "`WarmThroughput`, or provisioned capacity; above 40,000 DynamoDB's quota of a table"
_MORE_KMS: Final = "KMS's quota “Cryptographic operations (symmetric) request rate”"
_MORE_LAMBDA: Final = "Lambda's quota “Concurrent executions”"

PARTITIONS: Final = "partitions"
TABLE_WRITES: Final = "table's writes"
TABLE_READS: Final = "table's reads"
KMS: Final = "KMS quota"
STREAM_FUNCTION: Final = "stream's function"
CONCURRENCY: Final = "Lambda concurrency"
MIGRATOR: Final = "migrator"


def steady(figures: Figures, size: Size, settings: Settings, account: Account, partitions: int) -> list[Bound]:
    """Return how many plaintext writes a second each limit allows, where they are even over ``partitions``.

    Each write is followed by ours, and both come by in the stream.
    """
    both = size.plain_writes + size.writes
    reads = size.reads + size.stored_reads
    work = of_stream(figures, size, settings)
    half = settings.batch_size / 2
    lane = half / (work.once + half * (work.item + work.record))
    lanes = partitions * settings.parallelization
    return [
        Bound(
            PARTITIONS,
            partitions * min(limits.PARTITION_WRITES.value / both, limits.PARTITION_READS.value / reads),
            "more capacity, which cuts the table into more; keys that spread writes",
        ),
        Bound(
            TABLE_WRITES,
            account.table_writes / (both + 2 * INDEX_WRITE),
            _MORE_TABLE,
        ),
        Bound(TABLE_READS, account.table_reads / reads, _MORE_TABLE),
        Bound(KMS, account.kms / figures.kms_calls, _MORE_KMS),
        Bound(STREAM_FUNCTION, lanes * lane, "`StreamParallelization`"),
        Bound(CONCURRENCY, account.concurrency * lane, _MORE_LAMBDA),
    ]


def sweep(figures: Figures, table: Table, settings: Settings, account: Account) -> list[Bound]:
    """Return how many items a second a sweep can encrypt by each limit, beside writers that need little.

    A sweep takes half of what the table serves. Each segment that is worked on goes through one partition after
    another, so that no more partitions are written at a time than there are workers.
    """
    size, partitions = table.size, table.partitions(account)
    at_once = settings.migrator_concurrency
    worker = PAGE_ITEMS / (PAGE + PAGE_ITEMS * item_time(size, settings.migrator_memory))
    work = of_stream(figures, size, settings)
    # What the sweep writes comes by in the stream, and has to be looked at: whole batches, once they pile up.
    looked_at = settings.batch_size / work.invocation(0, settings.batch_size)
    shards = partitions * settings.parallelization
    left = max(1, account.concurrency - at_once)
    return [
        Bound(
            TABLE_WRITES,
            SHARE * account.table_writes / size.writes,
            _MORE_TABLE,
        ),
        Bound(
            TABLE_READS,
            SHARE * account.table_reads / scan_units(size.plain),
            _MORE_TABLE,
        ),
        Bound(
            PARTITIONS,
            min(partitions, at_once) * limits.PARTITION_WRITES.value / size.writes,
            "`MigratorConcurrency` and `--segments`; more capacity, which cuts the table into more",
        ),
        Bound(KMS, account.kms / figures.kms_calls, _MORE_KMS),
        Bound(MIGRATOR, at_once * worker, "`MigratorConcurrency` and `--segments`; `MigratorMemory`"),
        Bound(STREAM_FUNCTION, shards * looked_at, "`StreamParallelization`"),
        Bound(CONCURRENCY, min(left, shards) * looked_at, _MORE_LAMBDA),
    ]


def look(table: Table, settings: Settings, account: Account) -> list[Bound]:
    """Return how many items a second a sweep can look at that finds nothing to encrypt, by each limit."""
    worker = PAGE_ITEMS / (PAGE + PAGE_ITEMS * SCAN_SECONDS)
    return [
        Bound(
            TABLE_READS,
            SHARE * account.table_reads / scan_units(table.size.stored),
            _MORE_TABLE,
        ),
        Bound(MIGRATOR, settings.migrator_concurrency * worker, "`MigratorConcurrency` and `--segments`"),
    ]


def binding(bounds: Sequence[Bound]) -> Bound:
    """Return the bound that is met first."""
    return min(bounds, key=lambda bound: bound.rate)


def seconds(items: float, rate: float) -> float:
    """Return how long a sweep takes that gets faster step by step until ``rate`` items a second (decision 36)."""
    if rate <= START:
        return items / rate
    rising = (rate - START) / STEP
    risen = START * rising + STEP * rising**2 / 2
    if risen >= items:
        return (math.sqrt(START**2 + 2 * STEP * items) - START) / STEP
    return rising + (items - risen) / rate


def workers_for(rate: float, size: Size, settings: Settings) -> int:
    """Return the MigratorConcurrency that a sweep of ``rate`` items a second needs.

    Enough for its work, and so many that each takes half of its partition's writes at most, as of the table's.
    """
    worker = PAGE_ITEMS / (PAGE + PAGE_ITEMS * item_time(size, settings.migrator_memory))
    partition = SHARE * limits.PARTITION_WRITES.value / size.writes
    return max(2, math.ceil(round(rate / min(worker, partition), 6)))
