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
    """

    def __init__(
        self, seconds: float, entries: int, clocks: tuple[Callable[[], float], ...] = (time.monotonic, time.time)
    ) -> None:
        self._seconds = seconds
        self._entries = entries
        self._clocks = clocks
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[tuple[float, ...], _T]] = OrderedDict()

    def get(self, question: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer that is kept, or that of ``ask``, which is kept unless it raises."""
        asked_at = self._now()
        with self._lock:
            kept = self._answers.get(question)
            if kept is not None and self._is_fresh(kept[0], asked_at):
                self._answers.move_to_end(question)
                return kept[1]
        answer = ask()  # Outside of the lock: it may wait for a service.
        with self._lock:
            now = self._now()
            for old in [each for each, (then, _) in self._answers.items() if not self._is_fresh(then, now)]:
                del self._answers[old]
            self._answers[question] = asked_at, answer
            self._answers.move_to_end(question)
            while len(self._answers) > self._entries:
                self._answers.popitem(last=False)
        return answer

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)

    def _is_fresh(self, then: tuple[float, ...], now: tuple[float, ...]) -> bool:
        # One clock stands still while an environment is frozen, the other may be put back.
        return all(0 <= later - earlier < self._seconds for later, earlier in zip(now, then, strict=True))
