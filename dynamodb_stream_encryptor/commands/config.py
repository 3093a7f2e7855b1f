"""`config`: the setting that switches encryption on and off while everything runs."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.status import setting_text
from dynamodb_stream_encryptor.errors import OK, Unreachable, UsageError
from dynamodb_stream_encryptor.help_text import Group
from dynamodb_stream_encryptor.output import cell


def add(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Show and change the setting.", no_args_is_help=True, cls=Group)
    app.add_typer(group, name="config")

    @command(group, "show")
    def show(operator: Operator) -> int:
        """Show the setting and its history."""
        answer = operator.control.ask("config")
        if operator.output.as_json:
            operator.output.document(answer)
            return OK
        operator.output.line(f"Encryption is {setting_text(answer.get('setting') or {})}.")
        if history := answer.get("history"):
            operator.output.line()
            operator.output.table(_history(history))
        return OK

    @command(group, "on")
    def on(operator: Operator) -> int:
        """Switch encryption on: new writes are encrypted, and a sweep over the rest follows.

        Repeat it whenever you are not sure that the sweep does.
        """
        return _switch(operator, True)

    @command(group, "off")
    def off(
        operator: Operator,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")] = False,
    ) -> int:
        """Switch encryption off: new writes stay in plaintext. What is encrypted stays readable."""
        return _switch(operator, False, confirmed=yes)


def _switch(operator: Operator, enabled: bool, confirmed: bool = False) -> int:
    output, options = operator.output, operator.target.options
    before = _setting(operator.control.ask("config"))
    if not enabled and not before["enabled"]:
        if output.as_json:
            output.document({"setting": before})
        else:
            output.line(f"Encryption is off already: nothing is changed. {setting_text(before)}")
        return OK
    confirmation = {}
    if not enabled:
        if not confirmed:
            _ask_for_confirmation(operator)
        confirmation = {"confirm": "switch-off"}
    # The version was read before the question: a change by somebody else meanwhile is a conflict, not overruled.
    answer = operator.control.act("set-config", enabled=enabled, version=before["version"], **confirmation)
    if output.as_json:
        output.document(answer)
        return OK
    already = "already " if before["enabled"] is enabled else ""
    output.line(f"Encryption is {already}{setting_text(_setting(answer))}.")
    if enabled:
        output.line(
            "A sweep over the table follows, within a minute or two of the change, unless one has done it already: "
            f"`stream-encryptor watch {options}` follows it."
        )
    else:
        output.line(f"New writes stay in plaintext. `stream-encryptor decrypt {options}` decrypts the rest.")
    return OK


def _setting(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    setting = answer.get("setting")
    if not (isinstance(setting, dict) and isinstance(setting.get("enabled"), bool) and "version" in setting):
        raise Unreachable("The control function tells of a setting in an unknown shape.", "unexpected-answer")
    return setting


def _ask_for_confirmation(operator: Operator) -> None:
    operator.output.note(
        f"New writes to the table of {operator.target.name} will be stored in plaintext from now on.", style="yellow"
    )
    try:
        agreed = typer.confirm("Switch encryption off?", err=True)
    except typer.Abort:
        raise UsageError("Nobody is there to confirm: nothing is changed. Give --yes.", "not-confirmed") from None
    if not agreed:
        raise UsageError("Nothing is changed.", "not-confirmed")


def _history(history: list[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("version", "encryption", "changed", "by"):
        table.add_column(name, justify="right" if name == "version" else "left", overflow="fold")
    for entry in history:
        state = "on" if entry.get("enabled") else "off"
        table.add_row(cell(entry.get("version")), state, cell(entry.get("changedAt")), cell(entry.get("changedBy")))
    return table
