"""How long the functions take, by what the benchmark measured and by their memory. Pure.

A function works at a batch with several threads that wait for KMS and DynamoDB at the same time; Python computes in one
of them at a time. So an item takes its processor time, or its share of the waiting, whichever is longer::

    one item      max(processor time / vCPUs, waiting / threads)
    invocation    what each has once (the setting, the read of all its items) + its items + its other records
"""

from dataclasses import dataclass
from typing import Final

from benchmarks.scale.figures import Figures, Size
from benchmarks.scale.limits import VCPU_MEMORY

THREADS: Final = 8
"""Items that a function works on at once (`item_crypto.reconcile`)."""

WAITING: Final = 0.016
"""Seconds that an item waits for KMS (8 ms, as in the benchmark) and for its write. An assumption."""

ONCE: Final = 0.015
"""Seconds of an invocation beside its records: the setting, the read of its items, Lambda itself. An assumption."""

PAGE: Final = 0.03
"""Seconds of a sweep's page beside its items: the scan, the setting, the commit. An assumption."""

RECORD: Final = 0.0015
"""Seconds of processor time of a record with nothing to do: its item is read and looked at. An assumption."""

START_UP: Final = 0.4
"""Seconds of a cold start beside the import: the environment itself and the first connections. An assumption."""


SPREAD: Final = 0.35
"""By how much an invocation's time varies about its mean: the standard deviation of its logarithm. At this, one in a
hundred takes more than twice as long. An assumption."""


@dataclass(frozen=True)
class Settings:
    """Parameters of the template on which throughput rests, each with its default there; memory in MB.

    Attributes:
        batch_size: StreamBatchSize.
        batch_window: StreamBatchWindow, in seconds.
        parallelization: StreamParallelization.
        stream_memory: of the stream's function; no parameter.
        migrator_concurrency: MigratorConcurrency.
        migrator_memory: MigratorMemory.
    """

    batch_size: int = 100
    batch_window: float = 0.0
    parallelization: int = 2
    stream_memory: int = 1024
    migrator_concurrency: int = 4
    migrator_memory: int = 1769


@dataclass(frozen=True)
class Work:
    """What the stream's function takes, in seconds.

    Attributes:
        once: an invocation, beside its records.
        item: an item to encrypt.
        record: a record with nothing to do, our own write's say.
        cold: a cold start.
        spread: by how much an invocation's time varies: the standard deviation of its logarithm; 0 for not at all.
    """

    once: float
    item: float
    record: float
    cold: float
    spread: float = 0.0

    def invocation(self, items: int, records: int) -> float:
        """Return how long an invocation takes with so many items to encrypt and so many other records."""
        return self.once + items * self.item + records * self.record


def vcpus(memory: int) -> float:
    """Return what a function with ``memory`` MB has of a vCPU, as far as one interpreter can use it."""
    return min(1.0, memory / VCPU_MEMORY)


def item_time(size: Size, memory: int) -> float:
    """Return the seconds that a function takes to encrypt an item."""
    return max(size.processor / vcpus(memory), WAITING / THREADS)


def of_stream(figures: Figures, size: Size, settings: Settings) -> Work:
    """Return what the stream's function takes with items of a size."""
    share = vcpus(settings.stream_memory)
    return Work(
        ONCE,
        item_time(size, settings.stream_memory),
        RECORD / share,
        # Lambda gives a function a whole vCPU while it starts.
        START_UP + figures.import_time,
        SPREAD,
    )
