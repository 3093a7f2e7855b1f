"""`migrate`, `decrypt`, `re-encrypt`, `verify`: start a sweep over the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.errors import NOT_AS_IT_SHOULD_BE, OK
from dynamodb_stream_encryptor.follow import follow
from dynamodb_stream_encryptor.judgement import Judgement, read_judgement
from dynamodb_stream_encryptor.sweep import Sweep, read_sweep
from dynamodb_stream_encryptor.sweep_text import show_outcome, started

_PANEL = "The sweep"

Segments = Annotated[
    int, typer.Option(min=1, max=1000, help="Parts of the table that are read side by side.", rich_help_panel=_PANEL)
]
Rate = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="ITEMS",
        help="A ceiling: at most so many items a second, all segments together (default: as fast as the table and KMS "
        "bear). `set-rate` changes it.",
        rich_help_panel=_PANEL,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Start although another sweep runs, or the stream's mapping is not enabled.",
        rich_help_panel=_PANEL,
    ),
]
Watch = Annotated[
    bool | None,
    typer.Option(
        "--watch/--no-watch",
        help="Follow it to its end (default: on a terminal, without --json). Ctrl-C stops only the following.",
        rich_help_panel=_PANEL,
    ),
]
WatchVerify = Annotated[
    bool,
    typer.Option(
        "--watch/--no-watch",
        help="Wait for the findings, which the exit code tells. Ctrl-C stops only the waiting.",
        rich_help_panel=_PANEL,
    ),
]
Interval = Annotated[
    float,
    typer.Option(min=0.05, metavar="SECONDS", help="Time between two looks while following.", rich_help_panel=_PANEL),
]
Deep = Annotated[
    bool,
    typer.Option("--deep", help="Decrypt every value, not only read its header. Calls KMS.", rich_help_panel=_PANEL),
]

MayBeAbsent = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="An attribute that no item may have, or the name of a ciphertext (encrypted_…) that is known and not "
        "listed. May be repeated.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Options:
    """What can be said of every sweep that is started."""

    segments: Segments = 4
    rate: Rate = None
    force: Force = False
    interval: Interval = 2.0

    @property
    def fields(self) -> dict[str, Any]:
        """What the control function is told of them."""
        return {"segments": self.segments, "rate": self.rate, "force": self.force}


def add(app: typer.Typer) -> None:
    """Add the commands."""

    @command(app, "migrate")
    def migrate(operator: Operator, options: Options, dry_run: dry.Option = False, watch: Watch = None) -> int:
        """Encrypt what is in the table already. Encryption has to be on."""
        return _run_or_count(operator, options, dry_run, watch, goal="encrypt")

    @command(app, "decrypt")
    def decrypt(operator: Operator, options: Options, dry_run: dry.Option = False, watch: Watch = None) -> int:
        """Decrypt the whole table back to what its writers wrote. Encryption has to be off: see `config off`."""
        return _run_or_count(operator, options, dry_run, watch, goal="decrypt")

    @command(app, "re-encrypt")
    def re_encrypt(
        operator: Operator,
        options: Options,
        older_than: Annotated[
            int | None,
            typer.Option(
                min=0,
                metavar="DAYS",
                help="Also items that were encrypted longer ago.",
                rich_help_panel=_PANEL,
            ),
        ] = None,
        dry_run: dry.Option = False,
        watch: Watch = None,
    ) -> int:
        """Encrypt anew what is in the old form or under an earlier key. Encryption has to be on."""
        days: dict[str, Any] = {} if older_than is None else {"olderThanDays": older_than}
        return _run_or_count(operator, options, dry_run, watch, goal="re-encrypt", **days)

    @command(app, "verify")
    def verify(
        operator: Operator,
        options: Options,
        deep: Deep = False,
        may_be_absent: MayBeAbsent = None,
        watch: WatchVerify = True,
    ) -> int:
        """Count what is in the table, by state, by attribute and by key. Changes nothing.

        Exit code 1 where plaintext, an old form, a conflict or something undecryptable is left; where something is
        encrypted although encryption is off; where the table is empty or no item has a configured attribute; where
        there is ciphertext that no listed attribute is behind.
        """
        return _run(operator, options, watch, may_be_absent or (), goal="verify", deep=deep)


def start(operator: Operator, options: Options, **fields: Any) -> tuple[Sweep, Any]:
    """Start a sweep; return it, and the answer as it came.

    Raises:
        CliError: it was not started.
    """
    answer = operator.control.act("start", **options.fields, **fields)
    return read_sweep(answer.get("sweep")), answer


def _run_or_count(operator: Operator, options: Options, dry_run: bool, watch: bool | None, **fields: Any) -> int:
    if dry_run:
        return dry.sweep(operator, **options.fields, **fields)
    return _run(operator, options, watch, **fields)


def _run(
    operator: Operator, options: Options, watch: bool | None, may_be_absent: Sequence[str] = (), **fields: Any
) -> int:
    output = operator.output
    sweep, answer = start(operator, options, **fields)
    if watch is None:
        watch = output.is_terminal and not output.as_json
    if not watch:
        if output.as_json:
            output.document(answer)
        else:
            output.table(started(sweep))
            output.line(f"Started. `stream-encryptor watch {operator.target.options}` follows it.")
        return OK
    output.note(f"Started the sweep {sweep.id}.")
    return conclude(operator, *follow(operator, sweep.id, options.interval), may_be_absent=may_be_absent)


def conclude(
    operator: Operator, sweep: Sweep, answer: Any, *, shown: bool = False, may_be_absent: Sequence[str] = ()
) -> int:
    """Print how a followed sweep ended, and return the exit code.

    Args:
        operator: whom to ask and where to print.
        sweep: the sweep.
        answer: what it was read from.
        shown: whether a program has read `answer` already.
        may_be_absent: names whose absence, or whose ciphertext though they are not listed, the operator expects.
    """
    output = operator.output
    judged = _judged(operator, sweep, may_be_absent) if sweep.goal == "verify" else None
    if not output.as_json:
        status = operator.control.ask("status") if sweep.under_key else {}
        show_outcome(output, sweep, (status.get("key") or {}).get("arn"), judged)
        if sweep.state == "paused":
            output.line(f"`stream-encryptor resume {operator.target.options}` lets it go on.")
    elif not shown:
        output.document({**answer, **_verdict(judged)})
    good = sweep.succeeded and (judged is None or judged.good)
    return OK if good else NOT_AS_IT_SHOULD_BE


def _judged(operator: Operator, sweep: Sweep, may_be_absent: Sequence[str]) -> Judgement:
    answer = operator.control.ask("judge", sweep=sweep.id, mayBeAbsent=list(may_be_absent))
    return read_judgement(answer.get("judgement"))


def _verdict(judged: Judgement | None) -> dict[str, Any]:
    return {} if judged is None else {"verdict": judged.verdict, "findings": list(judged.findings)}
