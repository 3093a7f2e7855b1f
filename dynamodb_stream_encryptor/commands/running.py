"""`watch`, `pause`, `resume`, `cancel`: the sweep that runs, or one by its id."""

from collections.abc import Sequence
from typing import Annotated

import typer

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.sweeps import Interval, conclude
from dynamodb_stream_encryptor.errors import OK, UsageError
from dynamodb_stream_encryptor.follow import follow
from dynamodb_stream_encryptor.sweep import ACTIVE, Sweep, read_sweep

SweepId = Annotated[
    str | None, typer.Argument(metavar="[SWEEP]", help="Its id, as `status` shows it (default: the only one).")
]


def add(app: typer.Typer) -> None:
    """Add the commands."""

    @command(app, "watch")
    def watch(operator: Operator, sweep: SweepId = None, interval: Interval = 2.0) -> int:
        """Follow a sweep to its end: per cent, items a second, time left, by segment.

        With --json, one line of JSON for each reading that brings news. Ctrl-C stops only the following.
        """
        json_lines = operator.output.as_json
        reading = follow(operator, _chosen(operator, sweep, ACTIVE), interval, json_lines=json_lines)
        return conclude(operator, *reading, shown=json_lines)

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


def only_one(sweeps: Sequence[Sweep], states: Sequence[str]) -> Sweep:
    """Return the one sweep in one of the states.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [sweep for sweep in sweeps if sweep.state in states]
    wanted = " or ".join(states)
    if not found:
        raise UsageError(f"No sweep is {wanted}.", "not-found")
    if len(found) > 1:
        names = ", ".join(f"{sweep.id} ({sweep.goal}, {sweep.state})" for sweep in found)
        raise UsageError(f"More than one sweep is {wanted}; name one of {names}.", "ambiguous")
    return found[0]


def _change(operator: Operator, verb: str, sweep_id: str | None, dry_run: bool) -> int:
    if dry_run:
        return dry.move(operator, verb, sweep_id)
    answer = operator.control.act(verb, **({} if sweep_id is None else {"sweep": sweep_id}))
    sweep = read_sweep(answer.get("sweep"))
    if operator.output.as_json:
        operator.output.document(answer)
    else:
        operator.output.line(f"The sweep {sweep.id} ({sweep.goal}) is {sweep.state}, after {sweep.scanned:,} items.")
    return OK
