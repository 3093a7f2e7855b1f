"""Worlds in which many items are written at once, so that many are encrypted in one request."""

from dataclasses import replace
from typing import ClassVar, Final

from tests.dynamodb.unswept import Unswept
from tests.dynamodb.wire import Rates
from tests.dynamodb.world import FAULTS, SESSIONS, World

_ITEMS: Final = 12
_MOST: Final = 10
_BATCHES: Final = 5
_TOGETHER: Final = Rates(lost=0.05, refused=0.35, unanswered=0.15, killed=0.05)  # There are few of these requests.


class Bursts(World):
    """Writers come in bursts, and the functions write many items in one request."""

    often: ClassVar[dict[str, int]] = World.often | {"switch": 1, "write": 15, "stream": 40}
    batched: ClassVar[bool] = True
    most_records: ClassVar[int] = 20
    page: ClassVar[int] = 5
    faults: ClassVar[Rates] = replace(FAULTS, together=_TOGETHER)

    def write(self) -> None:
        """Write to many items, each in some way, and anything to another one."""
        super().write()
        names = [f"burst-{number}" for number in range(_ITEMS)] + [f"dlg-{number}" for number in range(SESSIONS)]
        for session in self.draw.sample(names, self.draw.randint(1, _MOST)):
            self.count["written"] += 1
            if self.draw.random() < 0.7:
                self.replace(session)
            else:
                self.set(session, self.draw.choice(["history", "configuration"]), self.value())

    def come_to_rest(self) -> None:
        """Have some of what was written last encrypted while things go wrong, and come to rest."""
        for _ in range(_BATCHES):
            self.deliver_stream()
            self.scheduler.finish()
        super().come_to_rest()


class UnsweptBursts(Bursts, Unswept):
    """The same where nobody sweeps or switches."""

    often: ClassVar[dict[str, int]] = Bursts.often | {"sweep": 0, "switch": 0}
    faults: ClassVar[Rates] = replace(Unswept.faults, together=_TOGETHER)
