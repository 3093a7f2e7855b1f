"""Ctrl-C in the terminal of `python -m local up` while others work with the stack: sentences, and no traceback."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.aws_clients import ClientFactory
from local.state import ROOT

PATIENCE = 90.0  # seconds
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("layers/crypto", "functions", "."))
}


def started(*command: str) -> subprocess.Popen[str]:
    """Start a command as a terminal of its own would: Ctrl-C is for all that it starts, and for nobody else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = started("local", "up", "--port", "0", "--state-directory", str(tmp_path))
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "stack.json").exists():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield process
    process.kill()
    process.communicate()


def ask_on(stack: dict, name: str, asked: threading.Event) -> None:
    """Have the control function, and the HTTP API, answer again and again, until nobody does."""
    functions = ClientFactory(stack["endpoint_url"], stack["region"]).client("lambda")
    event = json.dumps({"command": name}).encode()
    while True:
        try:
            functions.invoke(FunctionName=stack["outputs"]["ControlFunctionName"], Payload=event)["Payload"].read()
            asked.set()
            urllib.request.urlopen(f"{stack['api_url']}/session/encryption/config", timeout=10).close()
        except (urllib.error.HTTPError, ClientError):
            continue
        except (BotoCoreError, OSError):
            return


def test_ctrl_c_while_commands_run_then_each_ends_with_a_sentence(up: subprocess.Popen[str], tmp_path: Path) -> None:
    stack = json.loads((tmp_path / "stack.json").read_text())
    asked = [threading.Event() for _ in range(4)]
    askers = [threading.Thread(target=ask_on, args=(stack, "status", event), daemon=True) for event in asked]
    here = ("--local", "--state-directory", str(tmp_path))
    source = tmp_path / "many.jsonl"
    source.write_text("".join(f'{{"sessionId": "s{n}", "userId": "u", "history": []}}\n' for n in range(50_000)))
    put = started("local", "put", "--state-directory", str(tmp_path), str(source))
    following = started("dynamodb_stream_encryptor", "migrate", "--watch", "--rate", "1", *here)
    for asker in askers:
        asker.start()
    assert all(event.wait(PATIENCE) for event in asked)
    assert following.stdout is not None
    said = following.stdout.readline()
    while "encrypt " not in said:  # It is followed.
        assert said, "the sweep was not started"
        said = following.stdout.readline()

    os.killpg(up.pid, signal.SIGINT)

    printed, _ = up.communicate(timeout=PATIENCE)
    assert up.returncode == 0, printed
    assert "Traceback" not in printed
    assert printed.endswith("Stopped. Nothing that was stored is kept.\n")
    followed, _ = following.communicate(timeout=PATIENCE)
    assert following.returncode == 3, followed
    assert "Traceback" not in followed
    assert followed.count("The local stack does not answer: it was stopped, or killed") == 1
    stored, _ = put.communicate(timeout=PATIENCE)
    assert put.returncode == 1, stored
    assert "Traceback" not in stored
    assert re.match(r"local: the stack at http://127.0.0.1:\d+ did not take the items", stored.splitlines()[-1])
    for asker in askers:
        asker.join(PATIENCE)


def test_ctrl_c_in_the_terminal_of_put_then_it_says_so(up: subprocess.Popen[str], tmp_path: Path) -> None:
    source = tmp_path / "many.jsonl"
    source.write_text("".join(f'{{"sessionId": "s{n}", "userId": "u", "history": []}}\n' for n in range(50_000)))
    stack = json.loads((tmp_path / "stack.json").read_text())
    table = (
        ClientFactory(stack["endpoint_url"], stack["region"]).resource("dynamodb").Table(stack["outputs"]["TableName"])
    )
    put = started("local", "put", "--state-directory", str(tmp_path), str(source))
    deadline = time.monotonic() + PATIENCE
    while not table.scan(Limit=1)["Items"]:
        assert time.monotonic() < deadline
    os.killpg(put.pid, signal.SIGINT)
    said, _ = put.communicate(timeout=PATIENCE)
    assert put.returncode == 130
    assert said.splitlines()[-1] == "local: interrupted"
    assert "Traceback" not in said


def test_the_curl_that_is_printed_works_with_the_folder_of_the_stack(up: subprocess.Popen[str], tmp_path: Path) -> None:
    assert up.stdout is not None
    lines = iter(up.stdout.readline, "")
    curl = next(line for line in lines if line.strip().startswith("curl "))
    shim = tmp_path / "bin" / "python"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    shim.chmod(0o755)
    environment = ENVIRONMENT | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", curl.strip().replace("curl ", "curl -sS --fail ", 1)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sessions"] == []
