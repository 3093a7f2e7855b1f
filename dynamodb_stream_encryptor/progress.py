"""How far a sweep is, from one reading of it. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.sweep import Segment, Sweep

_LIMITS: Final = {
    "ceiling": "its ceiling",
    "table-capacity": "its part of the table's capacity",
    "table-throttled": "the table, which throttles",
    "kms-throttled": "KMS, which throttles",
    "function": "the work itself",
}
_STANDSTILL = 2  # Minutes without a page after which that is worth a word: a page takes seconds.
_ALMOST = 0.99  # The table's count is up to six hours old: only a finished sweep has seen everything.


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes:
        fraction: from 0 to 1.
        rate: items a second at present, or None while it is unknown.
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
    rate = (sweep.items_per_second if sweep.rate_now is None else sweep.rate_now) or None
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


def ceiling(rate: float | None) -> str:
    """Return how fast a sweep may go."""
    return "as fast as the table and KMS bear" if rate is None else f"{_at(rate)} at most"


def _at(rate: float) -> str:
    return "1 item/s" if rate == 1 else f"{rate:g} items/s"


def speeds(sweep: Sweep) -> list[str]:
    """Return how fast a sweep is, what limits that, and how fast it was on average; what is not known is left out."""
    now = progress(sweep).rate
    if sweep.state != "running" or sweep.rate_now is None:
        return [speed(now)] if now else []
    limit = f", limited by {_LIMITS.get(sweep.limited_by, sweep.limited_by)}" if sweep.limited_by else ""
    average = [f"{speed(sweep.items_per_second)} on average"] if sweep.items_per_second else []
    return [f"{speed(now)} now{limit}", *average] if now else average


def end_time(sweep: Sweep, now: datetime | None = None) -> str:
    """Return when a sweep that runs is about to end, by the clock of this machine; nothing where that is unknown."""
    if sweep.state != "running" or sweep.estimated_end is None:
        return ""
    end = sweep.estimated_end.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return f"ends about {end:%H:%M:%S}" if end.date() == today else f"ends about {end:%Y-%m-%d %H:%M}"


def segments(sweep: Sweep) -> str:
    """Return how the segments of a sweep stand."""
    text = f"{sweep.segments_done} of {counted(sweep.segments, 'segment')}"
    if sweep.state != "running" or sweep.segments_running is None:
        return text
    return f"{text} done, {sweep.segments_running} running"


def progress_line(sweep: Sweep) -> str:
    """Return a reading as one line of plain text."""
    now = progress(sweep)
    parts = [f"{sweep.goal} {sweep.id}: {now.per_cent:3} %", counted(sweep.scanned, "item")]
    if sweep.estimated_items:
        parts[-1] = f"{sweep.scanned:,} of about {counted(sweep.estimated_items, 'item')}"
    parts += speeds(sweep)
    if sweep.state == "running" and now.seconds_left is not None:
        parts.append(f"{duration(now.seconds_left)} left")
    if end := end_time(sweep):
        parts.append(end)
    if sweep.failed:
        parts.append(f"{sweep.failed:,} failed")
    parts.append(segments(sweep))
    if sweep.state != "running":
        parts.append(sweep.state)
    if words := standstill(sweep):
        parts.append(words)
    return ", ".join(parts)
