"""Migration and control on the local stack, by the operator's commands, with real input where SESSIONS_FILE names it.

The sessions are loaded while the stream's mapping is disabled, with items in LISA's old form and LISA items with stale
plaintext among them.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import LocalStack
from local.__main__ import announced
from local.sessions import SAMPLES, load_sessions
from tests import lisa
from tests.tables import create_table

Session = dict[str, Any]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    with LocalStack(state_directory=tmp_path, parameters={"SettingCacheSeconds": "1"}) as running, announced(running):
        yield running


@pytest.fixture
def sessions() -> list[Session]:
    path = Path(os.environ.get("SESSIONS_FILE", SAMPLES))
    loaded = list(load_sessions(path if path.exists() else SAMPLES))
    few = loaded * 10 if len(loaded) < 100 else loaded
    return [{**s, "sessionId": f"{s['sessionId']}-{n}"} for n, s in enumerate(few)]


def command(stack: LocalStack, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run an operator's command and return what it printed as JSON."""
    name, *rest = arguments
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dynamodb_stream_encryptor",
            name,
            *rest,
            "--json",
            "--local",
            "--state-directory",
            str(stack.state_directory),
        ],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return json.loads(done.stdout) if done.stdout.strip() else {}


def mapping(stack: LocalStack, enabled: bool) -> None:
    client = stack.client("lambda")
    (found,) = (
        m for m in client.list_event_source_mappings()["EventSourceMappings"] if ":dynamodb:" in m["EventSourceArn"]
    )
    client.update_event_source_mapping(UUID=found["UUID"], Enabled=enabled)
    stack.wait_until_idle()  # Which also looks at the mappings anew.


def load(stack: LocalStack, sessions: list[Session]) -> dict[str, Session]:
    """Load the sessions, a tenth of them as LISA stores them; return what each has to read back as."""
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    kms = stack.client("kms")
    newest = {}
    for number, session in enumerate(sessions):
        item, expected = dict(session), dict(session)
        if number % 10 == 3 and session.get("history"):
            context = {name: session[name] for name in ("userId", "sessionId")} | {"purpose": "session-encryption"}
            # LISA encrypted the conversation after one more message, and left the plaintext where it was.
            expected["history"] = [*session["history"], {"type": "ai", "content": f"newest {number}"}]
            text = lisa.ciphertext(
                kms, stack.outputs["KeyArn"], json.loads(json.dumps(expected["history"], default=float)), context
            )
            expected["history"] = json.loads(json.dumps(expected["history"], default=float))
            item |= {"encrypted_history": text, "encryption_version": "1.0", "is_encrypted": True}
            if number % 20 == 3:
                del item["history"]
        table.put_item(Item=item)
        newest[session["sessionId"]] = expected
    return newest


def items(stack: LocalStack) -> dict[str, dict[str, Any]]:
    pages = stack.client("dynamodb").get_paginator("scan")
    found = [item for page in pages.paginate(TableName=stack.outputs["TableName"]) for item in page["Items"]]
    return {item["sessionId"]["S"]: item for item in found}


def read(stack: LocalStack, session: Session) -> dict[str, Any]:
    """Return a session as the item reader gives it, values as plain JSON."""
    from boto3.dynamodb.types import TypeDeserializer

    key = {name: {"S": session[name]} for name in ("sessionId", "userId")}
    item = stack.invoke("ItemReaderFunction", {"Key": key})["Item"]
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def same(one: Any, other: Any) -> bool:
    """Compare content whose numbers LISA may have stored as floats."""
    return bool(json.dumps(one, sort_keys=True, default=float) == json.dumps(other, sort_keys=True, default=float))


def equal(stack: LocalStack, expected: dict[str, Session]) -> int:
    return sum(same(read(stack, session), session) for session in expected.values())


