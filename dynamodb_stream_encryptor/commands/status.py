"""`status`: how everything stands."""

from collections.abc import Mapping
from typing import Any

import typer

from dynamodb_stream_encryptor.command import Operator, command
from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.errors import OK
from dynamodb_stream_encryptor.output import facts
from dynamodb_stream_encryptor.part import part_text
from dynamodb_stream_encryptor.progress import progress_line, standstill
from dynamodb_stream_encryptor.sweep import read_sweep
from dynamodb_stream_encryptor.sweep_text import sweeps_table


def add(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "status")
    def status(operator: Operator) -> int:
        """Show the setting, the table, the sweeps, the queues and the key."""
        answer = operator.control.ask("status")
        if operator.output.as_json:
            operator.output.document(answer)
            return OK
        operator.output.table(facts(summary(answer)))
        sweeps = [read_sweep(sweep) for sweep in answer.get("sweeps") or ()]
        operator.output.line()
        if sweeps:
            operator.output.table(sweeps_table(sweeps))
            for sweep in sweeps:
                if sweep.state == "running":
                    operator.output.line(progress_line(sweep))
            for words in filter(None, map(standstill, sweeps)):
                operator.output.line(f"A sweep stands still: {words}.", style="yellow")
        else:
            operator.output.line("No sweep was ever started. `migrate` encrypts what is in the table already.")
        return OK


def summary(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values for people."""
    key, recovery = answer.get("key") or {}, answer.get("recovery") or {}
    items = answer.get("tableItemCount")
    facts = [
        ("table", f"{answer.get('table')}" + (f", about {counted(items, 'item')}" if items is not None else "")),
        ("attributes", ", ".join(answer.get("attributes") or ())),
        *([("no longer encrypted", ", ".join(earlier))] if (earlier := answer.get("earlierAttributes")) else ()),
        ("encryption", setting_text(answer.get("setting") or {})),
        ("stream mapping", str((answer.get("mapping") or {}).get("state") or "unknown")),
        ("failure queue", _messages(answer, "failureQueue")),
        ("work queue", _messages(answer, "workQueue")),
        ("deferred keys", _messages(answer, "deferredQueue")),
        ("key", f"{key.get('arn')}, {key.get('state')}"),
        ("rotation", rotation_text(key)),
    ]
    facts += [("earlier key", str(arn)) for arn in answer.get("earlierKeys") or ()]
    if (tenants := answer.get("tenantKeys")) is not None:
        whose = f"one for each {tenants.get('attribute')}" if tenants.get("attribute") else "one for all items"
        read_only = "" if tenants.get("writes") else ", only read"
        facts.append(("branch keys", f"{whose}, in {tenants.get('table')}{read_only}"))
    window = f", {recovery.get('earliest')} to {recovery.get('latest')}" if recovery.get("earliest") else ""
    facts.append(("point in time", f"recovery on{window}" if recovery.get("pitr") else "recovery off"))
    return facts


def setting_text(setting: Mapping[str, Any]) -> str:
    """Return the setting in words."""
    state = state_text(setting)
    if not setting.get("version"):
        return f"{state} (as deployed, never changed)"
    return f"{state} (version {setting['version']}, by {setting.get('changedBy')}, {setting.get('changedAt')})"


def state_text(setting: Mapping[str, Any]) -> str:
    """Return whether encryption is on, and for which part."""
    if not setting.get("enabled"):
        return "off"
    part = setting.get("part")
    return "on" if part is None else f"on for {part_text(part)} only"


def rotation_text(key: Mapping[str, Any]) -> str:
    """Return a key's rotation in words."""
    if key.get("rotationEnabled") is None:
        return "unknown"
    if not key["rotationEnabled"]:
        return "off"
    period = f"every {counted(key['rotationPeriodInDays'], 'day')}" if key.get("rotationPeriodInDays") else "on"
    return f"{period}, next {key['nextRotationDate']}" if key.get("nextRotationDate") else period


def _messages(answer: Mapping[str, Any], queue: str) -> str:
    number = (answer.get(queue) or {}).get("messages")
    if number is None:
        return "unknown"
    hint = " (see `failures list`)" if number and queue == "failureQueue" else ""
    return f"{counted(number, 'message')}{hint}"
