"""How fast a sweep is now, where its control function is an earlier one, which tells only the average."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dynamodb_stream_encryptor.sweep import Sweep

_SECONDS: Final = 30.0


class Pace:
    """Measures items a second over the last half minute of readings of one sweep, and how long there are none."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock that only goes forward, in seconds."""
        self._clock = clock
        self._readings: deque[tuple[float, int]] = deque()
        self._news: tuple[float, int] | None = None

    def standstill(self, sweep: Sweep) -> float:
        """Return for how many seconds nothing more was scanned."""
        now = self._clock()
        if self._news is None or self._news[1] != sweep.scanned:
            self._news = (now, sweep.scanned)
        return now - self._news[0]

    def applied(self, sweep: Sweep) -> Sweep:
        """Return the sweep with its pace as measured, once there are two readings; an ended one keeps its average.

        So does one whose control function tells the present rate by itself.
        """
        if sweep.rate_now is not None:
            return sweep
        now = self._clock()
        self._readings.append((now, sweep.scanned))
        while len(self._readings) > 2 and now - self._readings[0][0] > _SECONDS:
            self._readings.popleft()
        then, scanned = self._readings[0]
        if sweep.state != "running" or now <= then or sweep.scanned <= scanned:
            return sweep
        return replace(sweep, items_per_second=(sweep.scanned - scanned) / (now - then))
