"""One message's worth of a sweep: pages of one segment, until the time budget is nearly used.

::

    message ─▶ sweep running, setting unchanged? ─▶ page ─▶ commit ─▶ page ─▶ commit ─▶ … time is up ─▶ next message
                     └─ no: dropped                   └─ a crash: the message comes again and redoes the page
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from encryptor_runtime.messages import SegmentWork
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.runtime import Runtime
from encryptor_runtime.switch import Switch, SwitchState
from encryptor_runtime.switch_and_sweep import CHANGE_SECONDS, settled_after
from item_crypto.core.codec import Item
from item_crypto.core.key import key_of
from item_crypto.core.policy import Policy
from item_crypto.dynamodb.table import Table
from item_crypto.errors import ItemCryptoError, TransientError
from migrator import adaptive_rate, capacity
from migrator.adaptive_rate import Limits, Pace
from migrator.budget import budget
from migrator.page import Pages
from migrator.policy import policy_for, still_allows
from migrator.pressure import Pressure
from migrator.progress import Segment, State, Sweep
from migrator.sweeps import Sweeps

MAX_HOPS: Final = 100_000
"""Messages that may follow one another in a segment: at a page each, ten million items, which is past any segment."""

_RESERVE: Final = 75.0  # Seconds with which no further page is begun.
_IN_HAND: Final = 45.0  # Seconds with which no further item of a page is: a call that hangs, the queues, the commit.
_SCAN_ATTEMPTS: Final = 6


class Carried(Enum):
    """How a segment stands after a message's worth of work."""

    NOT_RUNNING = "not-running"
    HOP_LIMIT = "hop-limit"
    SETTING_CHANGED = "setting-changed"
    WAITING = "waiting"
    TAKEN_OVER = "taken-over"
    PASSED_ON = "passed-on"
    DONE = "done"


