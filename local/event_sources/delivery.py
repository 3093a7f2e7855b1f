"""The life of one batch of stream records: retries, bisecting, giving up. Pure: no clock, no I/O.

Records are resolved strictly in order: either acknowledged, because the function took them, or discarded to
the on-failure destination. Nothing behind a record is tried before that record is resolved.

    while (step := delivery.next_step(now)) is not None:
        Invoke(records)  -> invoke the function, then acknowledge() or fail(...)
        Discard(records) -> send to the destination, then discarded()
        Wait(seconds)    -> wait, or stop and resume later from `checkpoint`
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]


@dataclass(frozen=True)
class StreamRecord:
    """A record of a shard: its sequence number, when it was created (epoch seconds), and the event sent to
    functions.
    """

    sequence: int
    created: float
    event: Mapping[str, Any]


@dataclass(frozen=True)
class RetryPolicy:
    """An event source mapping's settings; None for retries or age means unlimited."""

    max_retries: int | None = None
    max_age: float | None = None
    bisect: bool = False
    first_delay: float = 0.1
    longest_delay: float = 5.0

    def delay(self, retries: int) -> float:
        """Return the seconds to wait before the retry of this number, counted from 1."""
        return float(min(self.first_delay * 2 ** min(retries - 1, 20), self.longest_delay))


@dataclass(frozen=True)
class Invoke:
    """Invoke the function with these records."""

    records: tuple[StreamRecord, ...]


@dataclass(frozen=True)
class Discard:
    """Send these records' metadata to the on-failure destination, if there is one."""

    records: tuple[StreamRecord, ...]
    condition: Condition
    invocations: int


@dataclass(frozen=True)
class Wait:
    """Nothing to do for this many seconds."""

    seconds: float


@dataclass(frozen=True)
class _Part:
    records: tuple[StreamRecord, ...]
    retries: int = 0
    invocations: int = 0
    not_before: float = 0.0
    exhausted: bool = False


class Delivery:
    """One batch on its way: fed with outcomes and the time, tells the next step."""

    def __init__(self, records: Sequence[StreamRecord], policy: RetryPolicy) -> None:
        """Take a non-empty batch in the order of its shard."""
        self._policy = policy
        self._parts = deque([_Part(tuple(records))])
        self._step: Invoke | Discard | None = None
        self.checkpoint: int | None = None
        """Sequence number up to which everything is resolved; None while nothing is."""

    def next_step(self, now: float) -> Invoke | Discard | Wait | None:
        """Return what to do now; None when every record is resolved. Asking again gives the same kind of
        answer.
        """
        self._step = None
        if not self._parts:
            return None
        part = self._parts[0]
        if part.exhausted:
            self._step = Discard(part.records, "RetryAttemptsExhausted", part.invocations)
            return self._step
        expired = self._expired(part, now)
        if expired:
            self._step = Discard(expired, "RecordAgeExceeded", part.invocations)
            return self._step
        if now < part.not_before:
            return Wait(part.not_before - now)
        self._step = Invoke(part.records)
        return self._step

    def acknowledge(self) -> None:
        """Resolve the records of the current Invoke step: the function took them all."""
        self._resolve(Invoke)

    def discarded(self) -> None:
        """Resolve the records of the current Discard step: the destination has them."""
        self._resolve(Discard)

    def fail(self, now: float, lowest: int | None = None) -> None:
        """Record that the current Invoke step failed, from the sequence number `lowest` on (None:
        altogether).

        Records before `lowest` are acknowledged. A part is split at the reported record, or in half when
        nothing of it succeeded, as long as the mapping bisects and there is something to split; splitting
        does not count as a retry, so the parts keep their allowance ("BisectBatchOnFunctionError" in the AWS
        Lambda Developer Guide).
        """
        step = self._current(Invoke)
        part = self._parts.popleft()
        part = replace(part, invocations=part.invocations + 1)
        rest = part.records if lowest is None else tuple(r for r in step.records if r.sequence >= lowest)
        progressed = len(rest) < len(part.records)
        if progressed:
            self.checkpoint = part.records[len(part.records) - len(rest) - 1].sequence
        if self._policy.bisect and progressed:
            self._parts.appendleft(replace(part, records=rest))
        elif self._policy.bisect and len(rest) > 1:
            middle = len(rest) // 2
            self._parts.appendleft(replace(part, records=rest[middle:]))
            self._parts.appendleft(replace(part, records=rest[:middle]))
        else:
            self._parts.appendleft(self._retried(replace(part, records=rest), now))
        self._step = None

    def _retried(self, part: _Part, now: float) -> _Part:
        if self._policy.max_retries is not None and part.retries >= self._policy.max_retries:
            return replace(part, exhausted=True)
        retries = part.retries + 1
        return replace(part, retries=retries, not_before=now + self._policy.delay(retries))

    def _expired(self, part: _Part, now: float) -> tuple[StreamRecord, ...]:
        max_age = self._policy.max_age
        if max_age is None:
            return ()
        return tuple(takewhile(lambda record: now - record.created > max_age, part.records))

    def _current(self, kind: type[Invoke] | type[Discard]) -> Invoke | Discard:
        if not isinstance(self._step, kind):
            raise TypeError(f"no {kind.__name__} step to report on")
        return self._step

    def _resolve(self, kind: type[Invoke] | type[Discard]) -> None:
        step = self._current(kind)
        part = self._parts.popleft()
        rest = part.records[len(step.records) :]
        if rest:
            self._parts.appendleft(replace(part, records=rest))
        self.checkpoint = step.records[-1].sequence
        self._step = None
