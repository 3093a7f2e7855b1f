"""What calls to KMS cost."""

import threading
from collections import deque
from typing import Final

_KEPT: Final = 10_000  # Latencies: more than the calls of the largest batch of a stream.


class KmsMeter:
    """Collects how long calls took, of all threads; where nobody drains it, the oldest are forgotten.

    And how many data keys were remembered (``cached.py``), so that KMS was not asked for them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._spared = 0

    def add(self, milliseconds: float) -> None:
        """Note a call."""
        with self._lock:
            self._latencies.append(milliseconds)

    def spare(self) -> None:
        """Note a call that was not made, since the data key was remembered."""
        with self._lock:
            self._spared += 1

    @property
    def spared(self) -> int:
        """How many calls were not made since the last drain."""
        return self._spared

    def drain(self) -> list[float]:
        """Return the latencies since the last drain, in milliseconds, and forget them, and what was spared."""
        with self._lock:
            latencies = list(self._latencies)
            self._latencies.clear()
            self._spared = 0
        return latencies
