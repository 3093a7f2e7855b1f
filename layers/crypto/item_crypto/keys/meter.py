"""What calls to KMS cost."""

import threading
from collections import deque
from typing import Final

_KEPT: Final = 10_000  # Latencies: more than the calls of the largest batch of a stream.


class KmsMeter:
    """Collects how long calls took, of all threads; where nobody drains it, the oldest are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latencies: deque[float] = deque(maxlen=_KEPT)

    def add(self, milliseconds: float) -> None:
        """Note a call."""
        with self._lock:
            self._latencies.append(milliseconds)

    def drain(self) -> list[float]:
        """Return the latencies since the last drain, in milliseconds, and forget them."""
        with self._lock:
            latencies = list(self._latencies)
            self._latencies.clear()
        return latencies
