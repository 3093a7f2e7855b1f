"""What several rounds say together: their median, the lowest and highest of them, and ratios by round. Pure."""

from collections.abc import Mapping, Sequence
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
        rounds: the figure of each, in their order.
    """

    median: float
    low: float
    high: float
    rounds: tuple[float, ...]

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of ``figures``; raise ValueError of none, since nothing was measured then."""
        if not figures:
            raise ValueError("no round was measured")
        return cls(median(figures), min(figures), max(figures), tuple(figures))

    def as_json(self) -> dict[str, Any]:
        """Return it as results.json has it."""
        shown = {name: round(value, 6) for name, value in asdict(self).items() if name != "rounds"}
        return shown | {"rounds": [round(figure, 6) for figure in self.rounds]}


def ratio(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return how many times ``other`` a figure is: the median of its ratios in each round.

    What makes a machine slower for a minute makes both of a round slower, where the contenders take turns.

    Args:
        one: a spread as results.json has it.
        other: another one of as many rounds.

    Raises:
        ValueError: the numbers of rounds differ.
    """
    return float(median(mine / theirs for mine, theirs in zip(one["rounds"], other["rounds"], strict=True)))
