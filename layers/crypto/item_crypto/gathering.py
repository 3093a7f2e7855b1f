"""What waits to be written together: taken from several threads, given out in portions, bounded by bytes."""

import threading
from dataclasses import dataclass, field
from typing import Generic, TypeVar

A = TypeVar("A")


@dataclass(frozen=True)
class Portion(Generic[A]):
    """What is to be written together, and the bytes that it takes."""

    entries: tuple[A, ...]
    size: int


@dataclass
class Gathering(Generic[A]):
    """Gathers entries; whoever completes a portion gets it, and says when it is done with it.

    ::

        threads   plan ── add ── plan ── add = a portion ── write it ─── done ── plan ── add …
                  plan ── add ──────── plan ── add ── room() waits ────── goes on ── plan …
        rest                                                                     └── what no one completed

    Attributes:
        most: how many entries a portion has at most.
        most_bytes: how many bytes.
        most_in_flight: bytes that are gathered or given out and not done with, from which on nobody is to begin more.
    """

    most: int
    most_bytes: int
    most_in_flight: int
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _entries: list[A] = field(default_factory=list, repr=False)
    _size: int = 0  # Of what is gathered.
    _given: int = 0  # Of what is given out and not done with.

    def room(self) -> None:
        """Wait while more bytes are in flight than may be.

        Not where nothing is given out: what is gathered is given out only once more is added.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._given == 0 or self._size + self._given < self.most_in_flight)

    def add(self, entry: A, size: int) -> Portion[A] | None:
        """Take ``entry`` of ``size`` bytes; return a portion where that completes one, with or without the entry."""
        with self._changed:
            portion = None
            if self._entries and self._size + size > self.most_bytes:
                portion = self._give()
            self._entries.append(entry)
            self._size += size
            if portion is None and len(self._entries) == self.most:
                portion = self._give()
            return portion

    def rest(self) -> Portion[A] | None:
        """Return what is gathered and complete no portion; None where there is nothing."""
        with self._changed:
            return self._give() if self._entries else None

    def done(self, portion: Portion[A]) -> None:
        """Take note that ``portion`` is in flight no longer."""
        with self._changed:
            self._given -= portion.size
            self._changed.notify_all()

    def _give(self) -> Portion[A]:
        portion = Portion(tuple(self._entries), self._size)
        self._entries, self._size = [], 0
        self._given += portion.size
        return portion
