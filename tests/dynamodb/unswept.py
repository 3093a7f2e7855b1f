"""A world without sweeps: what is in plaintext when all queues are empty, no sweep will find."""

from dataclasses import replace
from typing import ClassVar

from tests.dynamodb.wire import Rates
from tests.dynamodb.world import FAULTS, World

_ITEMS = 12  # Many, so that hardly any is written again soon, which would be another trigger.


class Unswept(World):
    """Nobody sweeps, switches or reads what is seldom written: each trigger has to bring its own work to its end.

    In other worlds the sweep after switching on, the last one before all is checked, and owners who read repair what
    a trigger lost.
    """

    often: ClassVar[dict[str, int]] = World.often | {"sweep": 0, "switch": 0}
    faults: ClassVar[Rates] = replace(FAULTS, refused=0.35)  # The client's own retries often do not help.

    def write(self) -> None:
        """Write anything, and half the time one of the many items that nobody reads."""
        if self.draw.random() < 0.5:
            return super().write()
        self.count["written"] += 1
        return self.draw.choice([self.replace, self.append])(f"seldom-{self.draw.randrange(_ITEMS)}")

    def sweep_up(self) -> None:
        """Sweep nothing."""
        assert self._summaries() == [], "a sweep was begun"
