"""How far a sweep is, from one reading of it. Pure."""

from dataclasses import dataclass

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.sweep import Segment, Sweep

_STANDSTILL = 2  # Minutes without a page after which that is worth a word: a page takes seconds.
_ALMOST = 0.99  # The table's count is up to six hours old: only a finished sweep has seen everything.


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes:
        fraction: from 0 to 1.
        rate: items a second, or None while it is unknown.
        seconds_left: or None while it is unknown.
    """

    fraction: float
    rate: float | None
    seconds_left: float | None

    @property
    def per_cent(self) -> int:
        """Return the whole per cent that are certainly done."""
        return int(self.fraction * 100)


def progress(sweep: Sweep) -> Progress:
    """Return how far a sweep is; by items where their number is known, else by segments."""
    if sweep.state == "done":
        return Progress(1.0, sweep.items_per_second, 0.0)
    by_segments = sweep.segments_done / sweep.segments if sweep.segments else 0.0
    fraction = sweep.scanned / sweep.estimated_items if sweep.estimated_items else by_segments
    fraction = min(fraction, _ALMOST)
    rate = sweep.items_per_second or None
    left = None
    if rate and sweep.estimated_items and sweep.state == "running":
        left = max(sweep.estimated_items - sweep.scanned, 0) / rate
    return Progress(fraction, rate, left)


def segment_fraction(segment: Segment, sweep: Sweep) -> float:
    """Return how far one segment is, taking all to be of one size."""
    if segment.state == "done":
        return 1.0
    share = (sweep.estimated_items or 0) / max(sweep.segments, 1)
    return min(segment.scanned / share, _ALMOST) if share else 0.0


def standstill(sweep: Sweep) -> str:
    """Return that a sweep stands still, and what helps; nothing where it does not."""
    minutes = sweep.idle_minutes or 0
    if sweep.state != "running" or minutes < _STANDSTILL:
        return ""
    hours, rest = divmod(minutes, 60)
    time = f"{hours} h {rest:02} min" if hours else f"{minutes} min"
    return f"no progress for {time}; `resume {sweep.id}`"


def duration(seconds: float | None) -> str:
    """Return a duration for people, as in `2 h 05 min`; a dash for an unknown one."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def speed(rate: float | None) -> str:
    """Return items a second for people; slow ones keep a digit behind the point."""
    if rate is None:
        return "– items/s"
    return f"{rate:,.0f} items/s" if rate >= 10 else f"{rate:.1f} items/s"


def progress_line(sweep: Sweep) -> str:
    """Return a reading as one line of plain text."""
    now = progress(sweep)
    parts = [f"{sweep.goal} {sweep.id}: {now.per_cent:3} %", counted(sweep.scanned, "item")]
    if sweep.estimated_items:
        parts[-1] = f"{sweep.scanned:,} of about {counted(sweep.estimated_items, 'item')}"
    if now.rate:
        parts.append(speed(now.rate))
    if sweep.state == "running" and now.seconds_left is not None:
        parts.append(f"{duration(now.seconds_left)} left")
    parts.append(f"{sweep.segments_done} of {counted(sweep.segments, 'segment')}")
    if sweep.state != "running":
        parts.append(sweep.state)
    if words := standstill(sweep):
        parts.append(words)
    return ", ".join(parts)
