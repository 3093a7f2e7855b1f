"""`plan`: look at a table before anything is deployed: what stands in the way, what changes, what it costs."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dynamodb_stream_encryptor.command import ended, state_directory_option
from dynamodb_stream_encryptor.errors import EXIT_CODES, NOT_AS_IT_SHOULD_BE, OK, UsageError
from dynamodb_stream_encryptor.help_text import Command
from dynamodb_stream_encryptor.output import Output, json_text
from dynamodb_stream_encryptor.target import Target, find_table

DEFAULT_ATTRIBUTES: Final = "history,configuration"
"""What the template encrypts where nothing else is said (its parameter EncryptedAttributes)."""

_WHICH: Final = "Which table"
_WHAT: Final = "What is to be encrypted"
_HOW: Final = "How it is looked at"
_SECONDS_BETWEEN_LINES: Final = 5.0


def add(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("plan", epilog=EXIT_CODES, cls=Command)
    def plan(
        *,
        table: Annotated[
            str | None, typer.Option(metavar="NAME", help="Any table; needs no stack.", rich_help_panel=_WHICH)
        ] = None,
        stack: Annotated[
            str | None, typer.Option(metavar="NAME", help="The table of a stack in AWS.", rich_help_panel=_WHICH)
        ] = None,
        local: Annotated[
            bool,
            typer.Option(
                "--local",
                help="The table of the stack that `python -m local up` runs; with --table, another one there.",
                rich_help_panel=_WHICH,
            ),
        ] = False,
        region: Annotated[
            str | None, typer.Option(help="AWS Region (default: as boto3 finds it).", rich_help_panel=_WHICH)
        ] = None,
        profile: Annotated[
            str | None, typer.Option(help="AWS profile (default: as boto3 finds it).", rich_help_panel=_WHICH)
        ] = None,
        state_directory: Annotated[Path | None, state_directory_option(_WHICH)] = None,
        attributes: Annotated[
            str | None,
            typer.Option(
                metavar="A,B",
                help="The attributes to encrypt (default: those of the stack; of --table, none: it says what there "
                "is).",
                rich_help_panel=_WHAT,
            ),
        ] = None,
        append: Annotated[
            str | None,
            typer.Option(
                metavar="A,B", help="Those among them that writers append to with list_append.", rich_help_panel=_WHAT
            ),
        ] = None,
        key: Annotated[
            str | None,
            typer.Option(
                metavar="ARN", help="The KMS key to encrypt under (default: one is made).", rich_help_panel=_WHAT
            ),
        ] = None,
        encoding: Annotated[
            str | None,
            typer.Option(
                metavar="base64|binary",
                help="How ciphertexts are stored (default: as the stack does; without one, base64).",
                rich_help_panel=_WHAT,
            ),
        ] = None,
        single_writing_region: Annotated[
            bool,
            typer.Option(
                "--single-writing-region",
                help="One Region alone writes, though the table is replicated.",
                rich_help_panel=_WHAT,
            ),
        ] = False,
        sample: Annotated[
            int, typer.Option(min=1, metavar="ITEMS", help="Look at so many items.", rich_help_panel=_HOW)
        ] = 1000,
        full: Annotated[bool, typer.Option("--full", help="Look at every item.", rich_help_panel=_HOW)] = False,
        read_units: Annotated[
            float | None,
            typer.Option(
                min=0.5,
                metavar="UNITS",
                help="Take at most so many read units a second (default: 50, or a tenth of what is provisioned).",
                rich_help_panel=_HOW,
            ),
        ] = None,
        rate: Annotated[
            int | None,
            typer.Option(
                min=1,
                metavar="ITEMS",
                help="Items a second of the sweep (default: a suggestion).",
                rich_help_panel=_HOW,
            ),
        ] = None,
        monthly_writes: Annotated[
            int | None,
            typer.Option(
                min=0,
                metavar="WRITES",
                help="Plaintext writes a month (default: by CloudWatch's metrics).",
                rich_help_panel=_HOW,
            ),
        ] = None,
        prices: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="Your price list (default: AWS list prices).", rich_help_panel=_HOW),
        ] = None,
        cloudtrail: Annotated[
            str | None,
            typer.Option(
                metavar="FILE|DIR|s3://…",
                help="CloudTrail's data events, which tell who reads and writes the table.",
                rich_help_panel=_HOW,
            ),
        ] = None,
        to: Annotated[
            Path | None,
            typer.Option("--output", metavar="FILE", help="Write it as a page (.html) or a document (.json), too."),
        ] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")
        ] = False,
    ) -> None:
        """Look at a table before anything is deployed: what stands in the way, how items grow, what it costs.

        Only reads, uses no KMS key, and needs no stack. Exit code 1 where something stands in the way.
        """
        output = Output(as_json)

        def work() -> int:
            _check_output(to)
            target, name = find_table(table, stack, local, region, profile, state_directory)
            made = _made(
                target,
                name,
                output,
                attributes=attributes,
                append=append,
                key=key,
                encoding=encoding,
                single_writing_region=single_writing_region,
                sample=None if full else sample,
                read_units=read_units,
                rate=rate,
                monthly_writes=monthly_writes,
                prices=prices,
                cloudtrail=cloudtrail,
            )
            return _told(output, made, to)

        raise typer.Exit(ended(output, work, "Nothing was changed."))


def _made(target: Target, name: str, output: Output, **options: Any) -> dict[str, Any]:
    # Not at the top: the cryptography takes half a second to load, and no other command needs it.
    from dynamodb_stream_encryptor.planning.document import Choice, document
    from dynamodb_stream_encryptor.planning.making import Request, make
    from item_crypto.core.encoding import Encoding

    deployed = target.parameters
    given = options["attributes"]
    if given is None and target.outputs:
        given = deployed.get("EncryptedAttributes") or DEFAULT_ATTRIBUTES
    appended = options["append"] if options["append"] is not None else deployed.get("AppendedAttributes")
    encoding = options["encoding"] or deployed.get("CiphertextEncoding") or Encoding.BASE64.value
    if encoding not in [one.value for one in Encoding]:
        raise UsageError(f"--encoding: {encoding} is neither base64 nor binary.")
    choice = Choice(
        attributes=_names(given),
        appended=_names(appended),
        key_arn=options["key"] or target.outputs.get("KeyArn"),
        rate=options["rate"],
        monthly_writes=options["monthly_writes"],
        single_writing_region=options["single_writing_region"] or deployed.get("SingleWritingRegion") == "true",
        encoding=Encoding(encoding),
        deployment=_deployment(deployed),
    )
    if given is not None and not choice.attributes:
        raise UsageError("--attributes names nothing.")
    if strangers := [name for name in choice.appended if name not in choice.attributes]:
        raise UsageError(f"--append: {', '.join(strangers)} is not among the attributes to encrypt.")
    request = Request(
        table=name,
        choice=choice,
        sample=options["sample"],
        read_units=options["read_units"],
        prices=options["prices"],
        cloudtrail=options["cloudtrail"],
        deployed=target.options if target.outputs else None,
    )
    with _Progress(output) as progress:
        return document(make(target.client, target.region, request, progress.told))


def _deployment(parameters: Mapping[str, str]) -> Any:
    """Return how the functions run, by the template's parameters; by their defaults where there is no stack."""
    from dynamodb_stream_encryptor.planning.cost import Deployment

    as_usual = Deployment()
    scheduled = {name: parameters.get(f"{name}ScheduleExpression", "daily") != "" for name in ("CatchUp", "Reencrypt")}
    return Deployment(
        architecture=parameters.get("Architecture") or as_usual.architecture,
        sweep_memory=int(parameters["MigratorMemory"]) / 1024
        if parameters.get("MigratorMemory")
        else as_usual.sweep_memory,
        sweeps_a_day=int(scheduled["CatchUp"]),
        renewals_a_day=int(scheduled["Reencrypt"]),
        renewed_after=int(parameters.get("ReencryptAfterDays") or as_usual.renewed_after or 0)
        if scheduled["Reencrypt"]
        else None,
    )


