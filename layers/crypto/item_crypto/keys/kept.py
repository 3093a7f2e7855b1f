"""What is kept for a while and then forgotten, used or not."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Answers by their questions, each for a while; may be shared between threads.

    Args:
        seconds: how long an answer may be used after it was asked for.
        entries: how many are kept; the one that was used longest ago goes first.
        clocks: return seconds: one that only goes forward, and one that goes on while a process is frozen.
        on_kept: told of each answer that was kept.
    """

    def __init__(
        self,
        seconds: float,
        entries: int,
        clocks: tuple[Callable[[], float], ...] = (time.monotonic, time.time),
        on_kept: Callable[[], object] = lambda: None,
    ) -> None:
        self._seconds = seconds
        self._entries = entries
        self._clocks = clocks
        self._on_kept = on_kept
        self._lock = threading.Lock()
        # The one that was used longest ago comes first; and of their questions the one that was asked longest ago.
        self._answers: OrderedDict[Hashable, tuple[tuple[float, ...], _T]] = OrderedDict()
        self._questions: dict[Hashable, None] = {}

    def get(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer that is kept, or that of ``ask``, which is kept unless it raises."""
        asked_at = self._now()
        with self._lock:
            self._forget_old(asked_at)
            kept = self._answers.get(question)
            if kept is not None and self._is_fresh(kept[0], asked_at):
                self._answers.move_to_end(question)
                self._on_kept()
                return kept[1]
        answer = ask()  # Outside of the lock: it may wait for a service.
        with self._lock:
            self._forget(question)  # Another thread may have asked as well.
            self._answers[question] = asked_at, answer
            self._questions[question] = None
            while len(self._answers) > self._entries:
                self._forget(next(iter(self._answers)))
        return answer

    def _forget_old(self, now: tuple[float, ...]) -> None:
        """Forget what is too old: it is not only not used, it does not stay in memory, though nobody asks for it."""
        while self._questions:
            oldest = next(iter(self._questions))
            if self._is_fresh(self._answers[oldest][0], now):
                return
            self._forget(oldest)

    def _forget(self, question: Hashable) -> None:
        self._answers.pop(question, None)
        self._questions.pop(question, None)

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)

    def _is_fresh(self, then: tuple[float, ...], now: tuple[float, ...]) -> bool:
        # One clock stands still while an environment is frozen, the other may be put back.
        return all(0 <= later - earlier < self._seconds for later, earlier in zip(now, then, strict=True))
