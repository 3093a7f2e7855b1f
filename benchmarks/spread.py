"""What several rounds say together: their median, and the lowest and highest of them. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Spread:
    """One figure over several rounds.

    Attributes:
        median: the middle one; the mean of two where there is an even number.
        low: the lowest.
        high: the highest.
        rounds: how many there were.
    """

    median: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of ``figures``; raise ValueError of none, since nothing was measured then."""
        if not figures:
            raise ValueError("no round was measured")
        return cls(median(figures), min(figures), max(figures), len(figures))

    def as_json(self) -> dict[str, Any]:
        """Return it as results.json has it."""
        return {name: round(value, 6) for name, value in asdict(self).items()}
