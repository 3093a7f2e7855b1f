"""`python -m local demo`: what the application does, shown on a stack of its own and checked on the way."""

import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dynamodb_stream_encryptor.counted import counted
from item_crypto.core.codec import item_size
from local.errors import LocalStackError
from local.sessions import SAMPLES, load_sessions
from local.stack import LocalStack
from local.state import STATE_DIRECTORY

SECRETS = ("history", "configuration")
POISON = {"sessionId": "poison", "userId": "mallory", "name": "Not a ciphertext", "encrypted_history": "%%%"}
_PATIENCE = 120.0  # seconds for the encryption of all sessions
_WIDTH = 96


@dataclass
class Checks:
    """What was checked, and whether it was as it should be."""

    console: Console
    failed: list[str] = field(default_factory=list)

    def check(self, holds: bool, claim: str) -> None:
        """Print a claim and remember it where it does not hold."""
        self.console.print(f"  [green]✓[/] {claim}" if holds else f"  [bold red]✗ {claim}[/]", highlight=False)
        if not holds:
            self.failed.append(claim)


def run(sessions: Path | None = None) -> int:
    """Run the demo and return its exit code: 1 if anything is not as it should be."""
    console = Console(width=None if Console().is_terminal else _WIDTH)
    written = list(load_sessions(sessions or SAMPLES))
    if not written:
        raise LocalStackError("there are no sessions to write")
    checks = Checks(console)
    _heading(console, "Starting the stack: template.yaml on this machine")
    logs = STATE_DIRECTORY / "demo"  # Of its own, so that a stack that runs beside it is left alone.
    shutil.rmtree(logs, ignore_errors=True)
    with LocalStack(state_directory=logs) as stack:
        console.print(f"  table {stack.outputs['TableName']}, API {stack.api_url}", highlight=False)
        _write(console, stack, written)
        _wait(console, stack, len(written))
        stack.wait_until_idle()
        stored = _scan(stack)
        _show_before_and_after(console, written, stored)
        _check_stored(checks, written, stored)
        _check_api(checks, stack, written)
        _check_failure_queue(checks, stack)
        _summary(console, stack, written, stored)
    if checks.failed:
        console.print(f"\n[bold red]{len(checks.failed)} of the checks failed.[/]")
        return 1
    console.print("\n[bold green]All is as it should be.[/]")
    return 0


def _heading(console: Console, text: str) -> None:
    console.print(f"\n[bold]{text}[/]", highlight=False)


def _write(console: Console, stack: LocalStack, sessions: Sequence[Mapping[str, Any]]) -> None:
    """Write as any application does that knows nothing of encryption."""
    number = counted(len(sessions), "session")
    _heading(console, f"An unchanged writer puts {number} and a poison item, with plain boto3")
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    with _progress(console) as progress:
        bar = progress.add_task("written", total=len(sessions))
        for session in sessions:
            try:
                table.put_item(Item=dict(session))
            except (ClientError, TypeError) as error:
                raise LocalStackError(f"session {session['sessionId']} was refused: {error}") from error
            progress.advance(bar)
    table.put_item(Item=POISON)
    if not console.is_terminal:
        console.print(f"  {len(sessions)} written", highlight=False)


def _wait(console: Console, stack: LocalStack, total: int) -> None:
    _heading(console, "The stream triggers the function, which re-writes them encrypted")
    deadline = time.monotonic() + _PATIENCE
    shown = -1
    with _progress(console) as progress:
        bar = progress.add_task("encrypted", total=total)
        while True:
            plaintext = sum(_is_plaintext(item) for item in _scan(stack))
            progress.update(bar, completed=total - plaintext)
            if not console.is_terminal and total - plaintext != shown:
                shown = total - plaintext
                console.print(f"  {shown} of {total} encrypted", highlight=False)
            if not plaintext or time.monotonic() > deadline:
                return
            time.sleep(0.25)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _scan(stack: LocalStack) -> list[dict[str, Any]]:
    pages = stack.client("dynamodb").get_paginator("scan")
    return [
        item
        for page in pages.paginate(TableName=stack.outputs["TableName"], ConsistentRead=True)
        for item in page["Items"]
        if item["sessionId"]["S"] != POISON["sessionId"]
    ]


def _is_plaintext(item: Mapping[str, Any]) -> bool:
    return any(name in item for name in SECRETS)


