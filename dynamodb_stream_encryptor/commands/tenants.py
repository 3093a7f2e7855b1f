"""`tenants`: the branch keys of a stack whose KeyringType is hierarchical."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from dynamodb_stream_encryptor import dry_run as dry
from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.errors import NOT_AS_IT_SHOULD_BE, OK, Unreachable, UsageError
from dynamodb_stream_encryptor.help_text import Group
from dynamodb_stream_encryptor.output import cell

Tenant = Annotated[
    str,
    typer.Argument(metavar="TENANT", help="The tenant, as the items' key has it; bytes in base64."),
]
OneTenant = Annotated[
    str | None,
    typer.Argument(metavar="[TENANT]", help="The tenant; left out only where all items have one branch key."),
]

STILL_READABLE: Final = {
    "plaintext": "in plaintext",
    "mixed": "partly in plaintext",
    "oldForm": "in the old form",
    "underKms": "under a KMS key",
    "undecryptable": "under a key that is not listed",
    "otherCiphertext": "with ciphertext that no listed attribute is behind",
}
"""What would outlive a branch key, by the names that the control function counts by."""


def add(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="A key for each tenant: list, make and rotate them, shred a tenant.", no_args_is_help=True, cls=Group
    )
    app.add_typer(group, name="tenants")

    @command(group, "list")
    def list_tenants(
        operator: Operator,
        tenant: Annotated[str | None, typer.Argument(metavar="[TENANT]", help="Only that of this tenant.")] = None,
    ) -> int:
        """List branch keys, and tombstones of those that were destroyed. The keys themselves are never shown."""
        found = _listed(operator, tenant)
        if operator.output.as_json:
            operator.output.document({"branchKeys": found})
        elif found:
            operator.output.table(_table(found))
        else:
            operator.output.line("No branch keys: each is made when the first item of its tenant is migrated.")
        return OK

    @command(group, "make")
    def make(operator: Operator, tenant: OneTenant = None, dry_run: dry.Option = False) -> int:
        """Make the branch key of a tenant before its first item comes, so that nothing waits under the KMS key."""
        if dry_run:
            state = _state(operator, tenant)
            would = "be made" if state == "absent" else "stay as it is"
            return _would(operator, state, f"The branch key is {state}: it would {would}.")
        answer = operator.control.act("make-branch-key", **_of(tenant))
        if operator.output.as_json:
            operator.output.document(answer)
        else:
            was = "made" if answer.get("made") else "there already"
            operator.output.line(f"The branch key {_id(answer)} is {was}.")
        return OK

    @command(group, "rotate")
    def rotate(operator: Operator, tenant: OneTenant = None, dry_run: dry.Option = False) -> int:
        """Give a tenant's branch key a new version. What is under earlier ones stays so, and stays readable."""
        if dry_run:
            state = _state(operator, tenant)
            would = "have a new version" if state == "active" else "not be rotated"
            return _would(operator, state, f"The branch key is {state}: it would {would}.")
        answer = operator.control.act("rotate-branch-key", **_of(tenant))
        if operator.output.as_json:
            operator.output.document(answer)
        else:
            operator.output.line(
                f"The branch key {_id(answer)} has a new version, which writes use once functions forget the one that "
                "they keep (BranchKeyCacheSeconds)."
            )
        return OK

    @command(group, "shred")
    def shred(
        operator: Operator,
        tenant: Tenant,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")] = False,
        dry_run: dry.Option = False,
    ) -> int:
        """Destroy a tenant's branch key: all that is encrypted of the tenant becomes unreadable, for good.

        First every item of the tenant is looked at, which reads the whole table. Nothing is destroyed while one of
        them is in plaintext, under a KMS key or in the old form. What the tenant writes afterwards is not encrypted:
        it fails, and stays in plaintext.
        """
        if dry_run:
            return _would_shred(operator, tenant)
        if not yes:
            _ask_for_confirmation(operator, tenant)
        items, answer = _shred(operator, tenant)
        if operator.output.as_json:
            operator.output.document({**answer, "items": items})
            return OK
        output = operator.output
        output.line(
            f"The branch key {_id(answer)} is destroyed: {counted(items, 'item')} of the tenant cannot be read."
        )
        output.line("Until then copies can be, by whoever has the rights:")
        output.table(_readable(answer))
        return OK