@dataclass(frozen=True)
class Worker:
    """Carries segments on.

    Attributes:
        runtime: the parts of every function.
        switch: the setting.
        sweeps: how far they have come.
        queue: where the next message goes.
        pages: works pages off.
        pressure: what the table and KMS say meanwhile.
        described: returns the table as DescribeTable tells of it.
        concurrency: how many segments are worked on at once at most; None where that is not told.
        sleep: waits a number of seconds.
        now: returns the time, aware.
    """

    runtime: Runtime
    switch: Switch
    sweeps: Sweeps
    queue: WorkQueue
    pages: Pages
    pressure: Pressure
    described: Callable[[], Mapping[str, Any]]
    concurrency: int | None
    sleep: Callable[[float], None]
    now: Callable[[], datetime]

    def carry_on(self, work: SegmentWork, seconds_left: Callable[[], float]) -> Carried:
        """Carry a segment on and return how it stands.

        Safe to repeat and to run twice at a time: each page is counted once, and a write is conditional.

        Raises:
            TransientError, SystemicError: a service refuses; the message has to come again.
        """
        sweep = self.sweeps.get(work.sweep)
        if sweep is None or sweep.state is not State.RUNNING:
            # After a crash behind the last page the message comes again: who paused meanwhile has nothing to resume.
            return Carried.DONE if self.sweeps.finish(work.sweep, self.now()) else Carried.NOT_RUNNING
        if work.hop >= MAX_HOPS:
            self.sweeps.move(sweep, State.STOPPED, self.now(), "hop-limit")
            return Carried.HOP_LIMIT
        setting = self.switch.read_now()
        if not _may_go_on(sweep, setting):
            self.sweeps.move(sweep, State.STOPPED, self.now(), "setting-changed")
            return Carried.SETTING_CHANGED
        if setting.changed_at is not None:
            # Until every function has read the new setting, and what was sent by the old one has taken effect, one
            # may still write by the old one behind our back. The change itself holds since its call has ended, or
            # since the sweep's start has read it.
            held = min(setting.changed_at + timedelta(seconds=CHANGE_SECONDS), sweep.started_at)
            wait = held + timedelta(seconds=settled_after(self.switch.cache_seconds)) - self.now()
            if wait > timedelta(0):
                self.queue.carry_on(replace(work, hop=work.hop + 1), wait.total_seconds() + 1)
                return Carried.WAITING
        policy = setting.applied_to(self.runtime.settings.policy)
        return self._pages(work, sweep, policy_for(sweep.aim, policy), seconds_left)

    def _pages(self, work: SegmentWork, sweep: Sweep, policy: Policy, seconds_left: Callable[[], float]) -> Carried:
        seconds_for_items = budget(seconds_left, _IN_HAND)
        units = capacity.of_table(self.described())
        segment = self.sweeps.begin(sweep.id, work.segment, self.now())
        self.pressure.drain()  # What was met by others in this process is not of this segment.
        while not segment.done:
            known = adaptive_rate.limits(sweep.rate, units, sweep.segments - sweep.segments_done, self.concurrency)
            pace = adaptive_rate.within(segment.pace or adaptive_rate.first(known), known)
            started = time.monotonic()
            try:
                items, cursor = self._scan(sweep, segment, pace)
                if not _may_go_on(sweep, self.switch.read()):
                    self.sweeps.move(sweep, State.STOPPED, self.now(), "setting-changed")
                    return Carried.SETTING_CHANGED
                tally = self.pages.work_off(sweep, items, policy, seconds_for_items, segment.counts)
            except TransientError:
                self._slow_down(sweep, segment, pace, known)
                raise
            if tally.left:
                items = items[: -tally.left]
                cursor = key_of(items[-1], policy.context_attributes)  # The whole key: where the next page begins.
            pressed = self.pressure.drain()
            page = adaptive_rate.Page(
                len(items),
                time.monotonic() - started,
                pressed.table_throttles,
                pressed.kms_throttles,
                pressed.units,
            )
            committed = self.sweeps.commit(
                sweep,
                segment,
                len(items),
                tally.counts,
                tally.under_key,
                cursor,
                self.now(),
                adaptive_rate.after(pace, page, known),
                adaptive_rate.speed(pace, page),
            )
            if committed is None:
                return Carried.TAKEN_OVER
            self._measure()
            segment = committed
            pause = len(items) / pace.rate - (time.monotonic() - started)
            if segment.done:
                break
            current = self.sweeps.get(sweep.id)
            if current is None or current.state is not State.RUNNING:
                return Carried.NOT_RUNNING
            sweep = current  # Its ceiling may have been changed, and other segments may have ended.
            if seconds_left() - max(0.0, pause) < _RESERVE:
                # Reached only after a page was committed: a chain of messages cannot spin without coming forward.
                self.queue.carry_on(replace(work, hop=work.hop + 1), pause)
                return Carried.PASSED_ON
            if pause > 0:
                self.sleep(pause)
        self.sweeps.finish(sweep.id, self.now())
        return Carried.DONE

    def _slow_down(self, sweep: Sweep, segment: Segment, pace: Pace, known: Limits) -> None:
        """Have a page that is redone begin more slowly, if it was throttled."""
        pressed = self.pressure.drain()
        if pressed.table_throttles or pressed.kms_throttles:
            page = adaptive_rate.Page(0, 0.0, pressed.table_throttles, pressed.kms_throttles)
            with suppress(ItemCryptoError):  # What failed is told already, and the page is redone all the same.
                self.sweeps.slow_down(sweep.id, segment, adaptive_rate.after(pace, page, known))

    def _scan(self, sweep: Sweep, segment: Segment, pace: Pace) -> tuple[list[Item], Item | None]:
        arguments: dict[str, Any] = {
            "Segment": segment.number,
            "TotalSegments": sweep.segments,
            "Limit": adaptive_rate.page_size(pace.rate),
        }
        if segment.cursor is not None:
            arguments["ExclusiveStartKey"] = segment.cursor
        answer = scanned(self.runtime.table, self.sleep, **arguments)
        return list(answer["Items"]), answer.get("LastEvaluatedKey")

    def _measure(self) -> None:
        self.runtime.telemetry.kms(self.runtime.meter.drain())


def scanned(table: Table, sleep: Callable[[float], None], **arguments: Any) -> Mapping[str, Any]:
    """Return a page of a scan; what passes by itself, a throttled read say, is waited for.

    Raises:
        TransientError, SystemicError: it was not read, six times over or for good.
    """
    for attempt in range(_SCAN_ATTEMPTS - 1):
        try:
            return table.scan(**arguments)
        except TransientError:
            sleep(0.2 * 2**attempt)
    return table.scan(**arguments)


def _may_go_on(sweep: Sweep, setting: SwitchState) -> bool:
    return still_allows(sweep.goal, sweep.setting_version, setting.version, setting.enabled)