def _show_before_and_after(
    console: Console, sessions: Sequence[Mapping[str, Any]], stored: Iterable[Mapping[str, Any]]
) -> None:
    before = next((s for s in sessions if s.get("history")), sessions[0])
    after = next(i for i in stored if _key(i) == (before["sessionId"], before["userId"]))
    table = Table(width=min(console.width, 120), show_lines=False)
    table.add_column("as the writer put it", ratio=1, overflow="fold")
    table.add_column("as the table holds it now", ratio=1, overflow="fold")
    table.add_row(_lines(before), _lines({name: next(iter(value.values())) for name, value in after.items()}))
    console.print(table, highlight=False)


def _lines(item: Mapping[str, Any]) -> str:
    def shown(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
        return text if len(text) <= 60 else f"{text[:58]}… ({len(text):,})"

    return "\n".join(f"{name}: {shown(value)}".replace("[", "\\[") for name, value in item.items())


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["sessionId"]["S"], item["userId"]["S"]


def _check_stored(checks: Checks, sessions: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]) -> None:
    _heading(checks.console, "In the table")
    expected = {(s["sessionId"], s["userId"]): s for s in sessions}
    number = counted(len(expected), "item")
    checks.check({_key(item) for item in stored} == expected.keys(), f"{number}, none lost, none added")
    left = sum(_is_plaintext(item) for item in stored)
    checks.check(left == 0, f"plaintext left: {left}")
    secrets = [item for item in stored if any(name in expected.get(_key(item), {}) for name in SECRETS)]
    marked = sum(item.get("is_encrypted") == {"BOOL": True} for item in secrets)
    checks.check(marked == len(secrets), f"marked as encrypted: {marked} of {len(secrets)}")


def _check_api(checks: Checks, stack: LocalStack, sessions: Sequence[Mapping[str, Any]]) -> None:
    _heading(checks.console, "Through the API")
    newest = {(s["sessionId"], s["userId"]): s for s in sessions}
    equal = 0
    for (session_id, user), session in newest.items():
        status, answer = _get(stack, f"/session/{urllib.parse.quote(session_id, safe='')}", stack.token(user))
        equal += status == 200 and all(answer.get(name) == session.get(name) for name in session)
    checks.check(
        equal == len(newest), f"read back by their owners, equal to what was written: {equal} of {len(newest)}"
    )
    session_id, user = next(iter(newest))
    path = f"/session/{urllib.parse.quote(session_id, safe='')}"
    status, _ = _get(stack, path, stack.token(f"not-{user}"))
    checks.check(status == 404, f"the same session, asked for by somebody else: {status}")
    status, _ = _get(stack, path, None)
    checks.check(status == 401, f"the same session, without a token: {status}")


def _get(stack: LocalStack, path: str, token: str | None) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(stack.api_url + path, headers=headers)  # noqa: S310 - the stack's own URL
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response, parse_float=Decimal, parse_int=Decimal)
    except urllib.error.HTTPError as error:
        return error.code, {}


def _check_failure_queue(checks: Checks, stack: LocalStack) -> None:
    _heading(checks.console, "In the failure queue")
    answer = stack.client("sqs").receive_message(
        QueueUrl=stack.outputs["FailureQueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=2
    )
    letters = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    reasons = [letter.get("reason") for letter in letters]
    checks.check(reasons == ["unknown-form"], f"the poison item alone, with its reason: {reasons}".replace("[", "\\["))
    for letter in letters:
        checks.console.print(f"    {json.dumps(letter)}", highlight=False, markup=False, soft_wrap=True)


def _summary(
    console: Console, stack: LocalStack, sessions: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> None:
    before = sum(item_size({n: TypeSerializer().serialize(v) for n, v in s.items()}) for s in sessions)
    after = sum(map(item_size, stored))
    windows = plaintext_windows(stack.log_files["StreamEncryptorFunction"])
    table = Table(title="Summary", title_justify="left", show_header=False, min_width=48)
    table.add_row("items", f"{len(stored):,}")
    table.add_row("plaintext left", f"{sum(map(_is_plaintext, stored)):,}")
    if len(windows) > 1:
        percentiles = quantiles(windows, n=100, method="inclusive")
        table.add_row("plaintext window p50", f"{percentiles[49]:,.0f} ms")
        table.add_row("plaintext window p99", f"{percentiles[98]:,.0f} ms")
    table.add_row("bytes before", f"{before:,}")
    table.add_row("bytes after", f"{after:,} ({after / before:.0%})")
    console.print()
    console.print(table, highlight=False)


def plaintext_windows(log: Path) -> list[float]:
    """Return the plaintext windows, in milliseconds, that a function measured, from the metrics in its log."""
    windows: list[float] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"PlaintextWindow"' in line:
            try:
                value = json.loads(line)["PlaintextWindow"]
            except (ValueError, KeyError):
                continue
            windows += value if isinstance(value, list) else [value]
    return windows
