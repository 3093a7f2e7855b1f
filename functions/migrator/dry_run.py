"""What a command would do, found out without doing it: nothing is written, sent or deleted.

A sweep's dry run is no sweep: that would leave rows and messages. The caller asks page after page, and carries the
place and the counts itself::

    cursor: none ─▶ pages, for some seconds ─▶ counts, cursor ─▶ … ─▶ counts, cursor: null

Each item is decided on by the function that a sweep decides by. What only shows when it is done is not foreseen: that
a ciphertext cannot be decrypted, that an item is too large once encrypted, that somebody writes meanwhile.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from encryptor_runtime.messages import Aim, Goal
from encryptor_runtime.switch import VersionConflict
from encryptor_runtime.switch_and_sweep import is_followed, narrows
from item_crypto.core.codec import Item, to_json
from item_crypto.core.decide import Action
from item_crypto.core.key import key_of
from item_crypto.core.part import Buckets
from item_crypto.core.policy import Policy, Role
from item_crypto.outcome import Outcome, without_write, written
from item_crypto.plan import decide
from migrator import capacity
from migrator.application import Application
from migrator.letters import Letter
from migrator.page import COUNTED
from migrator.policy import forbids, policy_for, still_allows
from migrator.progress import State, Sweep
from migrator.requests import ChangeRequest, StartRequest
from migrator.segments import scanned
from migrator.starting import Forbidden, WrongState
from migrator.sweeps import SweepRunning

SECONDS: Final = 20.0
"""For how long one answer is worked on: the caller wants to show how far it is."""

_RESERVE: Final = 45.0  # Seconds with which no further page is read: a call that hangs.
_PAGE: Final = 100
_MOST: Final = 1000  # Letters among which one is looked for.


@dataclass(frozen=True)
class Looked:
    """What some pages of a table would come to.

    Attributes:
        counts: how many items of which outcome, by the names that sweeps count by.
        scanned: how many items were looked at.
        cursor: the key after which to go on; None at the end.
    """

    counts: Mapping[str, int]
    scanned: int
    cursor: Item | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the control function shows it."""
        cursor = self.cursor and {name: to_json(value) for name, value in self.cursor.items()}
        return {"counts": dict(self.counts), "scanned": self.scanned, "cursor": cursor}


@dataclass(frozen=True)
class _Rates:
    """How fast pages may be read; None for as fast as they come.

    Attributes:
        items: items a second.
        units: read units a second.
    """

    items: float | None
    units: float | None

    @property
    def page(self) -> int:
        """How many items a page has at most."""
        by_items = _PAGE if self.items is None else int(self.items * 10)
        by_units = _PAGE if self.units is None else int(self.units)  # As if each item took one.
        return max(1, min(_PAGE, by_items, by_units))

    def seconds(self, items: int, units: float) -> float:
        """Return how long a page has to last that had so many items, and took so many read units."""
        return max(items / self.items if self.items else 0.0, units / self.units if self.units else 0.0)


