"""A function's process ends with its stack, however the stack ended."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import local

WORKER = Path(local.__file__).with_name("function_worker.py")
NAMES = {
    f"AWS_LAMBDA_{name}": "1"
    for name in ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
}
SLOW = """
import threading
def handler(event, context):
    threading.Event().wait()
"""


@pytest.fixture
def worker(tmp_path: Path) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A worker, and the stack's end of its connection."""
    (tmp_path / "slow.py").write_text(SLOW)
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER), str(theirs.fileno()), "slow.handler"],
            env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"], **NAMES},
            pass_fds=[theirs.fileno()],
        )
    return process, ours


def test_worker_when_its_stack_goes_before_reading_that_it_is_ready_then_it_ends(
    worker: tuple[subprocess.Popen[bytes], socket.socket],
) -> None:
    # What a killed process leaves unread resets the connection, and does not close it.
    process, ours = worker
    ours.recv(1, socket.MSG_PEEK)  # It is ready, and says so; nobody reads it.

    ours.close()

    assert process.wait(timeout=20) == 0


def test_worker_when_its_stack_goes_as_it_works_then_it_ends(
    worker: tuple[subprocess.Popen[bytes], socket.socket],
) -> None:
    process, ours = worker
    with ours.makefile("rb") as lines:
        lines.readline()
    ours.sendall(b'{"requestId": "r", "functionArn": "a", "deadline": 0, "event": {}}\n')

    ours.close()

    assert process.wait(timeout=20) == 0
