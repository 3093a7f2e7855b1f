"""Follows a sweep until it ends. Following is only watching: whatever happens here, the sweep goes on."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

from dynamodb_stream_encryptor.command import Operator
from dynamodb_stream_encryptor.control import Answer
from dynamodb_stream_encryptor.errors import GaveUpWaiting, Interrupted, StoppedFollowing, Unreachable
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.pace import Pace
from dynamodb_stream_encryptor.progress import standstill
from dynamodb_stream_encryptor.progress_views import Bars, JsonLines, Lines, Nothing, View
from dynamodb_stream_encryptor.sweep import Sweep, read_sweep

_PATIENCE: Final = 5  # Readings in a row that may fail for a passing reason.

STALLED_MINUTES: Final = 35
"""Minutes without a page after which waiting ends: a page whose worker crashed is taken up after half an hour."""


_STANDING: Final = (
    "The sweep makes no progress. Is the work queue's event source mapping enabled, and does the migrator run? Its log "
    "says more. Where its messages were lost, `stream-encryptor resume {sweep} {options}` queues it again. Still "
    "following."
)


@dataclass(frozen=True)
class Patience:
    """For how long a script waits for a sweep.

    Attributes:
        seconds: in all; None for as long as it takes.
        stalled_minutes: without a page.
        clock: returns seconds that only go forward.
        begun: when the waiting began, by the clock.
    """

    seconds: float | None = None
    stalled_minutes: float = STALLED_MINUTES
    clock: Callable[[], float] = time.monotonic
    begun: float = field(default_factory=time.monotonic)

    def check_time(self) -> None:
        """Raise GaveUpWaiting where the time is up."""
        if self.seconds is not None and self.clock() - self.begun >= self.seconds:
            raise GaveUpWaiting(f"Gave up waiting after {self.seconds:g} s. What runs goes on.")

    def check(self, sweep: Sweep) -> None:
        """Raise GaveUpWaiting where the time is up or the sweep stands still."""
        if (sweep.idle_minutes or 0) >= self.stalled_minutes:
            raise GaveUpWaiting(f"Gave up waiting: the sweep {sweep.id} stands still, {standstill(sweep)}.", "stalled")
        self.check_time()


def follow(
    operator: Operator,
    sweep_id: str,
    interval: float,
    *,
    json_lines: bool = False,
    patience: Patience | None = None,
) -> tuple[Sweep, Answer]:
    """Show a sweep every `interval` seconds until it no longer runs; return its last reading, and that as it came.

    Args:
        operator: whom to ask and where to show it.
        sweep_id: the sweep.
        interval: seconds.
        json_lines: show each reading that brings news as a line of JSON.
        patience: show nothing, and give up after a while.

    Raises:
        GaveUpWaiting: it stands still, or the time is up.
        StoppedFollowing: Ctrl-C.
        Unreachable: there is no answer any more.
    """
    pace, warned = Pace(time.monotonic), False
    try:
        with closing(_view(operator.output, json_lines) if patience is None else Nothing()) as view:
            while True:
                answer = _reading(operator, sweep_id, interval)
                sweep = pace.applied(read_sweep(answer.get("sweep")))
                if sweep.idle_minutes is None:  # An earlier control function does not tell.
                    sweep = replace(sweep, idle_minutes=int(pace.standstill(sweep) // 60))
                view.show(sweep, answer)
                if sweep.state != "running":
                    return sweep, answer
                if patience is not None:
                    patience.check(sweep)
                if not warned and standstill(sweep):
                    warned = True
                    options = operator.target.options
                    operator.output.note(_STANDING.format(sweep=sweep.id, options=options), style="yellow")
                time.sleep(interval)
    except KeyboardInterrupt:
        raise StoppedFollowing(
            f"No longer following: the sweep {sweep_id} goes on. `stream-encryptor watch {operator.target.options}` "
            "follows it again; `pause` and `cancel` stop it."
        ) from None


def _reading(operator: Operator, sweep_id: str, interval: float) -> Answer:
    for failures_left in range(_PATIENCE, -1, -1):
        try:
            return operator.control.ask("sweep", sweep=sweep_id)
        except Interrupted as error:
            if not failures_left:
                raise Unreachable(f"{error.message} The sweep {sweep_id} goes on.", error.code) from error
            operator.output.note(f"{error.message} Still following.", style="yellow")
            time.sleep(interval)
    raise AssertionError("the loop returns or raises")


def _view(output: Output, json_lines: bool) -> View:
    if json_lines:
        return JsonLines(output)
    return Bars(output.notes) if output.is_terminal else Lines(output)
