"""A sweep's outcome in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.judgement import Judgement, State
from dynamodb_stream_encryptor.output import Output, cell, facts
from dynamodb_stream_encryptor.progress import ceiling, duration
from dynamodb_stream_encryptor.sweep import FAILURES, Sweep

COUNT_WORDS: Final = {
    "encrypted": "encrypted",
    "decrypted": "decrypted",
    "nothing": "nothing to do",
    "superseded": "superseded by a newer write",
    "deferred": "deferred",
    "retried": "tried again",
    "failed": "failed",
    "destroyed": "passed over: their tenant's key was destroyed",
    "withoutLetter": "of these without a dead letter: a sweep sends 1,000",
}
"""What sweeps count that are no verifications."""


def outcome(sweep: Sweep, judged: Judgement | None = None) -> str:
    """Return one sentence on how a sweep stands; `judged` where it is a verification that ended."""
    reason = f": {sweep.reason}" if sweep.reason else ""
    match sweep.state:
        case "done" if judged is not None:
            return judged.sentence
        case "done" if not sweep.succeeded:
            return f"Done, but {'; '.join(_shortcomings(sweep))}."
        case "done":
            return f"Done: {counted(sweep.scanned, 'item')}."
        case _:
            return f"The sweep is {sweep.state}{reason}, after {counted(sweep.scanned, 'item')}."


def _shortcomings(sweep: Sweep) -> Iterator[str]:
    if failed := sweep.counts.get("failed"):
        yield f"{failed:,} of {counted(sweep.scanned, 'item')} failed: see `failures list`"


def show_outcome(output: Output, sweep: Sweep, current_key: str | None = None, judged: Judgement | None = None) -> None:
    """Print how a sweep ended: its counts and one sentence, and what a verification found beside the counts."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    # A verification tells of zeros: they are what it is for.
    states = judged.states if judged is not None else [state for state in _states(sweep) if state.items]
    for state in states:
        style = "bold red" if state.wrong else "dim" if not state.items else ""
        table.add_row(cell(f"{state.items:,}", style), cell(state.words, style))
    if table.row_count:
        output.table(table)
    if sweep.attributes:
        output.table(_attributes_table(sweep))
    for arn, number in sweep.under_key.items():
        role = " (the current key)" if arn == current_key else ""
        output.line(f"{number:,} under {arn}{role}")
    if sweep.encodings.get("binary"):  # Who never asked for it is told nothing of base64.
        for name, number in sweep.encodings.items():
            output.line(f"{counted(number, 'value')} stored as {name}")
    if judged is None:
        output.line(outcome(sweep), style="green" if sweep.succeeded else "bold red")
        return
    output.line(outcome(sweep, judged), style=judged.style)
    for finding in judged.other_findings if sweep.state == "done" else ():
        output.line(f"- {finding}", style="red")


def _states(sweep: Sweep) -> list[State]:
    names = [*COUNT_WORDS, *(name for name in sweep.counts if name not in COUNT_WORDS)]
    return [State(COUNT_WORDS.get(name, name), sweep.counts.get(name, 0), name in FAILURES) for name in names]


def _attributes_table(sweep: Sweep) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("attribute", overflow="fold")
    for name in ("in plaintext", "encrypted", "absent"):
        table.add_column(name, justify="right")
    for name, places in sweep.attributes.items():
        numbers = [places.get(place, 0) for place in ("plaintext", "encrypted", "absent")]
        table.add_row(cell(name), *(cell(f"{number:,}", "" if number else "dim") for number in numbers))
    return table


def sweeps_table(sweeps: Sequence[Sweep]) -> Table:
    """Return a table of sweeps."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("sweep", "goal", "state", "items", "started", "took", "by"):
        table.add_column(name, justify="right" if name == "items" else "left", overflow="fold", no_wrap=name != "by")
    for sweep in sweeps:
        started, finished = sweep.started_at, sweep.finished_at
        table.add_row(
            cell(sweep.id),
            cell(sweep.goal),
            cell(sweep.state, {"running": "cyan", "paused": "yellow", "done": ""}.get(sweep.state, "red")),
            f"{sweep.scanned:,}",
            f"{started:%Y-%m-%d %H:%M:%S}Z" if started else "",
            duration((finished - started).total_seconds()) if started and finished else "",
            cell(sweep.started_by),
        )
    return table


def started(sweep: Sweep) -> Table:
    """Return what was started."""
    pairs = [("sweep", sweep.id), ("goal", sweep.goal), ("segments", str(sweep.segments))]
    pairs.append(("rate", ceiling(sweep.rate)))
    return facts(pairs)