def test_migrate_verify_and_back(stack: LocalStack, sessions: list[Session]) -> None:
    mapping(stack, enabled=False)
    newest = load(stack, sessions)
    assert command(stack, "migrate", "--no-watch", code=4)["error"]["code"] == "mapping-not-enabled"

    before = command(stack, "verify", "--watch", code=1)["sweep"]["counts"]
    assert before["oldForm"] > 0
    command(stack, "migrate", "--watch", "--force")
    # Exit code 1: the stale plaintext that LISA left is kept, encrypted, as a conflict that somebody has to look at.
    after = command(stack, "verify", "--watch", "--deep", code=1)["sweep"]

    assert after["counts"]["conflicts"] > 0
    assert after["scanned"] == len(newest)
    assert {state: after["counts"].get(state, 0) for state in ("plaintext", "mixed", "oldForm", "undecryptable")} == {
        "plaintext": 0,
        "mixed": 0,
        "oldForm": 0,
        "undecryptable": 0,
    }
    assert equal(stack, newest) == len(newest)

    plain = {name for name, item in items(stack).items() if "encrypted_history_conflict" not in item}
    version = command(stack, "config", "show")["setting"]["version"]
    command(stack, "config", "off", "--yes")
    assert command(stack, "config", "show")["setting"]["version"] == version + 1
    command(stack, "decrypt", "--watch")
    stored = items(stack)
    assert not any(name.startswith("encrypted_") or name == "is_encrypted" for i in plain for name in stored[i])
    restored = sum(same(read(stack, session), session) for session in newest.values())
    assert restored == len(newest)


def test_killing_the_migrator_at_random_points_changes_nothing(stack: LocalStack, sessions: list[Session]) -> None:
    mapping(stack, enabled=False)
    newest = load(stack, sessions)
    sweep = command(stack, "migrate", "--no-watch", "--force", "--segments", "3")["sweep"]["id"]
    dice = random.Random(7)
    for _ in range(4):
        time.sleep(dice.uniform(0.3, 2.0))
        stack.crash("MigratorFunction")
        stack.invoke("ControlFunction", {"command": "resume", "sweep": sweep, "by": "test"})
    deadline = time.monotonic() + 240
    while (found := stack.invoke("ControlFunction", {"command": "sweep", "sweep": sweep}))["sweep"]["state"] != "done":
        assert time.monotonic() < deadline, found
        time.sleep(0.5)

    assert found["sweep"]["scanned"] == len(newest)  # each page counted once
    counts = command(stack, "verify", "--watch", "--deep", code=1)["sweep"]["counts"]
    assert counts["encrypted"] == len(newest)
    assert equal(stack, newest) == len(newest)


def test_a_second_key_takes_over(stack: LocalStack) -> None:
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    for session in load_sessions(SAMPLES):
        table.put_item(Item=session)
    stack.wait_until_idle(60)
    first, second = stack.outputs["KeyArn"], stack.client("kms").create_key()["KeyMetadata"]["Arn"]

    stack.set_environment(SESSION_ENCRYPTION_KEY_ARN=second, EARLIER_KEY_ARNS=first)
    before = command(stack, "verify", "--watch")["sweep"]["underKey"]
    command(stack, "re-encrypt", "--watch")
    after = command(stack, "verify", "--watch", "--deep")["sweep"]["underKey"]

    assert (set(before), set(after)) == ({first}, {second})


def test_dead_letters_and_the_report(stack: LocalStack, tmp_path: Path) -> None:
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    table.put_item(Item={"sessionId": "poison", "userId": "mallory", "encrypted_history": "%%%"})
    stack.wait_until_idle(30)
    (letter,) = command(stack, "failures", "list")["failures"]
    assert letter["reason"] == "unknown-form"

    table.put_item(Item={"sessionId": "poison", "userId": "mallory", "history": ["mended"]})
    stack.wait_until_idle(30)
    assert command(stack, "failures", "redrive")["done"] == 1
    assert command(stack, "failures", "list")["failures"] == []

    command(stack, "report", "--output", str(tmp_path / "evidence"), "--may-be-absent", "configuration")
    written = [path for path in tmp_path.rglob("*") if path.suffix in (".json", ".html") and "evidence" in str(path)]
    assert {path.suffix for path in written} == {".json", ".html"}


def test_recovery_drill(stack: LocalStack) -> None:
    """A table restored under another name is read with the same key: the context has no table name."""
    dynamodb = stack.client("dynamodb")
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    sessions = {session["sessionId"]: session for session in load_sessions(SAMPLES)}
    for session in sessions.values():
        table.put_item(Item=session)
    stack.wait_until_idle(60)
    description = dynamodb.describe_table(TableName=stack.outputs["TableName"])["Table"]
    create_table(dynamodb, "restored", *(key["AttributeName"] for key in description["KeySchema"]))
    for item in items(stack).values():
        dynamodb.put_item(TableName="restored", Item=item)

    stack.set_environment(TABLE_NAME="restored", TABLE_STREAM_ARN="")  # The restored table has none yet.

    counts = command(stack, "verify", "--watch", "--deep")["sweep"]["counts"]
    assert counts == {"encrypted": len(sessions)}
    assert all(read(stack, session) == session for session in sessions.values())
