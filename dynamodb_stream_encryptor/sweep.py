"""A sweep as the control function tells of it, read once into a shape that the rest can rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from dynamodb_stream_encryptor.errors import Unreachable

ACTIVE: Final = ("running", "paused")
FAILURES: Final = ("failed",)
"""The counts of items that nothing was done for, and will not be: they may be in plaintext."""


@dataclass(frozen=True)
class Segment:
    """One part of a sweep."""

    number: int
    state: str
    pages: int
    scanned: int


@dataclass(frozen=True)
class Sweep:
    """A sweep at one moment; the names are those of the control function's answer."""

    id: str
    goal: str
    state: str
    started_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    segments: int
    segments_done: int
    scanned: int
    estimated_items: int | None
    counts: Mapping[str, int]
    under_key: Mapping[str, int]
    rate: float | None
    items_per_second: float | None
    reason: str | None
    details: Sequence[Segment] = field(default=())
    attributes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    idle_minutes: int | None = None
    rate_now: float | None = None
    limited_by: str | None = None
    estimated_end: datetime | None = None
    segments_running: int | None = None
    setting_version: int | None = None
    encodings: Mapping[str, int] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Tell whether it may still do something."""
        return self.state in ACTIVE

    @property
    def failed(self) -> int:
        """Return how many items failed so far, and will not be tried again."""
        return sum(self.counts.get(name, 0) for name in FAILURES)

    @property
    def succeeded(self) -> bool:
        """Tell whether it went all the way and nothing failed; what a `verify` found is judged elsewhere."""
        return self.state == "done" and not self.failed


def read_sweep(document: Any) -> Sweep:
    """Return the sweep in an answer.

    Raises:
        Unreachable: it is no sweep.
    """
    try:
        counts, under_key = document.get("counts") or {}, document.get("underKey") or {}
        attributes = document.get("attributes") or {}
        return Sweep(
            id=str(document["id"]),
            goal=str(document["goal"]),
            state=str(document["state"]),
            started_by=document.get("startedBy"),
            started_at=read_time(document.get("startedAt")),
            finished_at=read_time(document.get("finishedAt")),
            segments=int(document.get("segments") or 0),
            segments_done=int(document.get("segmentsDone") or 0),
            scanned=int(document.get("scanned") or 0),
            estimated_items=document.get("estimatedItems"),
            counts={name: int(number) for name, number in counts.items()},
            under_key={str(arn): int(number) for arn, number in under_key.items()},
            rate=document.get("rate"),
            items_per_second=document.get("itemsPerSecond"),
            reason=document.get("reason"),
            details=tuple(
                Segment(int(part["segment"]), str(part["state"]), int(part["pages"]), int(part["scanned"]))
                for part in document.get("segmentsDetail") or ()
            ),
            attributes={
                str(name): {str(place): int(number) for place, number in places.items()}
                for name, places in attributes.items()
            },
            idle_minutes=document.get("minutesWithoutProgress"),
            rate_now=document.get("rateNow"),
            limited_by=document.get("limitedBy"),
            estimated_end=read_time(document.get("estimatedEnd")),
            segments_running=document.get("segmentsRunning"),
            setting_version=document.get("settingVersion"),
            encodings={str(name): int(n) for name, n in (document.get("encodings") or {}).items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreachable("The control function tells of a sweep in an unknown shape.", "unexpected-answer") from error


def read_time(text: str | None) -> datetime | None:
    """Return a time of an answer, aware and in UTC.

    Raises:
        ValueError: it is not in ISO 8601.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
