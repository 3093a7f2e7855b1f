"""`report`: evidence for people who ask, as JSON and as a page."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dynamodb_stream_encryptor.backups import Backup, read_backup, read_backups
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.sweeps import Deep, MayBeAbsent, Options, start
from dynamodb_stream_encryptor.control import Answer
from dynamodb_stream_encryptor.errors import NOT_AS_IT_SHOULD_BE, OK, Unreachable, UsageError
from dynamodb_stream_encryptor.evidence_place import check_writable, names_file
from dynamodb_stream_encryptor.follow import follow
from dynamodb_stream_encryptor.sweep import read_sweep

_PANEL: Final = "The evidence"
_PACKAGES: Final = ("dynamodb-stream-encryptor", "boto3")


def add(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "report")
    def report(
        operator: Operator,
        to: Annotated[
            Path,
            typer.Option(
                "--output",
                metavar="DIR|FILE",
                help="A folder, or a file's name: .json and .html are written either way, and never over others.",
                rich_help_panel=_PANEL,
            ),
        ] = Path(),
        sweep: Annotated[
            str | None,
            typer.Option(metavar="ID", help="Use this finished verify sweep, and run none.", rich_help_panel=_PANEL),
        ] = None,
        backup: Annotated[
            list[str] | None,
            typer.Option(
                metavar="NAME=MADE[/DELETED]",
                help="An older backup of the table, with the day it was made and the day it will be deleted. "
                "May be repeated.",
                rich_help_panel=_PANEL,
            ),
        ] = None,
        backups: Annotated[
            Path | None,
            typer.Option(
                metavar="FILE",
                help="Older backups as JSON, also as `aws dynamodb list-backups` prints them.",
                rich_help_panel=_PANEL,
            ),
        ] = None,
        deep: Deep = False,
        may_be_absent: MayBeAbsent = None,
        *,
        options: Options,
    ) -> int:
        """Verify the table and write the evidence: an .html page to read, and the same as .json.

        Exit code 1 where something in it is not as it should be; that encryption is off is such a thing, which
        `verify`, judging by the setting, lets pass. The older backups are what you list: the system does not know of
        others.
        """
        check_writable(to)
        listed = [*(read_backup(text) for text in backup or ()), *(read_backups(backups) if backups else ())]
        if sweep is None:
            begun, _ = start(operator, options, goal="verify", deep=deep)
            operator.output.note(f"Started the sweep {begun.id}.")
            follow(operator, begun.id, options.interval)
            sweep = begun.id
        else:
            _check_finished(operator, sweep)
        return _write(operator, sweep, listed, may_be_absent or [], to)


def _check_finished(operator: Operator, sweep_id: str) -> None:
    verification = read_sweep(operator.control.ask("sweep", sweep=sweep_id).get("sweep"))
    if verification.goal != "verify" or verification.state != "done":
        raise UsageError(
            f"The sweep {sweep_id} is no finished verification: its goal is {verification.goal}, and it is "
            f"{verification.state}."
        )


def _write(operator: Operator, sweep_id: str, backups: list[Backup], may_be_absent: list[str], to: Path) -> int:
    is_file = names_file(to)
    answer = operator.control.act(
        "report",
        sweep=sweep_id,
        mayBeAbsent=may_be_absent,
        backups=[backup.as_json() for backup in backups],
        versions=_versions(),
        html=True,
        **({"name": to.stem} if is_file else {}),
    )
    document, name, json_text, html = _understood(answer)
    folder = to.parent if is_file else to
    json_path, html_path = folder / f"{name}.json", folder / f"{name}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in ((json_path, json_text), (html_path, html)):
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(
            f"--output: {error.filename} cannot be written: {error.strerror}. The verification is done: "
            f"`stream-encryptor report --sweep {sweep_id} {operator.target.options}` uses it."
        ) from error
    output = operator.output
    if output.as_json:
        output.document(document)
    for finding in document["findings"]:
        output.note(finding, style="red")
    tell = output.note if output.as_json else output.line
    tell(f"Evidence: {html_path} and {json_path.name}")
    return NOT_AS_IT_SHOULD_BE if document["findings"] else OK


def _understood(answer: Answer) -> tuple[Mapping[str, Any], str, str, str]:
    """Return the document, what its files are called, and what is in them.

    Raises:
        Unreachable: the answer is no report.
    """
    match answer:
        case {
            "report": {"findings": list()} as document,
            "name": str(name),
            "json": str(json_text),
            "html": str(html),
        } if name and Path(name).name == name:
            return document, name, json_text, html
    raise Unreachable("The control function reports in an unknown shape.", "unexpected-answer")


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return {**versions, "python": platform.python_version()}
