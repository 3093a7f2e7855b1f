"""How fast a segment of a sweep may go: up step by step, down by half where somebody is throttled. Pure.

::

    items a second
      │            ╱╲ throttled: half of it
      │          ╱   ╲        ╱ beyond where it was throttled, by the whole step again
      │        ╱      ╲   . ╱
      │      ╱         ╲╱ back to there within a minute
      └────────────────────────── time

That is AIMD (additive increase, multiplicative decrease; D.-M. Chiu and R. Jain, 1989). Flows that meet the same
throttles come to equal shares by it, without knowing of one another: here, the segments of a sweep, each with a pace of
its own that is stored with its cursor. What is known beforehand, the operator's ceiling and what the table's capacity
leaves, is divided among the segments that are at work, and no pace is above it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

START: Final = 100.0
"""Items a second with which a sweep begins, all segments together."""

STEP: Final = 5.0
"""By how many items a second a sweep gets faster within a second, all segments together, while nothing hinders it."""

CUT: Final = 0.5
"""What is left of a pace where a call was throttled."""

RECOVERY: Final = 60.0
"""Seconds, at least, until a segment is as fast again as it was when it was throttled: where a limit stands still, it
is met about once in that time."""

FLOOR: Final = 0.1
"""Items a second below which no segment is slowed down: a page at least each ten seconds, so that it is seen to go on.
A ceiling of the operator's may be lower."""

PAGE: Final = 100
"""Items in a page at most: a crash redoes no more, and a pause takes effect no later."""

_SLACK: Final = 0.9  # Of a page's time: more is used up by the work itself, and what commits it.
_LONGEST_STEP: Final = 10.0  # Seconds of one page that count for a step up.


class LimitedBy(Enum):
    """What keeps a sweep from going faster."""

    CEILING = "ceiling"
    TABLE_CAPACITY = "table-capacity"
    TABLE_THROTTLED = "table-throttled"
    KMS_THROTTLED = "kms-throttled"
    FUNCTION = "function"


_THROTTLED: Final = (LimitedBy.TABLE_THROTTLED, LimitedBy.KMS_THROTTLED)


@dataclass(frozen=True)
class Pace:
    """How fast a segment may go.

    Attributes:
        rate: items a second.
        throttled_at: the rate at which it was throttled last; 0 where it never was.
        limited_by: what keeps it from going faster; None while it gets faster.
    """

    rate: float
    throttled_at: float = 0.0
    limited_by: LimitedBy | None = None


@dataclass(frozen=True)
class Limits:
    """What is known before a page is read, for one segment.

    Attributes:
        at_once: how many segments are worked on at once.
        ceiling: the segment's share of the operator's ceiling, in items a second; infinite for none.
        capacity: its share of what the sweep may take of the table, in units a second by what they are units of
            (`migrator.capacity`); what is not listed has no limit.
    """

    at_once: int
    ceiling: float = math.inf
    capacity: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What a page was like.

    Attributes:
        items: how many it had.
        seconds: how long they took, without the pause that follows.
        table_throttles: how many requests the table throttled.
        kms_throttles: how many KMS did.
        units: what was consumed, named as in :class:`Limits`.
    """

    items: int
    seconds: float
    table_throttles: int = 0
    kms_throttles: int = 0
    units: Mapping[str, float] = field(default_factory=dict)


def limits(
    ceiling: float | None, capacity: Mapping[str, float], segments_left: int, concurrency: int | None = None
) -> Limits:
    """Return the limits for one of the segments that are left.

    The ceiling is divided by all that are left, since those that wait may be taken up at any time; as segments end, the
    others' shares grow. To divide by an earlier number gives too small a share, never too large a one.

    Args:
        ceiling: the operator's, in items a second; None for none.
        capacity: units a second that the whole sweep may take.
        segments_left: how many segments are not done.
        concurrency: how many are worked on at once at most; None where that is not known.
    """
    left = max(1, segments_left)
    at_once = min(left, concurrency or left)
    return Limits(
        at_once,
        math.inf if ceiling is None else ceiling / left,
        {name: units / at_once for name, units in capacity.items()},
    )


def first(known: Limits) -> Pace:
    """Return the pace of a segment that begins: modest, and as if each item took one unit."""
    return within(Pace(min([START / known.at_once, *known.capacity.values()])), known)


def within(pace: Pace, known: Limits) -> Pace:
    """Return a pace under a ceiling that may have been lowered since."""
    if pace.rate <= known.ceiling:
        return replace(pace, rate=max(pace.rate, _floor(known)))
    return replace(pace, rate=known.ceiling, limited_by=LimitedBy.CEILING)


def after(pace: Pace, page: Page, known: Limits) -> Pace:
    """Return the pace of the page that follows ``page``, which was worked off at ``pace``.

    Never above the ceiling, nor below :data:`FLOOR` or, if that is lower, the ceiling.
    """
    capacity = _capacity(page, known)
    if page.table_throttles or page.kms_throttles:
        throttled = LimitedBy.KMS_THROTTLED if page.kms_throttles > page.table_throttles else LimitedBy.TABLE_THROTTLED
        return Pace(max(min(pace.rate * CUT, known.ceiling, capacity), _floor(known)), pace.rate, throttled)
    has_slack = page.seconds <= _SLACK * page.items / pace.rate
    rate = pace.rate + (_step(pace, known) * min(page.items / pace.rate, _LONGEST_STEP) if has_slack else 0.0)
    by = None if has_slack or not page.items else LimitedBy.FUNCTION
    if by is None and rate < pace.throttled_at and pace.limited_by in _THROTTLED:
        by = pace.limited_by  # It is still on its way back.
    for bound, bounds in ((known.ceiling, LimitedBy.CEILING), (capacity, LimitedBy.TABLE_CAPACITY)):
        if rate > bound or (rate == bound and by is None):
            rate, by = bound, bounds
    return Pace(max(rate, _floor(known)), pace.throttled_at, by)


def page_size(rate: float) -> int:
    """Return how many items a page has at most: a second's worth, so that no burst takes what others need."""
    return max(1, min(PAGE, int(rate)))


def speed(pace: Pace, page: Page) -> float:
    """Return with how many items a second a page was worked off, with the pause that follows it."""
    return page.items / max(page.seconds, page.items / pace.rate) if page.items else 0.0


def _step(pace: Pace, known: Limits) -> float:
    """Return by how many items a second the pace rises within a second."""
    step = STEP / known.at_once
    return min(step, pace.throttled_at * (1 - CUT) / RECOVERY) if pace.rate < pace.throttled_at else step


def _capacity(page: Page, known: Limits) -> float:
    """Return with how many items a second such a page takes just what the sweep may take of the table."""
    bounds = [
        page.items * known.capacity[name] / units
        for name, units in page.units.items()
        if units and name in known.capacity
    ]
    return min(bounds) if page.items and bounds else math.inf


def _floor(known: Limits) -> float:
    return min(FLOOR, known.ceiling)
