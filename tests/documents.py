"""The documents' code, run as it stands by somebody who follows them, but for ports and folders."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.__main__ import DEFAULT_PORT
from local.aws_clients import ClientFactory

ROOT = Path(__file__).resolve().parents[1]
README, FORMAT, TROUBLESHOOTING = "README.md", "docs/format.md", "docs/troubleshooting.md"
RECOVERY, OPERATING, TRYING = "docs/recovery.md", "docs/operating.md", "docs/trying.md"
EVENTS, LIBRARY, ORDERS = "docs/events.md", "docs/library.md", "docs/orders.md"
PLAN = "docs/plan.md"
PATIENCE = 30.0  # seconds for a block to run
START = 120.0  # seconds for the stack to start, on a busy machine


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def block(document: str, name: str) -> str:
    """Return the code of the block that is marked with a name."""
    found = re.findall(rf"<!-- test: {name} -->\n```(?:bash|python)\n(.*?)```", text(document), re.DOTALL)
    assert len(found) == 1, f"{document} has {len(found)} blocks {name}"
    return str(found[0])


class Reader:
    """Somebody who follows the documents, in a folder with the running stack's `.local`."""

    def __init__(self, folder: Path, stack: dict[str, Any]) -> None:
        self.folder = folder
        self.stack = stack
        # `python` is this Python, and `stream-encryptor` this project's, without an activated environment.
        shims = folder / "bin"
        shims.mkdir()
        for name, arguments in (("python", ""), ("stream-encryptor", "-m dynamodb_stream_encryptor ")):
            (shims / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
            (shims / name).chmod(0o755)
        self._environment = {
            "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("layers/crypto", "functions", ".")),
            "KEY_ARN": stack["outputs"]["KeyArn"],
            "TABLE_NAME": stack["outputs"]["TableName"],
        }

    def here(self, code: str) -> str:
        """Return a block with the stack's own address and folder in the place of the default ones."""
        code = code.replace(f"http://127.0.0.1:{DEFAULT_PORT}", self.stack["endpoint_url"])
        code = code.replace(". .venv/bin/activate\n", "")
        code = re.sub(
            r"(python -m local (?:token \w+|put|load|update))", rf"\1 --state-directory {self.folder}/.local", code
        )
        code = re.sub(r"(stream-encryptor .*--local)", rf"\1 --state-directory {self.folder}/.local", code)
        return re.sub(r"(events|local|examples/orders)/(?=[\w-]+\.jsonl)", rf"{ROOT}/\1/", code)

    def bash(self, *blocks: str, code: int = 0, patience: float = PATIENCE) -> str:
        script = "\n".join(map(self.here, blocks))
        return self._run(["bash", "-euo", "pipefail", "-c", script], self._environment, code, patience)

    def clients(self) -> ClientFactory:
        return ClientFactory(self.stack["endpoint_url"], self.stack["region"])

    def python(self, code: str, *, alone: bool = False) -> str:
        """Run Python code in the documents' environment; `alone`, without the project on the path."""
        exported = dict(re.findall(r"(AWS_\w+)=(\S+)", self.here(block(TRYING, "environment"))))
        assert exported.keys() >= {"AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY"}
        environment = self._environment | exported
        if alone:
            del environment["PYTHONPATH"]
        return self._run([sys.executable, "-P", "-c", self.here(code)], environment)

    def _run(self, command: list[str], environment: dict[str, str], code: int = 0, patience: float = PATIENCE) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=patience, check=False
        )
        if done.returncode != code:
            # Not by an assertion: pytest cuts its message short where CI is set.
            raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout


@contextlib.contextmanager
def following(folder: Path, *options: str) -> Iterator[Reader]:
    """Run `python -m local up` in a folder, with options of its own, for somebody who follows the documents."""
    state = folder / ".local"
    command = [sys.executable, "-m", "local", "up", "--port", "0", "--state-directory", str(state), *options]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START
        while not (state / "stack.json").exists():
            assert process.poll() is None, (folder / "up.log").read_text()
            assert time.monotonic() < deadline, "the stack did not start"
            time.sleep(0.1)
        yield Reader(folder, json.loads((state / "stack.json").read_text()))
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
