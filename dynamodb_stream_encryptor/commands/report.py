"""`report`: evidence for people who ask, as JSON and as a page."""

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final

import typer

from dynamodb_stream_encryptor.backups import Backup, read_backup, read_backups
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.sweeps import Deep, Force, Interval, MayBeAbsent, Rate, Segments, start
from dynamodb_stream_encryptor.errors import NOT_AS_IT_SHOULD_BE, OK, UsageError
from dynamodb_stream_encryptor.follow import follow
from dynamodb_stream_encryptor.output import json_text
from dynamodb_stream_encryptor.report import Findings, evidence
from dynamodb_stream_encryptor.report_html import page
from dynamodb_stream_encryptor.sweep import Sweep, read_sweep

_PANEL: Final = "The evidence"
_MOST_FAILURES: Final = 50
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
                help="A folder, or a file's name: .json and .html are written either way.",
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
        segments: Segments = 4,
        rate: Rate = None,
        force: Force = False,
        interval: Interval = 2.0,
    ) -> int:
        """Verify the table and write the evidence: an .html page to read, and the same as .json.

        Exit code 1 where something in it is not as it should be. The older backups are what you list: the system does
        not know of others.
        """
        listed = [*(read_backup(text) for text in backup or ()), *(read_backups(backups) if backups else ())]
        if sweep is None:
            begun, _ = start(operator, goal="verify", segments=segments, rate=rate, force=force, deep=deep)
            operator.output.note(f"Started the sweep {begun.id}.")
            verification, _ = follow(operator, begun.id, interval)
        else:
            verification = _finished(operator, sweep)
        return _write(operator, verification, listed, may_be_absent or [], to)


def _finished(operator: Operator, sweep_id: str) -> Sweep:
    verification = read_sweep(operator.control.ask("sweep", sweep=sweep_id).get("sweep"))
    if verification.goal != "verify" or verification.state != "done":
        raise UsageError(
            f"The sweep {sweep_id} is no finished verification: its goal is {verification.goal}, and it is "
            f"{verification.state}."
        )
    return verification


def _write(operator: Operator, verification: Sweep, backups: list[Backup], may_be_absent: list[str], to: Path) -> int:
    now = datetime.now(UTC)
    document = evidence(
        Findings(
            stack=operator.target.name,
            region=operator.target.region,
            who=operator.target.who,
            now=now,
            status=operator.control.ask("status"),
            config=operator.control.ask("config"),
            failures=operator.control.ask("failures", max=_MOST_FAILURES),
            verification=verification,
            backups=backups,
            versions=_versions(),
            may_be_absent=may_be_absent,
        )
    )
    json_path, html_path = _paths(to, str(document["table"]["name"]), now)
    text = f"{json_text(document)}\n"
    html = page(document, json_path.name, hashlib.sha256(text.encode()).hexdigest())
    try:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(text, encoding="utf-8")
        html_path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--output: {error.filename} cannot be written: {error.strerror}.") from error
    output = operator.output
    if output.as_json:
        output.document(document)
    for finding in document["findings"]:
        output.note(finding, style="red")
    tell = output.note if output.as_json else output.line
    tell(f"Evidence: {html_path} and {json_path.name}")
    return NOT_AS_IT_SHOULD_BE if document["findings"] else OK


def _paths(to: Path, table: str, now: datetime) -> tuple[Path, Path]:
    if to.suffix.lower() in (".json", ".html") and not to.is_dir():
        return to.with_suffix(".json"), to.with_suffix(".html")
    # A table's name holds letters, digits, dots, hyphens and underscores only, so it is safe in a file's.
    stem = f"evidence-{table}-{now:%Y%m%dT%H%M%SZ}"
    return to / f"{stem}.json", to / f"{stem}.html"


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return {**versions, "python": platform.python_version()}
