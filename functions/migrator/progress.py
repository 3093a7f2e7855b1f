"""A sweep, and how far it has come. Pure.

::

    running ─┬─ pause ──▶ paused ─┬─ resume ─▶ running
             │                    ├─ cancel ─▶ cancelled
             │                    └─ the page in hand was the last of all ─▶ done
             ├─ cancel ─▶ cancelled
             ├─ the setting changed, a hop too many ─▶ stopped
             └─ the last segment is done ─▶ done
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from encryptor_runtime.messages import Aim, Goal
from evidence.basis import Basis
from item_crypto.core.codec import Item
from migrator.adaptive_rate import Pace


class State(Enum):
    """How a sweep stands."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True)
class Sweep:
    """One pass over the table.

    Attributes:
        id: sorts by the time it was started.
        goal: what it is for.
        state: how it stands.
        started_by: who started it.
        started_at: when, aware.
        setting_version: the version of the setting that it rests on; it stops when that changes.
        segments: into how many parts the table is cut.
        segments_done: how many of them are done.
        estimated_items: how many items the table had by DynamoDB's own, slow count.
        rate: items a second at most, over all segments, which may change while it runs; None for no ceiling.
        older_than: re-encrypt items whose data keys are older than this moment; None for none.
        deep: for ``verify``, whether to decrypt.
        finished_at: when it ended, aware.
        reason: why it stopped.
        queued: whether its segments were queued since it began to run; if not, nobody carries it on.
        resumed_at: when it was last resumed from a pause, aware; None where it never was.
        basis: what the deployment said as it was started; None in rows of earlier versions.
    """

    id: str
    goal: Goal
    state: State
    started_by: str
    started_at: datetime
    setting_version: int
    segments: int
    segments_done: int = 0
    estimated_items: int = 0
    rate: float | None = None
    older_than: datetime | None = None
    deep: bool = False
    finished_at: datetime | None = None
    reason: str | None = None
    queued: bool = False
    resumed_at: datetime | None = None
    basis: Basis | None = None

    @property
    def aim(self) -> Aim:
        """What it wants of a key."""
        return Aim(self.goal, self.older_than)


@dataclass(frozen=True)
class Segment:
    """How far one segment of a sweep has come.

    Attributes:
        number: from 0.
        done: whether it was worked off.
        cursor: the key after which to go on; None for the beginning.
        pages: how many pages were committed.
        scanned: how many items they had.
        counts: what became of them.
        under_key: how many items need each KMS key, by ARN (``verify``).
        committed_at: when the last page was committed, aware; None before the first.
        begun_at: when a worker last took it up, aware; None before the first.
        pace: how fast it may go; None before the first page.
        speed: items a second of the last page, with the pause that followed.
    """

    number: int
    done: bool = False
    cursor: Item | None = None
    pages: int = 0
    scanned: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    under_key: Mapping[str, int] = field(default_factory=dict)
    committed_at: datetime | None = None
    begun_at: datetime | None = None
    pace: Pace | None = None
    speed: float | None = None

    @property
    def last_seen(self) -> datetime | None:
        """When a worker last had it in hand, as far as that is known; None before the first."""
        return max(filter(None, (self.begun_at, self.committed_at)), default=None)


def came_forward(sweep: Sweep, segments: Sequence[Segment]) -> datetime:
    """Return since when a sweep that runs has committed no page: since the last one, or since it began to run."""
    commits = (segment.committed_at for segment in segments)
    # While it was paused, it did not stand still.
    return max(filter(None, (sweep.started_at, sweep.resumed_at, *commits)))
