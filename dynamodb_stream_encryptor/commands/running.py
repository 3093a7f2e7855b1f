"""`watch`, `pause`, `resume`, `cancel`, `set-rate`: the sweep that runs, or one by its id."""

from collections.abc import Sequence
from typing import Annotated

import typer

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.sweeps import Interval, conclude
from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.errors import OK, UsageError
from dynamodb_stream_encryptor.follow import STALLED_MINUTES, Patience, follow
from dynamodb_stream_encryptor.progress import ceiling
from dynamodb_stream_encryptor.sweep import ACTIVE, read_sweep
from dynamodb_stream_encryptor.which_sweep import find_sweep, only_one

SweepId = Annotated[
    str | None, typer.Argument(metavar="[SWEEP]", help="Its id, as `status` shows it (default: the only one).")
]

_WAITING = "Waiting in a script"

Wait = Annotated[
    bool,
    typer.Option(
        "--wait",
        help="Draw nothing and wait for the end, which the exit code tells: 0 done, 1 done with failures or stopped, "
        "124 given up.",
        rich_help_panel=_WAITING,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Give up after so long (default: never).", rich_help_panel=_WAITING),
]
StalledAfter = Annotated[
    float,
    typer.Option(
        min=1,
        metavar="MINUTES",
        help="Give up where no page was done for so long.",
        rich_help_panel=_WAITING,
    ),
]
RatedSweep = Annotated[str, typer.Argument(metavar="SWEEP", help="Its id, as `status` shows it.")]
NewRate = Annotated[
    str,
    typer.Argument(metavar="ITEMS", help="Items a second at most, all segments together; `auto` for no ceiling."),
]


def add(app: typer.Typer) -> None:
    """Add the commands."""

    @command(app, "watch")
    def watch(
        operator: Operator,
        sweep: SweepId = None,
        wait: Wait = False,
        timeout: Timeout = None,
        stalled_after: StalledAfter = STALLED_MINUTES,
        interval: Interval = 2.0,
    ) -> int:
        """Follow a sweep to its end: per cent, items a second, time left, by segment.

        Right after `config on` it waits for the sweep that follows; where no sweep runs, it shows the last one. With
        --json, one line of JSON for each reading that brings news. Ctrl-C stops only the following.
        """
        patience = Patience(timeout, stalled_after) if wait else None
        if patience is None and timeout is not None:
            raise UsageError("--timeout is for --wait.")
        json_lines = operator.output.as_json and not wait
        chosen = find_sweep(operator, interval, patience).id if sweep is None else sweep
        reading = follow(operator, chosen, interval, json_lines=json_lines, patience=patience)
        return conclude(operator, *reading, shown=json_lines)

    @command(app, "set-rate")
    def set_rate(operator: Operator, sweep: RatedSweep, rate: NewRate, dry_run: dry.Option = False) -> int:
        """Change how many items a second a sweep may read at most, while it runs; `auto` takes the ceiling away.

        Below it, the sweep finds its own rate: `status` shows it, and what limits it.
        """
        if dry_run:
            return dry.set_rate(operator, sweep, _rate(rate))
        answer = operator.control.act("set-rate", sweep=sweep, rate=_rate(rate))
        found = read_sweep(answer.get("sweep"))
        if operator.output.as_json:
            operator.output.document(answer)
        else:
            operator.output.line(f"The sweep {found.id} ({found.goal}, {found.state}): {ceiling(found.rate)}.")
        return OK

    @command(app, "pause")
    def pause(operator: Operator, sweep: SweepId = None, dry_run: dry.Option = False) -> int:
        """Let a sweep rest; nothing that it did is lost."""
        return _change(operator, "pause", _chosen(operator, sweep, ("running",)), dry_run)

    @command(app, "resume")
    def resume(operator: Operator, sweep: SweepId = None, dry_run: dry.Option = False) -> int:
        """Let a paused sweep go on where it was, or one that runs but stands still: its messages may be lost."""
        return _change(operator, "resume", sweep, dry_run)

    @command(app, "cancel")
    def cancel(operator: Operator, sweep: SweepId = None, dry_run: dry.Option = False) -> int:
        """End a sweep for good; the items that it wrote stay as they are."""
        return _change(operator, "cancel", _chosen(operator, sweep, ACTIVE), dry_run)


def _chosen(operator: Operator, given: str | None, states: Sequence[str]) -> str:
    if given is not None:
        return given
    sweeps = [read_sweep(sweep) for sweep in operator.control.ask("status").get("sweeps") or ()]
    return only_one(sweeps, states).id


def _rate(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise UsageError("ITEMS is a number of items a second, or `auto`.") from None


def _change(operator: Operator, verb: str, sweep_id: str | None, dry_run: bool) -> int:
    if dry_run:
        return dry.move(operator, verb, sweep_id)
    answer = operator.control.act(verb, **({} if sweep_id is None else {"sweep": sweep_id}))
    sweep = read_sweep(answer.get("sweep"))
    if operator.output.as_json:
        operator.output.document(answer)
    else:
        far = counted(sweep.scanned, "item")
        operator.output.line(f"The sweep {sweep.id} ({sweep.goal}) is {sweep.state}, after {far}.")
    return OK
