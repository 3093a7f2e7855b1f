"""Invocations of functions that take turns, one request to a service at a time, in an order that a seed decides.

Each invocation has a thread, of which one runs at a time. It runs up to its next request and waits there; which of the
waiting requests goes on next is drawn by the test. So every interleaving of requests can happen, and each can be
repeated. A killed invocation ends where it waits, as the process of a function does that its machine takes away.
"""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Killed(BaseException):
    """The process is gone. Nobody catches it."""


class Task(threading.Thread):
    """One invocation.

    Attributes:
        error: what it ended with, if it raised; Killed where it was killed.
        result: what it returned.
        killed: whether its next request kills it.
    """

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self.error: BaseException | None = None
        self.result: Any = None
        self.killed = False
        self._work = work
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self.start()

    @property
    def ended(self) -> bool:
        return self.result is not None or self.error is not None

    def go_on(self) -> None:
        """Let it run up to its next request, or its end; called by the test."""
        self._turn.release()
        assert self._back.acquire(timeout=60), f"{self.name} waits for something that no other invocation can do"

    def wait_for_turn(self) -> None:
        """Wait where a request is about to be sent; called by the task."""
        self._back.release()
        self._turn.acquire()
        if self.killed:
            raise Killed

    def run(self) -> None:
        self._turn.acquire()
        try:
            self.result = (self._work(),)
        except BaseException as error:
            self.error = error
        self._back.release()


class Scheduler:
    """The invocations under way."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.tasks: list[tuple[Task, Callable[[Task], None]]] = []

    def begin(self, name: str, work: Callable[[], Any], at_end: Callable[[Task], None]) -> None:
        """Begin an invocation; ``at_end`` is called by the test when it has ended, however it did."""
        self.tasks.append((Task(name, work), at_end))

    def step(self) -> None:
        """Let one invocation send a request."""
        entry = self._draw.choice(self.tasks)
        task, at_end = entry
        task.go_on()
        if task.ended:
            self.tasks.remove(entry)
            task.join()
            at_end(task)

    def finish(self) -> None:
        """Let all invocations end, in any order."""
        while self.tasks:
            self.step()


class Sequential:
    """An executor without threads, in the place of the reconciler's: one invocation sends one request at a time."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def map(self, work: Callable[..., B], *arguments: Iterable[Any]) -> Iterator[B]:
        return iter([work(*each) for each in zip(*arguments, strict=False)])
