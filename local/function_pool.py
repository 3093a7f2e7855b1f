"""The warm workers of one function."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.errors import FunctionStopped
from local.function_process import FunctionProcess, FunctionSpec, Invocation


class FunctionPool:
    """Invokes a function from any thread, on a bounded number of processes that stay warm."""

    def __init__(self, spec: FunctionSpec, *, endpoint_url: str, region: str, log_file: Path, size: int) -> None:
        """Start no process yet; `warm` and `invoke` do."""
        self.spec = spec
        self.log_file = log_file
        log_file.touch()  # It is there to be followed before the function runs.
        self._endpoint_url = endpoint_url
        self._region = region
        self._places = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle: list[FunctionProcess] = []
        self._busy: set[FunctionProcess] = set()
        self._stale: set[FunctionProcess] = set()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Tell whether an invocation is under way."""
        with self._lock:
            return bool(self._busy)

    def warm(self) -> None:
        """Start one process ahead of the first invocation, without waiting for it."""
        process = self._take()
        self._give_back(process)

    def invoke(self, event: Any) -> Invocation:
        """Invoke the function and wait for it; waits for a free process first.

        Raises:
            FunctionStopped: the pool is closed.
        """
        with self._places:
            process = self._take()
            try:
                return process.invoke(event)
            finally:
                self._give_back(process)

    def answer(self, event: Any) -> Invocation:
        """Invoke the function for a caller outside of the stack, who is not to take its end for the function's failure.

        Raises:
            FunctionStopped: the pool is closed, or was before the function was done.
        """
        invocation = self.invoke(event)
        if invocation.failed and self._closed:
            raise FunctionStopped
        return invocation

    def crash(self) -> None:
        """Kill every process, also those in mid-invocation; the next invocation starts a new one."""
        with self._lock:
            self._end_all()

    def set_environment(self, environment: Mapping[str, str]) -> None:
        """Change variables, as an update of the stack does: idle processes end, busy ones finish first."""
        self.replace(replace(self.spec, environment={**self.spec.environment, **environment}))

    def replace(self, spec: FunctionSpec) -> None:
        """Change the function, as an update of the stack does: idle processes end, busy ones finish first."""
        with self._lock:
            self.spec = spec
            processes, self._idle = self._idle, []
            self._stale |= self._busy
        for process in processes:
            process.kill()

    def close(self) -> None:
        """Kill every process, also those in mid-invocation."""
        with self._lock:
            self._closed = True
            self._end_all()

    def _end_all(self) -> None:
        for process in self._idle:
            process.kill()
        self._idle.clear()
        for process in self._busy:
            process.interrupt()

    def _take(self) -> FunctionProcess:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    break
                process.kill()
            else:
                if self._closed:
                    raise FunctionStopped
                process = FunctionProcess(self.spec, self._endpoint_url, self._region, self.log_file)
            self._busy.add(process)
            return process

    def _give_back(self, process: FunctionProcess) -> None:
        with self._lock:
            self._busy.discard(process)
            is_stale = process in self._stale
            self._stale.discard(process)
            if process.alive and not is_stale and not self._closed:
                self._idle.append(process)
                return
        process.kill()
