"""`sam local invoke` with the events against a running `python -m local up`: the functions as built, in containers.

Needs what `sam build` does (see test_sam_build) and a container engine: the one of $DOCKER_HOST, or Docker's own
socket. The engine pulls the image of the Lambda runtime, unless it has it.
"""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws_clients import ClientFactory
from local.sessions import load_sessions

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
SECRETS = {"history", "configuration"}


def _engine_answers() -> bool:
    path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
        try:
            engine.connect(path)
        except OSError:
            return False
    return True


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class Sam:
    """The SAM CLI, on what it has built."""

    def __init__(self, sam: str, python: Path, folder: Path) -> None:
        self._sam = sam
        self._folder = folder
        self._environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")} | {
            "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
            "SAM_CLI_TELEMETRY": "0",
        }

    def run(self, *arguments: str) -> str:
        """Run a command in the project's folder and return what it prints."""
        architecture = ("--parameter-overrides", f"Architecture={ARCHITECTURE}")
        done = subprocess.run(
            [self._sam, *arguments, *architecture],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def build(self) -> None:
        self.run("build", "--build-dir", str(self._folder / "build"), "--cache-dir", str(self._folder / "cache"))

    def invoke(self, function: str, event: str, environment: Path) -> Any:
        """Return what a function answers to a file of events/."""
        printed = self.run(
            "local",
            "invoke",
            function,
            "--template",
            str(self._folder / "build" / "template.yaml"),
            "--event",
            f"events/{event}",
            "--env-vars",
            str(environment),
            "--region",
            "us-east-1",
            *self._pull(),
        )
        return json.loads(printed.splitlines()[-1])

    def _pull(self) -> list[str]:
        """Say so where the image is there: SAM CLI would ask the registry for a newer one."""
        engine = shutil.which("docker") or shutil.which("podman")
        has_it = engine and subprocess.run([engine, "image", "inspect", IMAGE], capture_output=True, check=False)
        return ["--skip-pull-image"] if has_it and has_it.returncode == 0 else []


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Sam:
    if not _engine_answers():
        pytest.skip("no container engine: neither $DOCKER_HOST nor /var/run/docker.sock answers")
    in_venv = ROOT / ".venv-sam" / "bin" / "sam"
    command = os.environ.get("SAM_CLI") or (str(in_venv) if in_venv.exists() else shutil.which("sam"))
    if not command:
        pytest.skip("no SAM CLI: neither $SAM_CLI nor .venv-sam/bin/sam nor sam on the path")
    pythons = [Path(command).with_name("python3.13"), Path(shutil.which("python3.13") or "python3.13")]
    python = next((python for python in pythons if _runs(python)), None)
    if python is None:
        pytest.skip("no python3.13, beside the SAM CLI or on the path, for `sam build` to build the layer with")
    built = Sam(command, python, tmp_path_factory.mktemp("sam"))
    built.build()
    return built


class Stack:
    """What `python -m local up` runs, with the items of the events in its table."""

    def __init__(self, state_directory: Path) -> None:
        self.state_directory = state_directory
        self.environment = state_directory / "env.local.json"
        announced = json.loads((state_directory / "stack.json").read_text())
        self.outputs = announced["outputs"]
        self.clients = ClientFactory(announced["endpoint_url"], announced["region"])
        self.table = self.clients.resource("dynamodb").Table(self.outputs["TableName"])

    def put(self, *arguments: str) -> None:
        local("put", *arguments, "--pause", "--state-directory", str(self.state_directory))

    def item(self, session_id: str, user_id: str) -> dict[str, Any]:
        item: dict[str, Any] = self.table.get_item(Key={"sessionId": session_id, "userId": user_id})["Item"]
        return item


def local(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "local", *arguments], cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="module")
def stack(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("state")
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "up", "--port", "0", "--state-directory", str(directory)], cwd=ROOT
    )
    try:
        deadline = time.monotonic() + 60
        while not (directory / "stack.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        running = Stack(directory)
        running.put("events/items.jsonl")
        running.put("events/items-lisa.jsonl", "--lisa")
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def test_the_stream_function_encrypts_and_the_reader_returns_it_in_the_clear(sam: Sam, stack: Stack):
    (session,) = [s for s in load_sessions(ROOT / "events" / "items.jsonl") if s["sessionId"] == "dlg-harbour-1"]
    assert stack.item("dlg-harbour-1", "user-24") == session

    answer = sam.invoke("StreamEncryptorFunction", "stream-insert.json", stack.environment)

    assert answer == {"batchItemFailures": []}
    stored = stack.item("dlg-harbour-1", "user-24")
    assert stored["is_encrypted"] is True
    assert not SECRETS & stored.keys()

    response = sam.invoke("ReaderFunction", "api-get-session.json", stack.environment)

    assert response["statusCode"] == 200
    assert json.loads(response["body"])["history"] == session["history"]

    answer = sam.invoke("ItemReaderFunction", "item-reader.json", stack.environment)

    assert answer["Item"]["name"] == {"S": session["name"]}
    assert answer["Item"]["history"]["L"][0]["M"]["content"] == {"S": session["history"][0]["content"]}


def test_a_poison_record_goes_to_the_failure_queue_and_the_others_are_encrypted(sam: Sam, stack: Stack):
    answer = sam.invoke("StreamEncryptorFunction", "stream-poison-batch.json", stack.environment)

    assert answer == {"batchItemFailures": []}
    assert stack.item("dlg-chess-6", "user-57")["is_encrypted"] is True
    assert stack.item("dlg-salary-8", "user-57")["is_encrypted"] is True
    queue = stack.outputs["FailureQueueUrl"]
    (message,) = stack.clients.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["key"]["sessionId"] == {"S": "dlg-poison-7"}


def test_the_retry_function_encrypts(sam: Sam, stack: Stack):
    answer = sam.invoke("RetryFunction", "retry-queue.json", stack.environment)

    assert answer == {"batchItemFailures": []}
    stored = stack.item("dlg-piano-9", "user-24")
    assert stored["is_encrypted"] is True
    assert not SECRETS & stored.keys()


def test_the_stream_function_leaves_the_old_form_to_others(sam: Sam, stack: Stack):
    before = stack.item("dlg-museum-10", "user-57")

    answer = sam.invoke("StreamEncryptorFunction", "stream-lisa.json", stack.environment)

    assert answer == {"batchItemFailures": []}
    assert stack.item("dlg-museum-10", "user-57") == before
