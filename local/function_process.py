"""A Lambda function in a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WORKER = Path(__file__).with_name("function_worker.py")
_INITIALISATION_LIMIT = 60.0
RESPONSE_LIMIT = 6 * 1024 * 1024
"""Largest payload of a synchronous invocation, in bytes (Lambda quota)."""


@dataclass(frozen=True)
class FunctionSpec:
    """What CloudFormation says about a function, with every reference resolved."""

    name: str
    arn: str
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str]
    python_path: tuple[Path, ...]


@dataclass(frozen=True)
class Invocation:
    """How an invocation ended: `payload` is the handler's answer, or an error document where `failed`."""

    payload: Any
    failed: bool = False
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class FunctionProcess:
    """One warm worker. Not to be shared between threads."""

    def __init__(self, spec: FunctionSpec, endpoint_url: str, region: str, log_file: Path) -> None:
        """Start the process; it imports the handler while the caller goes on."""
        self._spec = spec
        self._buffer = b""
        self._ready = False
        self._connection, theirs = socket.socketpair()
        with theirs, log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-P", str(_WORKER), str(theirs.fileno()), spec.handler],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(spec, endpoint_url, region),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Tell whether the process can take another invocation."""
        return self._process.poll() is None

    def invoke(self, event: Any) -> Invocation:
        """Invoke the handler and wait. A function that times out or exits is reported, and leaves a dead
        process.
        """
        request_id = str(uuid.uuid4())
        if not self._ready:
            started = self._receive(time.monotonic() + _INITIALISATION_LIMIT)
            if isinstance(started, Invocation):
                return started
            if "error" in started:
                self.kill()
                return Invocation(started["error"] | {"requestId": request_id}, failed=True)
            self._ready = True
        request = {
            "requestId": request_id,
            "functionArn": self._spec.arn,
            "deadline": time.time() + self._spec.timeout,
            "event": event,
        }
        try:
            self._connection.settimeout(self._spec.timeout)
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            return self._ended(request_id)
        answer = self._receive(time.monotonic() + self._spec.timeout, request_id)
        if isinstance(answer, Invocation):
            return answer
        if "error" in answer:
            return Invocation(answer["error"] | {"requestId": request_id}, failed=True, request_id=request_id)
        return Invocation(answer["payload"], request_id=request_id)

    def kill(self) -> None:
        """End the process now."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def interrupt(self) -> None:
        """End the process from another thread than the one that waits for it.

        The connection is not closed: its number could be given to another one under the waiting thread's hands.
        """
        self._process.kill()
        self._process.wait()

    def _receive(self, deadline: float, request_id: str = "") -> dict[str, Any] | Invocation:
        """Return the worker's next message, or the error that took its place."""
        while b"\n" not in self._buffer:
            try:
                self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
                received = self._connection.recv(1 << 20)
            except TimeoutError:
                self.kill()
                return _error(
                    request_id,
                    "Sandbox.Timedout",
                    f"RequestId: {request_id} Error: Task timed out after {self._spec.timeout:.2f} seconds",
                )
            except OSError:
                return self._ended(request_id)
            if not received:
                return self._ended(request_id)
            self._buffer += received
            if len(self._buffer) > RESPONSE_LIMIT:
                self.kill()
                return _error(
                    request_id,
                    "Function.ResponseSizeTooLarge",
                    f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
                )
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _ended(self, request_id: str) -> Invocation:
        self.kill()
        status = self._process.returncode
        return _error(
            request_id,
            "Runtime.ExitError",
            f"RequestId: {request_id} Error: Runtime exited with error: exit status {status}",
        )


def _error(request_id: str, kind: str, message: str) -> Invocation:
    document = {"errorType": kind, "errorMessage": message}
    return Invocation(document, failed=True, request_id=request_id or str(uuid.uuid4()))


def _environment(spec: FunctionSpec, endpoint_url: str, region: str) -> dict[str, str]:
    """Return a function's whole environment. Nothing of the caller's AWS configuration or proxies gets in."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **inherited,
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(str(path) for path in spec.python_path),
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SDK_UA_APP_ID": spec.name[:50],  # Names the caller in every request (boto3's limit).
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/{uuid.uuid4().hex}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(spec.python_path[0]),
        "_HANDLER": spec.handler,
        **spec.environment,
    }
