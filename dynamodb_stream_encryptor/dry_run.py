"""`--dry-run`: what a command would do, asked of the control function, which then does nothing."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from dynamodb_stream_encryptor.command import Operator
from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.errors import OK, Unreachable
from dynamodb_stream_encryptor.output import cell
from dynamodb_stream_encryptor.progress import ceiling

Option = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done: nothing is changed.")]

_WORDS: Final = {
    "encrypted": "would be encrypted",
    "decrypted": "would be decrypted",
    "nothing": "stay as they are",
    "failed": "would fail",
}
_KINDS: Final = {
    "item": "keys of items, each to be tried again",
    "mapping": "ranges of the stream, each to be read again",
    "work": "messages of a sweep, each to be queued again",
    "unknown": "not of this application: they stay",
}


def asked(operator: Operator, of: str, **fields: Any) -> Mapping[str, Any]:
    """Return what the control function says that the command `of` would do.

    Raises:
        CliError: it would be refused, or there is no answer.
    """
    return operator.control.act(
        "dry-run", of=of, **{name: value for name, value in fields.items() if value is not None}
    )


def sweep(operator: Operator, **fields: Any) -> int:
    """Count what a sweep would do, page after page, and print it."""
    counts: Counter[str] = Counter()
    scanned, cursor = 0, None
    while True:
        answer = asked(operator, "start", cursor=cursor, **fields)
        try:
            counts.update({str(name): int(number) for name, number in answer["counts"].items()})
            scanned, cursor = scanned + int(answer["scanned"]), answer["cursor"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unreachable("The control function counts in an unknown shape.", "unexpected-answer") from error
        if cursor is None:
            break
        operator.output.note(f"{counted(scanned, 'item')} looked at.")
    if operator.output.as_json:
        operator.output.document({"dryRun": True, "goal": fields["goal"], "scanned": scanned, "counts": dict(counts)})
        return OK
    operator.output.table(_counted({_WORDS.get(name, name): number for name, number in counts.items()}))
    return done(operator, f"Of {counted(scanned, 'item')}.")


def move(operator: Operator, verb: str, sweep_id: str | None) -> int:
    """Say what would become of a sweep."""
    answer = asked(operator, verb, sweep=sweep_id)
    if operator.output.as_json:
        return document(operator, answer)
    found = answer.get("sweep") or {}
    return done(
        operator, f"The sweep {found.get('id')} ({found.get('goal')}) is {found.get('state')}: it would be "
        f"{answer.get('becomes')}.",
    )  # fmt: skip


def set_rate(operator: Operator, sweep_id: str, rate: float | str) -> int:
    """Say what a sweep's ceiling would be."""
    answer = asked(operator, "set-rate", sweep=sweep_id, rate=rate)
    if operator.output.as_json:
        return document(operator, answer)
    found = answer.get("sweep") or {}
    now, then = ceiling(found.get("rate")), ceiling(answer.get("rate"))
    return done(operator, f"The sweep {found.get('id')} ({found.get('goal')}): {then}, and not {now}.")


def redrive(operator: Operator, at_most: int) -> int:
    """Count the dead letters that would be tried again."""
    answer = asked(operator, "redrive", max=at_most)
    if operator.output.as_json:
        return document(operator, answer)
    letters = answer.get("letters") or {}
    operator.output.table(_counted({_KINDS.get(kind, kind): number for kind, number in letters.items()}))
    return done(operator, f"Of about {answer.get('messages', 0):,} in the queue.")


def discard(operator: Operator, failure: str, reason: str) -> int:
    """Say whether the dead letter is there."""
    answer = asked(operator, "discard", id=failure, reason=reason)
    if operator.output.as_json:
        return document(operator, answer)
    letter = answer.get("letter") or {}
    return done(operator, f"{failure} would be discarded: {letter.get('kind')}, {letter.get('reason') or 'no reason'}.")


def document(operator: Operator, answer: Mapping[str, Any]) -> int:
    """Print an answer for a program."""
    operator.output.document({"dryRun": True, **answer})
    return OK


def done(operator: Operator, text: str) -> int:
    """Print what would be done, and that it was not."""
    operator.output.line(f"{text} Dry run: nothing was changed.")
    return OK


def _counted(numbers: Mapping[str, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for words, number in numbers.items():
        table.add_row(cell(f"{number:,}"), cell(words))
    return table