@dataclass(frozen=True)
class DryRun:
    """Finds out what commands would do. Every method raises TransientError or SystemicError as the commands do.

    Attributes:
        parts: the migrator's parts.
        seconds_left: returns how much time remains.
        sleep: waits a number of seconds.
        clock: returns seconds that only go forward.
    """

    parts: Application
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def start(self, request: StartRequest, cursor: Item | None) -> Looked:
        """Return what a sweep would do with the pages after ``cursor``.

        Raises:
            Forbidden: the setting does not allow it.
            SweepRunning: another one runs.
        """
        setting = self.parts.switch.read_now()
        if forbids(request.goal, setting.enabled):
            raise Forbidden
        other = self.parts.sweeps.running()
        if other is not None and not request.force and other.state is State.RUNNING and self._goes_on(other):
            raise SweepRunning
        older_than = None
        if request.older_than_days is not None:
            older_than = self.parts.now() - timedelta(days=request.older_than_days)
        policy = setting.applied_to(self.parts.runtime.settings.policy)
        return self._look(policy_for(Aim(request.goal, older_than), policy), request.rate, cursor)

    def _goes_on(self, sweep: Sweep) -> bool:
        setting = self.parts.switch.read_now()
        return still_allows(sweep.goal, sweep.setting_version, setting.version, setting.enabled)

    def _look(self, policy: Policy, rate: float | None, cursor: Item | None) -> Looked:
        counts: Counter[str] = Counter()
        began, scanned = self.clock(), 0
        # As a sweep, it leaves a part of the table's capacity to others.
        rates = _Rates(rate, capacity.of_table(self.parts.queries.described()).get(capacity.READ))
        pressure = self.parts.worker.pressure
        pressure.drain()
        while True:
            started = self.clock()
            answer = self._page(cursor, rates.page)
            for item in answer["Items"]:
                counts[COUNTED[self._outcome(item, policy).status]] += 1
            scanned, cursor = scanned + len(answer["Items"]), answer.get("LastEvaluatedKey")
            if cursor is None:
                return Looked(counts, scanned, cursor)
            # Before an answer too: the next question follows at once. No longer than this invocation lasts.
            taken = pressure.drain().units.get(capacity.READ, 0.0)
            pause = rates.seconds(len(answer["Items"]), taken) - (self.clock() - started)
            self.sleep(max(0.0, min(pause, self.seconds_left() - _RESERVE)))
            if self.clock() - began >= SECONDS or self.seconds_left() <= _RESERVE:
                return Looked(counts, scanned, cursor)

    def _page(self, cursor: Item | None, limit: int) -> Mapping[str, Any]:
        start = {} if cursor is None else {"ExclusiveStartKey": cursor}
        return scanned(self.parts.runtime.table, self.sleep, Limit=limit, **start)

    def _outcome(self, item: Item, policy: Policy) -> Outcome:
        decision = decide(item, policy, Role.MIGRATOR, self.parts.runtime.cipher.keys)
        key = key_of(item, policy.context_attributes)
        return written(key, decision) if decision.action is Action.WRITE else without_write(key, decision)

    def change(self, change: ChangeRequest) -> dict[str, Any]:
        """Return what a change of the setting would come to.

        Raises:
            VersionConflict: the setting is at another version.
        """
        before = self.parts.switch.read_now()
        if before.version != change.version:
            raise VersionConflict(before)
        part = change.part if change.enabled else None
        changes = (before.enabled, before.part) != (change.enabled, part)
        follows = None
        if is_followed(change.enabled, part):
            follows = "sweep" if part is None else "listed-keys"
        active = [sweep for sweep in self.parts.sweeps.newest() if sweep.state in (State.RUNNING, State.PAUSED)]
        return {
            "setting": before.as_json(),
            "wanted": {"enabled": change.enabled, "part": part and part.as_json()},
            "changes": changes,
            "narrows": narrows(before, change.enabled, part),
            "follows": follows,
            "needsSweep": isinstance(part, Buckets),
            "stops": [sweep.id for sweep in active if changes and sweep.goal is not Goal.VERIFY],
        }

    def move(self, command: str, sweep: Sweep) -> str:
        """Return what ``sweep`` would be after ``pause``, ``resume`` or ``cancel``.

        Raises:
            WrongState: it is in no state that allows it.
            Forbidden: the setting changed meanwhile.
            SweepRunning: another one runs.
        """
        if command == "resume":
            if not self._goes_on(sweep):
                raise Forbidden
            other = self.parts.sweeps.running()
            if sweep.state is State.PAUSED and other is not None and other.id != sweep.id:
                raise SweepRunning
        allowed = {State.RUNNING} if command == "pause" else {State.RUNNING, State.PAUSED}
        if sweep.state not in allowed:
            raise WrongState
        return {"pause": State.PAUSED, "resume": State.RUNNING, "cancel": State.CANCELLED}[command].value

    def set_rate(self, sweep: Sweep, rate: float | None) -> float | None:
        """Return the ceiling that ``sweep`` would have, in items a second.

        Raises:
            WrongState: it has ended.
        """
        if sweep.state not in (State.RUNNING, State.PAUSED):
            raise WrongState
        return rate

    def redrive(self, limit: int) -> dict[str, int]:
        """Return how many letters would be tried again, by kind; each is seen by others again at once."""
        return dict(Counter(letter.kind for letter in self.parts.letters.peek(limit)))

    def discard(self, letter_id: str) -> Letter | None:
        """Return the letter that would be deleted, or None where it is not there."""
        return next((letter for letter in self.parts.letters.peek(_MOST) if letter.id == letter_id), None)