def _told(output: Output, plan: dict[str, Any], to: Path | None) -> int:
    if output.as_json:
        output.document(plan)
    else:
        from dynamodb_stream_encryptor.planning.words import show

        show(output, plan)
    if to is not None:
        _write(to, plan)
        output.note(f"Written: {to}")
    return NOT_AS_IT_SHOULD_BE if plan["inTheWay"] else OK


def _check_output(to: Path | None) -> None:
    """Refuse a file that cannot be written, before the table is read for it.

    Raises:
        UsageError: it cannot.
    """
    if to is None:
        return
    if to.suffix.lower() not in (".html", ".json"):
        raise UsageError("--output takes the name of a file that ends in .html or .json.")
    try:
        existed = to.exists()
        with to.open("a", encoding="utf-8"):
            pass
        if not existed:
            to.unlink()
    except OSError as error:
        raise UsageError(f"--output: {to} cannot be written: {error.strerror}.") from error


def _write(to: Path, plan: dict[str, Any]) -> None:
    if to.suffix.lower() == ".json":
        text = json_text(plan) + "\n"
    else:
        from dynamodb_stream_encryptor.planning.page import page

        text = page(plan)
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output: {to} cannot be written: {error.strerror}.") from error


def _names(text: str | None) -> tuple[str, ...]:
    """Return the names in a comma-separated list, each once."""
    return tuple(dict.fromkeys(name for part in (text or "").split(",") if (name := part.strip())))


class _Progress:
    """Shows how far reading is: in place on a terminal, as a line now and then in a log."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._last = time.monotonic()
        self._status: Any = None

    def __enter__(self) -> "_Progress":
        if self._output.is_terminal:
            self._status = self._output.notes.status("Looking at the table …")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def told(self, what: str, done: int, of: int | None) -> None:
        """Show how many of how many were read."""
        line = f"{done:,} of about {of:,} {what} read" if of and of >= done else f"{done:,} {what} read"
        if self._status is not None:
            self._status.update(line)
        elif time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            self._output.note(line)
