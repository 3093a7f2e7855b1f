"""Starting, pausing, resuming and cancelling sweeps."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from encryptor_runtime.messages import Goal, StartWork
from encryptor_runtime.queues import KeyQueues, WorkQueue
from encryptor_runtime.switch import Switch, SwitchState
from encryptor_runtime.switch_and_sweep import settled_after
from evidence.basis import Basis
from item_crypto.core.part import ListedKeys
from migrator.policy import forbids, still_allows
from migrator.progress import State, Sweep
from migrator.requests import StartRequest
from migrator.sweeps import SweepRunning, Sweeps


class Forbidden(Exception):
    """The setting does not allow the sweep."""


class WrongState(Exception):
    """The sweep is not in a state that allows it."""


@dataclass(frozen=True)
class Starter:
    """Starts sweeps and changes their state.

    Every method raises TransientError or SystemicError where a service does not answer. A sweep is stored before its
    segments are queued, and noted as queued after that. So a start that failed half-way leaves a sweep that the next
    start, a schedule's too, finds and queues; ``resume`` does so as well::

        store, take the lock ── queue the segments ── note it
                              ▲                     ▲
                              └── a crash here: ────┴── the next start queues them; twice does no harm

    Attributes:
        sweeps: the control table.
        switch: the setting.
        queue: the work queue.
        keys: where listed keys go.
        item_count: returns how many items the table has, by DynamoDB's own, slow count.
        basis: what the deployment says, which a verification rests on.
        now: returns the time, aware.
    """

    sweeps: Sweeps
    switch: Switch
    queue: WorkQueue
    keys: KeyQueues
    item_count: Callable[[], int]
    basis: Basis
    now: Callable[[], datetime]

    def start(self, request: StartRequest) -> Sweep:
        """Start a sweep and return it; where one like it was stored but never queued, queue that one and return it.

        Raises:
            Forbidden: the setting does not allow it.
            SweepRunning: another one runs.
        """
        setting = self.switch.read_now()
        if forbids(request.goal, setting.enabled):
            raise Forbidden
        now = self.now()
        older_than = None if request.older_than_days is None else now - timedelta(days=request.older_than_days)
        sweep = Sweep(
            id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            goal=request.goal,
            state=State.RUNNING,
            started_by=request.by,
            started_at=now,
            setting_version=setting.version,
            segments=request.segments,
            estimated_items=self.item_count(),
            rate=request.rate,
            older_than=older_than,
            deep=request.deep,
            basis=self.basis,
        )
        other = self._looked_after(setting)
        if other is not None and _is_like(other, sweep):
            return other
        self.sweeps.create(sweep, request.force)
        self._queue(sweep, range(sweep.segments))
        return sweep

    def _looked_after(self, setting: SwitchState) -> Sweep | None:
        """See to the sweep that stands in the way: end it, or queue it and return it, where its start failed."""
        other = self.sweeps.running()
        # One that rests on a later version than the one that was read is not for us to judge.
        if other is None or other.setting_version > setting.version:
            return None
        if not still_allows(other.goal, other.setting_version, setting.version, setting.enabled):
            self.sweeps.move(other, State.STOPPED, self.now(), "setting-changed")
            return None
        if other.queued:
            return None
        self._carry_on(other)
        return other

    def start_after_switch(self, work: StartWork) -> Sweep | None:
        """Start the sweep that follows a change of the setting, unless that change never came to be or is history.

        None also where a sweep does it already: the message came twice, or with another one that asks for the same.
        """
        setting = self.switch.read_now()
        if setting.version != work.setting_version or setting.part is not None or self._is_served(work):
            return None
        try:
            return self._start_unless_served(work)
        except Forbidden:
            return None

    def look_after_listed_keys(self, work: StartWork) -> int:
        """Have the keys encrypted that encryption was switched on for, unless that is history; return how many.

        Each goes the way of deferred keys: read as it is by then, and left alone where somebody else has done it. So
        to ask twice does no harm. Not before every function has read the setting: one that had not would decrypt the
        item again, and nobody would come back to it.
        """
        setting = self.switch.read_now()
        if setting.version != work.setting_version or not isinstance(setting.part, ListedKeys):
            return 0
        for key in setting.part.items:
            self.keys.look_after(key, "listed-key", settled_after(self.switch.cache_seconds) + 1)
        return len(setting.part.keys)

    def _start_unless_served(self, work: StartWork) -> Sweep | None:
        try:
            return self.start(StartRequest(Goal.ENCRYPT, work.by))
        except SweepRunning:
            if self._is_served(work):
                return None
            # A sweep for something else runs; to wait for it would leave plaintext until somebody remembers.
            return self.start(StartRequest(Goal.ENCRYPT, work.by, force=True))

    def _is_served(self, work: StartWork) -> bool:
        """Tell whether a sweep does it already, or did; one that only has to be carried on is."""
        return any(
            self._serves(sweep, work.again)
            for sweep in self.sweeps.newest()
            if (sweep.goal, sweep.setting_version) == (Goal.ENCRYPT, work.setting_version)
        )

    def _serves(self, sweep: Sweep, again: bool) -> bool:
        match sweep.state:
            case State.RUNNING:
                if again or not sweep.queued:
                    self._carry_on(sweep)  # Its messages may be lost; to queue segments twice does no harm.
                return True
            case State.DONE:
                return sweep.setting_version > 0  # At version 0, a deployment may have switched in between.
            case State.PAUSED if again:
                with suppress(SweepRunning, WrongState, Forbidden):
                    self.resume(sweep)
                    return True
                return False
            case State.PAUSED | State.CANCELLED:
                return not again  # Somebody decided on it meanwhile.
            case State.STOPPED:
                return False

    def pause(self, sweep: Sweep) -> None:
        """Pause a running sweep; pages in hand are finished.

        Raises:
            WrongState: it does not run.
        """
        self._move(sweep, {State.RUNNING}, State.PAUSED)

    def cancel(self, sweep: Sweep) -> None:
        """End a sweep; what it wrote stays.

        Raises:
            WrongState: it has ended.
        """
        self._move(sweep, {State.RUNNING, State.PAUSED}, State.CANCELLED)

    def resume(self, sweep: Sweep) -> None:
        """Carry on a paused sweep, or one that runs but whose messages were lost.

        Raises:
            WrongState: it has ended.
            Forbidden: the setting changed meanwhile.
            SweepRunning: another one runs.
        """
        setting = self.switch.read_now()
        if not still_allows(sweep.goal, sweep.setting_version, setting.version, setting.enabled):
            raise Forbidden
        if sweep.state is not State.RUNNING:
            self._move(sweep, {State.PAUSED}, State.RUNNING)
        self._carry_on(sweep)

    def _carry_on(self, sweep: Sweep) -> None:
        waiting = [segment.number for segment in self.sweeps.segments(sweep) if not segment.done]
        self._queue(sweep, waiting)
        if not waiting:
            self.sweeps.finish(sweep.id, self.now())

    def _queue(self, sweep: Sweep, segments: Sequence[int]) -> None:
        self.queue.begin(sweep.id, segments)
        self.sweeps.mark_queued(sweep)

    def _move(self, sweep: Sweep, states: set[State], state: State) -> None:
        if sweep.state not in states or not self.sweeps.move(sweep, state, self.now()):
            raise WrongState


def _is_like(one: Sweep, other: Sweep) -> bool:
    """Tell whether two sweeps were asked for in the same words, by whomever and whenever."""
    return _wish(one) == _wish(other)


def _wish(sweep: Sweep) -> tuple[object, ...]:
    age = None if sweep.older_than is None else sweep.started_at - sweep.older_than
    return sweep.goal, sweep.setting_version, sweep.segments, sweep.rate, sweep.deep, age
