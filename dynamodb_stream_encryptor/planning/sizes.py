"""How large many things are, in bounded memory. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

GRAIN: Final = 64
"""Sizes are counted by multiples of so many bytes. It divides 1 KB and 4 KB, so that units are exact all the same."""

BANDS: Final = (("up to 1 KB", 1024), ("1 to 4 KB", 4096), ("4 to 16 KB", 16384), ("16 to 64 KB", 65536),
                ("64 to 256 KB", 262144), ("over 256 KB", None))  # fmt: skip
"""Names and upper bounds of the ranges that sizes are shown in."""


class Sizes:
    """Counts sizes in bytes.

    Holds a number for each multiple of ``GRAIN`` that occurred, 6,400 of them for items of up to 400 KB, however many
    sizes it is given.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = 0
        self.total = 0
        self.least = 0
        self.most = 0

    def add(self, size: int) -> None:
        """Count a size, of zero bytes or more."""
        self._counts[-(-size // GRAIN) * GRAIN] += 1
        self.least = min(self.least, size) if self.count else size
        self.most = max(self.most, size)
        self.count += 1
        self.total += size

    @property
    def mean(self) -> float:
        """The mean, in bytes; 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, part: float) -> int:
        """Return the size that ``part`` (0 to 1) of all are not above, rounded up to a multiple of ``GRAIN``."""
        seen, wanted = 0, part * self.count
        for size in sorted(self._counts):
            seen += self._counts[size]
            if seen >= wanted:
                return min(size, self.most)
        return 0

    def sum_of(self, units: Callable[[int], float]) -> float:
        """Return the sum of ``units`` of every size: exact where they change at multiples of ``GRAIN`` only."""
        return sum(units(size) * count for size, count in self._counts.items())

    def mean_of(self, units: Callable[[int], float]) -> float:
        """Return the mean of ``units``; 0 of nothing."""
        return self.sum_of(units) / self.count if self.count else 0.0

    def bands(self) -> Sequence[tuple[str, int]]:
        """Return how many sizes are in each of ``BANDS``."""
        found: Counter[str] = Counter()
        for size, count in self._counts.items():
            found[next(name for name, bound in BANDS if bound is None or size <= bound)] += count
        return [(name, found[name]) for name, _ in BANDS]

    def as_json(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {
            "count": self.count,
            "total": self.total,
            "mean": round(self.mean),
            "min": self.least,
            "p50": self.quantile(0.5),
            "p90": self.quantile(0.9),
            "p99": self.quantile(0.99),
            "max": self.most,
            "bands": [{"name": name, "count": count} for name, count in self.bands()],
        }
