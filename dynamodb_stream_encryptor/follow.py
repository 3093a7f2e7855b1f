"""Follows a sweep until it ends. Following is only watching: whatever happens here, the sweep goes on."""

import time
from contextlib import closing
from dataclasses import replace
from typing import Final

from dynamodb_stream_encryptor.command import Operator
from dynamodb_stream_encryptor.control import Answer
from dynamodb_stream_encryptor.errors import Interrupted, StoppedFollowing, Unreachable
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.pace import Pace
from dynamodb_stream_encryptor.progress import standstill
from dynamodb_stream_encryptor.progress_views import Bars, JsonLines, Lines, View
from dynamodb_stream_encryptor.sweep import Sweep, read_sweep

_PATIENCE: Final = 5  # Readings in a row that may fail for a passing reason.


_STANDING: Final = (
    "The sweep makes no progress. Is the work queue's event source mapping enabled, and does the migrator run? Its log "
    "says more. Where its messages were lost, `stream-encryptor resume {sweep} {options}` queues it again. Still "
    "following."
)


def follow(operator: Operator, sweep_id: str, interval: float, *, json_lines: bool = False) -> tuple[Sweep, Answer]:
    """Show a sweep every `interval` seconds until it no longer runs; return its last reading, and that as it came.

    Raises:
        StoppedFollowing: Ctrl-C.
        Unreachable: there is no answer any more.
    """
    pace, warned = Pace(time.monotonic), False
    try:
        with closing(_view(operator.output, json_lines)) as view:
            while True:
                answer = _reading(operator, sweep_id, interval)
                sweep = pace.applied(read_sweep(answer.get("sweep")))
                if sweep.idle_minutes is None:  # An earlier control function does not tell.
                    sweep = replace(sweep, idle_minutes=int(pace.standstill(sweep) // 60))
                view.show(sweep, answer)
                if sweep.state != "running":
                    return sweep, answer
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
