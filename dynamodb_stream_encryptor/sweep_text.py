"""A sweep's outcome in words."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from dynamodb_stream_encryptor.output import Output, cell, facts
from dynamodb_stream_encryptor.progress import duration
from dynamodb_stream_encryptor.sweep import WRONG_STATES, Sweep

STATE_WORDS: Final = {
    "plaintext": "in plaintext",
    "mixed": "partly in plaintext",
    "encrypted": "encrypted",
    "oldForm": "encrypted in the old form",
    "conflicts": "with a conflict to look at",
    "undecryptable": "that cannot be decrypted",
    "none": "without anything to encrypt",
}
"""What `verify` counts, for people, in the order of showing."""

COUNT_WORDS: Final = {
    "encrypted": "encrypted",
    "decrypted": "decrypted",
    "nothing": "nothing to do",
    "superseded": "superseded by a newer write",
    "deferred": "deferred",
    "retried": "tried again",
    "failed": "failed",
    "withoutLetter": "of these without a dead letter: a sweep sends 1,000",
}
"""What the other sweeps count."""


def outcome(sweep: Sweep) -> str:
    """Return one sentence on how a sweep stands."""
    reason = f": {sweep.reason}" if sweep.reason else ""
    match sweep.state:
        case "done" if sweep.goal == "verify" and sweep.wrong:
            found = ", ".join(f"{number:,} {STATE_WORDS[name]}" for name, number in sweep.wrong.items())
            return f"Not as it should be: of {sweep.scanned:,} items, {found}."
        case "done" if sweep.goal == "verify":
            how = "each was decrypted" if sweep.deep else "judged by their headers"
            return f"As it should be: {sweep.scanned:,} items, no plaintext and no old form ({how})."
        case "done" if sweep.counts.get("failed"):
            return f"Done, but {sweep.counts['failed']:,} of {sweep.scanned:,} items failed: see `failures list`."
        case "done":
            return f"Done: {sweep.scanned:,} items."
        case _:
            return f"The sweep is {sweep.state}{reason}, after {sweep.scanned:,} items."


def show_outcome(output: Output, sweep: Sweep, current_key: str | None = None) -> None:
    """Print how a sweep ended: its counts and one sentence."""
    words = STATE_WORDS if sweep.goal == "verify" else COUNT_WORDS
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for name in [*words, *(name for name in sweep.counts if name not in words)]:
        number = sweep.counts.get(name, 0)
        if not number and sweep.goal != "verify":
            continue  # A verification tells of zeros: they are what it is for.
        alarming = number > 0 and (name == "failed" or (sweep.goal == "verify" and name in WRONG_STATES))
        style = "bold red" if alarming else "dim" if not number else ""
        table.add_row(cell(f"{number:,}", style), cell(words.get(name, name), style))
    if table.row_count:
        output.table(table)
    for arn, number in sweep.under_key.items():
        role = " (the current key)" if arn == current_key else ""
        output.line(f"{number:,} under {arn}{role}")
    output.line(outcome(sweep), style="green" if sweep.as_it_should_be else "bold red")


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
    if sweep.rate:
        pairs.append(("at most", f"{sweep.rate:g} items/s"))
    return facts(pairs)