def _listed(operator: Operator, tenant: str | None) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    fields = _of(tenant)
    while True:
        answer = operator.control.ask("branch-keys", **fields)
        found += [each for each in answer.get("branchKeys") or () if each.get("state") != "absent"]
        if (after := answer.get("after")) is None:
            return found
        fields = {"after": after}


def _state(operator: Operator, tenant: str | None) -> str:
    answer = operator.control.ask("branch-keys", tenant=tenant or "")
    return str((answer.get("branchKeys") or [{}])[0].get("state"))


def _would(operator: Operator, state: str, text: str) -> int:
    return dry.document(operator, {"state": state}) if operator.output.as_json else dry.done(operator, text)


def _would_shred(operator: Operator, tenant: str) -> int:
    items, readable, cursor = 0, dict[str, int](), None
    while True:
        answer = operator.control.act("look-at-tenant", tenant=tenant, **_after(cursor))
        items, cursor = items + int(answer.get("items") or 0), answer.get("cursor")
        for name, number in (answer.get("readable") or {}).items():
            readable[str(name)] = readable.get(str(name), 0) + int(number)
        if cursor is None:
            break
        operator.output.note(f"{counted(items, 'item')} of the tenant looked at.")
    state = (answer.get("branchKey") or {}).get("state")
    if operator.output.as_json:
        dry.document(operator, {"state": state, "items": items, "readable": readable})
    else:
        for name, number in readable.items():
            operator.output.line(f"{number:,} {STILL_READABLE.get(name, name)}")
        would = "would not be destroyed" if readable or state != "active" else "would be destroyed"
        dry.done(operator, f"The tenant has {counted(items, 'item')}; its branch key is {state}, and {would}.")
    return NOT_AS_IT_SHOULD_BE if readable else OK


def _shred(operator: Operator, tenant: str) -> tuple[int, Mapping[str, Any]]:
    items, cursor = 0, None
    while True:
        answer = operator.control.act("shred-tenant", tenant=tenant, confirm=tenant, **_after(cursor))
        items, cursor = items + int(answer.get("items") or 0), answer.get("cursor")
        if answer.get("shredded"):
            return items, answer
        if cursor is None:
            raise Unreachable("The control function neither destroyed the key nor went on.", "unexpected-answer")
        operator.output.note(f"{counted(items, 'item')} of the tenant looked at.")


def _ask_for_confirmation(operator: Operator, tenant: str) -> None:
    operator.output.note(
        f"All that is encrypted of the tenant {tenant} in the table of {operator.target.name} will be unreadable, for "
        "good.",
        style="yellow",
    )
    try:
        typed = typer.prompt("Type the tenant's name to go on", err=True)
    except typer.Abort:
        raise UsageError("Nobody is there to confirm: nothing is destroyed. Give --yes.", "not-confirmed") from None
    if typed != tenant:
        raise UsageError("That is another name: nothing is destroyed.", "not-confirmed")


def _of(tenant: str | None) -> dict[str, str]:
    return {} if tenant is None else {"tenant": tenant}


def _after(cursor: Any) -> dict[str, Any]:
    return {} if cursor is None else {"cursor": cursor}


def _id(answer: Mapping[str, Any]) -> str:
    return str((answer.get("branchKey") or {}).get("branchKeyId"))


def _table(found: list[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("tenant", "state", "since", "branch key"):
        table.add_column(name, overflow="fold")
    for each in found:
        tenant = each.get("tenant")
        table.add_row(
            cell("" if tenant is None else tenant or "(all)"),
            cell(each.get("state"), "bold red" if each.get("state") == "destroyed" else ""),
            cell(each.get("since")),
            cell(each.get("branchKeyId")),
        )
    return table


def _readable(answer: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in answer.get("readable") or ():
        table.add_row(cell(each.get("until") or "until deleted"), cell(each.get("what")))
    return table
