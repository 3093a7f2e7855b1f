"""`python -m local put`, the files that `up` keeps while it runs, and that the stack's names are the same each time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.__main__ import main
from local.aws_clients import ClientFactory

ROOT = Path(__file__).resolve().parents[2]
SESSION = {"sessionId": "dlg-1", "userId": "user-1", "name": "One", "history": [{"content": "secret"}], "score": 0.1}


@pytest.fixture(scope="module")
def state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a stack that `up` runs."""
    directory = tmp_path_factory.mktemp("state")
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "up", "--port", "0", "--state-directory", str(directory)],
        cwd=ROOT,
        env=os.environ | {"DOCKER_HOST": "unix:///nowhere"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (directory / "stack.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield directory
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


@pytest.fixture
def session_file(tmp_path: Path) -> Path:
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(SESSION) + "\n")
    return path


def stored(state_directory: Path) -> dict[str, Any] | None:
    stack = json.loads((state_directory / "stack.json").read_text())
    table = (
        ClientFactory(stack["endpoint_url"], stack["region"]).resource("dynamodb").Table(stack["outputs"]["TableName"])
    )
    item: dict[str, Any] | None = table.get_item(Key={"sessionId": "dlg-1", "userId": "user-1"}).get("Item")
    return item


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_what_is_put_is_encrypted_by_the_stack_unless_it_is_paused(
    state_directory: Path, session_file: Path, capsys: pytest.CaptureFixture[str]
):
    assert run("put", session_file, "--state-directory", state_directory) == 0
    assert capsys.readouterr().out == "1 item put.\n"
    deadline = time.monotonic() + 20
    while "history" in (item := stored(state_directory) or {"history": None}) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert item["is_encrypted"] is True

    assert run("put", session_file, "--pause", "--state-directory", state_directory) == 0
    stack = json.loads((state_directory / "stack.json").read_text())
    mappings = ClientFactory(stack["endpoint_url"], stack["region"]).client("lambda").list_event_source_mappings()
    assert {mapping["State"] for mapping in mappings["EventSourceMappings"]} == {"Disabled"}
    item = stored(state_directory)
    assert item is not None
    assert item["history"] == SESSION["history"]
    assert "is_encrypted" not in item


def test_items_in_the_old_form_hold_no_plaintext(state_directory: Path, session_file: Path):
    assert run("put", session_file, "--pause", "--lisa", "--state-directory", state_directory) == 0
    item = stored(state_directory)
    assert item is not None
    assert "history" not in item
    assert item["encrypted_history"].startswith("eyJ")  # base64 of JSON


def test_up_keeps_what_sam_local_invoke_takes(state_directory: Path):
    stack = json.loads((state_directory / "stack.json").read_text())
    environment = json.loads((state_directory / "env.local.json").read_text())
    assert environment["RetryFunction"]["TABLE_NAME"] == stack["outputs"]["TableName"] == "local-SessionTable"
    port = stack["endpoint_url"].rpartition(":")[2]
    assert environment["ReaderFunction"]["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{port}"


def test_without_a_stack_the_command_says_how_to_start_one(
    tmp_path: Path, session_file: Path, capsys: pytest.CaptureFixture[str]
):
    assert run("put", session_file, "--state-directory", tmp_path) == 1
    assert capsys.readouterr().err == "local: no stack runs; start one: python -m local up\n"


def test_a_stack_that_does_not_answer_is_named(tmp_path: Path, session_file: Path, capsys: pytest.CaptureFixture[str]):
    gone = {"endpoint_url": "http://127.0.0.1:9", "region": "us-east-1", "outputs": {"TableName": "t", "KeyArn": "k"}}
    (tmp_path / "stack.json").write_text(json.dumps(gone))
    assert run("put", session_file, "--state-directory", tmp_path) == 1
    assert "http://127.0.0.1:9 did not take the items" in capsys.readouterr().err
