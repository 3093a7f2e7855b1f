"""`config`: the setting that switches encryption on and off while everything runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.commands.status import setting_text, state_text
from dynamodb_stream_encryptor.errors import OK, Unreachable, UsageError
from dynamodb_stream_encryptor.help_text import Group
from dynamodb_stream_encryptor.output import cell, json_text
from dynamodb_stream_encryptor.part import Part, narrows, part_of


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
        for key in answer.get("listedKeys") or ():
            operator.output.line(f"- {json_text(key, indent=None)}")
        if history := answer.get("history"):
            operator.output.line()
            operator.output.table(_history(history))
        return OK

    @command(group, "on")
    def on(
        operator: Operator,
        keys: Annotated[
            list[str] | None,
            typer.Option(
                metavar="KEY",
                help="""Only for the item of this key, as JSON, plain or DynamoDB's: '{"sessionId": "dlg-1", "userId":
                "alice"}'. Several keys: with commas between them, or the option again. At most 100.""",
            ),
        ] = None,
        keys_file: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="Only for the items of the keys in this file, one a line as for --keys."),
        ] = None,
        part: Annotated[
            str | None,
            typer.Option(metavar="PERCENT", help="Only for so many of all keys: 1%, 0.25%. Which, their hash tells."),
        ] = None,
        yes: Annotated[
            bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation where it was on for more.")
        ] = False,
        dry_run: dry.Option = False,
    ) -> int:
        """Switch encryption on: new writes are encrypted, and a sweep over the rest follows.

        Repeat it whenever you are not sure that the sweep does. With --keys, --keys-file or --part it is on for these
        items only, and off for all others: a canary. No sweep follows then; what is stored under listed keys is
        encrypted at once.
        """
        wanted = part_of(keys or (), keys_file, part)
        return _would_switch(operator, True, wanted) if dry_run else _switch(operator, True, yes, wanted)

    @command(group, "off")
    def off(
        operator: Operator,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")] = False,
        dry_run: dry.Option = False,
    ) -> int:
        """Switch encryption off: new writes stay in plaintext. What is encrypted stays readable."""
        return _would_switch(operator, False) if dry_run else _switch(operator, False, yes)


def _switch(operator: Operator, enabled: bool, confirmed: bool, part: Part | None = None) -> int:
    output, options = operator.output, operator.target.options
    config = operator.control.ask("config")
    before = _setting(config)
    if not enabled and not before["enabled"]:
        if output.as_json:
            output.document({"setting": before})
        else:
            output.line(f"Encryption is off already: nothing is changed. {setting_text(before)}")
        return OK
    fields: dict[str, Any] = {} if part is None else {"part": part}
    if not enabled or narrows(config, part):
        if not confirmed:
            _ask_for_confirmation(operator, part)
        fields["confirm"] = "switch-off"
    # The version was read before the question: a change by somebody else meanwhile is a conflict, not overruled.
    answer = operator.control.act("set-config", enabled=enabled, version=before["version"], **fields)
    if output.as_json:
        output.document(answer)
        return OK
    after = _setting(answer)
    already = "already " if before["version"] == after["version"] else ""
    output.line(f"Encryption is {already}{setting_text(after)}.")
    if part is not None:
        _show_what_follows(operator, part)
    elif enabled:
        output.line(
            "A sweep over the table follows, within a minute or two of the change, unless one has done it already: "
            f"`stream-encryptor watch {options}` follows it."
        )
    else:
        output.line(f"New writes stay in plaintext. `stream-encryptor decrypt {options}` decrypts the rest.")
    return OK


def _would_switch(operator: Operator, enabled: bool, part: Part | None = None) -> int:
    before = _setting(operator.control.ask("config"))
    answer = dry.asked(
        operator, "set-config", enabled=enabled, version=before["version"], part=part, confirm="switch-off"
    )
    if operator.output.as_json:
        return dry.document(operator, answer)
    output, wanted = operator.output, answer.get("wanted") or {}
    output.line(f"Encryption is {setting_text(before)}.")
    output.line(f"It would be {state_text(wanted)}." if answer.get("changes") else "It would stay as it is.")
    if answer.get("narrows"):
        output.line("New writes outside of that would be stored in plaintext, which has to be confirmed.")
    if sweeps := answer.get("stops"):
        output.line(f"It would stop the sweep {', '.join(map(str, sweeps))}.")
    follows = {"sweep": "A sweep over the table would follow.", "listed-keys": "The listed keys would be encrypted."}
    return dry.done(operator, follows.get(str(answer.get("follows")), "No sweep would follow."))


def _setting(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    setting = answer.get("setting")
    if not (isinstance(setting, dict) and isinstance(setting.get("enabled"), bool) and "version" in setting):
        raise Unreachable("The control function tells of a setting in an unknown shape.", "unexpected-answer")
    return setting


def _show_what_follows(operator: Operator, part: Part) -> None:
    output, options = operator.output, operator.target.options
    output.line("All other items are left in plaintext, or brought back to it as they are read.")
    if "keys" in part:
        output.line("What is stored under these keys is encrypted within a minute or two.")
    else:
        output.line(
            "Of what is stored already, the part is encrypted as it is written or read. "
            f"`stream-encryptor migrate {options}` encrypts it now."
        )
    output.line(f"`stream-encryptor verify {options}` tells how the part stands.")


def _ask_for_confirmation(operator: Operator, part: Part | None) -> None:
    whose = "New writes" if part is None else "New writes outside of the part"
    operator.output.note(
        f"{whose} to the table of {operator.target.name} will be stored in plaintext from now on.", style="yellow"
    )
    try:
        question = "Switch encryption off?" if part is None else "Have encryption on for this part only?"
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise UsageError("Nobody is there to confirm: nothing is changed. Give --yes.", "not-confirmed") from None
    if not agreed:
        raise UsageError("Nothing is changed.", "not-confirmed")


def _history(history: list[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("version", "encryption", "changed", "by"):
        table.add_column(name, justify="right" if name == "version" else "left", overflow="fold")
    for entry in history:
        state = state_text(entry)
        table.add_row(cell(entry.get("version")), state, cell(entry.get("changedAt")), cell(entry.get("changedBy")))
    return table
