"""Starting, pausing, resuming and cancelling sweeps."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from encryptor_runtime.messages import Goal, StartWork
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch
from migrator.policy import forbids
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

    Every method raises TransientError or SystemicError where a service does not answer. Where a sweep was stored but
    not begun, it stands as running without progress, and ``resume`` begins it.

    Attributes:
        sweeps: the control table.
        switch: the setting.
        queue: the work queue.
        item_count: returns how many items the table has, by DynamoDB's own, slow count.
        now: returns the time, aware.
    """

    sweeps: Sweeps
    switch: Switch
    queue: WorkQueue
    item_count: Callable[[], int]
    now: Callable[[], datetime]

    def start(self, request: StartRequest) -> Sweep:
        """Start a sweep and return it.

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
        )
        self.sweeps.create(sweep, request.force)
        self.queue.begin(sweep.id, range(sweep.segments))
        return sweep

    def start_after_switch(self, work: StartWork) -> Sweep | None:
        """Start the sweep that follows a change of the setting, unless that change never came to be or is history."""
        setting = self.switch.read_now()
        if setting.version != work.setting_version or forbids(Goal.ENCRYPT, setting.enabled):
            return None
        try:
            return self.start(StartRequest(Goal.ENCRYPT, work.by))
        except SweepRunning:
            if self._is_served(work):
                return None
            return self.start(StartRequest(Goal.ENCRYPT, work.by, force=True))

    def _is_served(self, work: StartWork) -> bool:
        """Tell whether a sweep does it already: the message came twice. Sweeps of an earlier setting are stopped."""
        is_served = False
        for sweep in self.sweeps.newest():
            if sweep.state is not State.RUNNING or sweep.goal is Goal.VERIFY:
                continue
            if sweep.setting_version == work.setting_version and sweep.goal is Goal.ENCRYPT:
                # It may have crashed before its segments were queued; to queue them twice does no harm.
                self._carry_on(sweep)
                is_served = True
            elif sweep.setting_version != work.setting_version:
                self.sweeps.move(sweep, State.STOPPED, self.now(), "setting-changed")
        return is_served

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
        if sweep.goal is not Goal.VERIFY and setting.version != sweep.setting_version:
            raise Forbidden
        if sweep.state is not State.RUNNING:
            self._move(sweep, {State.PAUSED}, State.RUNNING)
        self._carry_on(sweep)

    def _carry_on(self, sweep: Sweep) -> None:
        waiting = [segment.number for segment in self.sweeps.segments(sweep) if not segment.done]
        self.queue.begin(sweep.id, waiting)
        if not waiting:
            self.sweeps.finish(sweep.id, self.now())

    def _move(self, sweep: Sweep, states: set[State], state: State) -> None:
        if sweep.state not in states or not self.sweeps.move(sweep, state, self.now()):
            raise WrongState
