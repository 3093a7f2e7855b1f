"""`failures`: the dead letters."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.errors import NOT_AS_IT_SHOULD_BE, OK
from dynamodb_stream_encryptor.help_text import Group
from dynamodb_stream_encryptor.item_key import key_text
from dynamodb_stream_encryptor.output import cell


def add(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look at dead letters, try them again, discard them.", no_args_is_help=True, cls=Group)
    app.add_typer(group, name="failures")

    @command(group, "list")
    def list_failures(
        operator: Operator,
        at_most: Annotated[int, typer.Option("--max", min=1, max=1000, help="Look at most at so many.")] = 50,
    ) -> int:
        """List dead letters: keys and reasons, never values. They stay in the queue."""
        answer = operator.control.ask("failures", max=at_most)
        if operator.output.as_json:
            operator.output.document(answer)
        elif failures := answer.get("failures"):
            operator.output.table(_table(failures))
        else:
            operator.output.line("No failures.")
        return OK

    @command(group, "redrive")
    def redrive(
        operator: Operator,
        at_most: Annotated[int, typer.Option("--max", min=1, max=1000, help="Try at most so many.")] = 100,
        dry_run: dry.Option = False,
    ) -> int:
        """Try dead letters again. What succeeds leaves the queue; what fails again stays, and makes the exit code 1."""
        if dry_run:
            return dry.redrive(operator, at_most)
        answer = operator.control.act("redrive", max=at_most)
        if operator.output.as_json:
            operator.output.document(answer)
        else:
            _show_redrive(operator, answer)
        return NOT_AS_IT_SHOULD_BE if answer.get("again") else OK

    @command(group, "discard")
    def discard(
        operator: Operator,
        failure: Annotated[str, typer.Argument(metavar="ID", help="As `failures list` shows it.")],
        reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit log.")],
        dry_run: dry.Option = False,
    ) -> int:
        """Remove a dead letter for good. Its item stays as it is."""
        if not reason.strip():
            raise typer.BadParameter("may not be empty", param_hint="--reason")
        if dry_run:
            return dry.discard(operator, failure, reason.strip())
        answer = operator.control.act("discard", id=failure, reason=reason.strip())
        if operator.output.as_json:
            operator.output.document(answer)
        else:
            operator.output.line(f"Discarded {failure}. The audit log keeps the reason.")
        return OK


def _show_redrive(operator: Operator, answer: Mapping[str, Any]) -> None:
    output = operator.output
    output.line(f"{answer.get('done', 0):,} done, {answer.get('again', 0):,} failed again.")
    for note in answer.get("notes") or ():
        output.line(str(note))
    if answer.get("sweep"):
        output.line(f"The sweep {answer['sweep']} was started: `stream-encryptor watch {operator.target.options}`.")
    if remaining := answer.get("remaining"):
        output.line(f"{remaining:,} in the queue.")


def _table(failures: list[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("id", "kind", "reason", "tries", "time", "key"):
        # An id is there to be copied; on a terminal, the key has what width is left.
        table.add_column(name, overflow="fold", no_wrap=name != "key", justify="right" if name == "tries" else "left")
    for failure in failures:
        key = failure.get("key")
        table.add_row(
            cell(failure.get("id")),
            cell(failure.get("kind")),
            cell(failure.get("reason")),
            cell(failure.get("attempts")),
            cell(failure.get("time")),
            cell(key_text(key) if key else ""),
        )
    return table
