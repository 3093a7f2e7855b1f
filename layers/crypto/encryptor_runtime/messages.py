"""The messages of all queues: each is made and read here, and nowhere else. Pure.

A key that needs work, and why; never a value::

    {"kind": "item", "table": "sessions", "key": {"sessionId": {"S": "…"}, "userId": {"S": "…"}},
     "reason": "unknown-form", "recordId": "4c2f…", "time": "2026-01-02T08:30:00Z", "attempts": 1}

    kind        where it waits                              more members
    retry       the retry queue                             writtenAt (epoch seconds, or null): the time of the write
    deferred    the migrator's queue                        goal, olderThan, where a sweep left the key there
    item        the failure queue, as a dead letter         attempts; goal, olderThan, where a sweep had tried it

A queue's redrive policy moves a message that was received too often to the failure queue as it is, so that all three
kinds are found there. A key that a sweep left to be tried again has no ``recordId`` and no ``time``.

Work, in the work queue::

    {"kind": "segment", "sweep": "20260102T083000-1f2e", "segment": 3, "hop": 12}   carry a segment on
    {"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 4}        start a sweep; "again": true, too

A member is added where its class writes and reads it, ``body`` and ``from_body``; a message that is sent again keeps
also those that this version does not know.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, Final, Self, TypeGuard

from item_crypto.core.codec import Item, key_from_json, to_json
from item_crypto.errors import UnsupportedValue

MAX_SEGMENTS: Final = 1000
"""Into how many segments a sweep may be cut."""

_LARGEST: Final = 1_048_576  # Bytes of a message (SQS quotas).
_MOST_ATTEMPTS: Final = 1_000_000
_LARGEST_KEY: Final = 20_000  # Characters: a key has 3 KB at most (Service quotas), each byte an escape at worst.
_SHOWN: Final = 256  # Characters of a text, so that a thousand letters fit into one answer (6 MB).
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class Goal(Enum):
    """What a sweep is for."""

    ENCRYPT = "encrypt"
    DECRYPT = "decrypt"
    REENCRYPT = "re-encrypt"
    VERIFY = "verify"


class Kind(StrEnum):
    """What becomes of a key that a message names."""

    RETRY = "retry"
    DEFERRED = "deferred"
    DEAD_LETTER = "item"


@dataclass(frozen=True)
class Hint:
    """A key that may need work, and where the hint came from.

    Attributes:
        key: the item's key.
        record_id: the stream record's event id, where one stands behind it.
        written_at: when the writer wrote the item, in epoch seconds, where it is known.
    """

    key: Item
    record_id: str | None = None
    written_at: float | None = None


@dataclass(frozen=True)
class Aim:
    """What a key is tried for, beyond what its table's policy asks: what a sweep wanted of it.

    Attributes:
        goal: the sweep's goal; None where no sweep stands behind it.
        older_than: the age of data keys that a ``re-encrypt`` sweep renews; None for any.
    """

    goal: Goal | None = None
    older_than: datetime | None = None


@dataclass(frozen=True)
class KeyMessage:
    """A key that needs work.

    Attributes:
        kind: what becomes of it.
        table: the table's name.
        hint: the key, and where it came from.
        reason: a fixed kebab-case word.
        time: when it was left, to the second; None for a key that a sweep left to be tried again.
        attempts: how often a dead letter's key was tried.
        aim: what it was tried for; None where no member tells.
    """

    kind: Kind
    table: str
    hint: Hint
    reason: str
    time: datetime | None = None
    attempts: int | None = None
    aim: Aim | None = None

    def body(self) -> str:
        """Return the message's body."""
        members: dict[str, Any] = {
            "kind": self.kind,
            "table": self.table,
            "key": _key_as_json(self.hint.key),
            "reason": self.reason,
        }
        if self.time is not None:
            members |= {"recordId": self.hint.record_id, "time": self.time.astimezone(UTC).strftime(_TIME)}
        if self.kind is Kind.RETRY:
            members["writtenAt"] = self.hint.written_at
        if self.attempts is not None:
            members["attempts"] = self.attempts
        if self.aim is not None:
            goal, older_than = self.aim.goal, self.aim.older_than
            members["goal"] = goal.value if goal else None
            members["olderThan"] = older_than.isoformat() if older_than else None
        return json.dumps(members)

    @classmethod
    def from_body(cls, body: str, table: str) -> Self:
        """Return the message in ``body``; what only tells of the past is left out where it is unreadable.

        Raises:
            UnsupportedValue: it names no key of ``table``, or what the key is to be tried for is unreadable.
        """
        document = parse_json(body)
        if document.get("table") != table:
            raise UnsupportedValue("a queue message is not for this table")
        record_id, written_at = _text(document.get("recordId")), _seconds(document.get("writtenAt"))
        return cls(
            Kind(document["kind"]) if is_key_message(document) else Kind.DEAD_LETTER,
            table,
            Hint(key_from_json(document.get("key")), record_id, written_at),
            _text(document.get("reason")) or "",
            _moment(document.get("time")),
            document["attempts"] if _is_count(document.get("attempts")) else None,
            _aim(document),
        )


def is_key_message(document: Mapping[str, Any]) -> bool:
    """Tell whether a message says that it names a key."""
    return document.get("kind") in tuple(Kind)


def attempts_of(document: Mapping[str, Any]) -> int:
    """Return how often the work of a message was tried, whatever it holds."""
    attempts = document.get("attempts")
    return min(max(attempts, 1), _MOST_ATTEMPTS) if _is_count(attempts) else 1


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a key's message that a person may see, whatever it holds: of a length, and None if not."""
    return {
        "key": _shown_key(document.get("key")),
        "reason": shown_text(document.get("reason")),
        "recordId": shown_text(document.get("recordId")),
        "time": shown_text(document.get("time")),
    }


def shown_text(value: object) -> str | None:
    """Return a text that a person may see, of a length, and None for anything else."""
    return value[:_SHOWN] if isinstance(value, str) else None


def failed_again(body: str, reason: str) -> str:
    """Return a key's message after one attempt more, which failed for ``reason``; every other member stays.

    A message that would outgrow SQS by it, or is nested too deeply to be written, stays as it is.
    """
    document = parse_json(body)
    try:
        again = json.dumps({**document, "reason": reason, "attempts": attempts_of(document) + 1})
    except RecursionError:
        return body
    return again if len(again) <= _LARGEST else body


@dataclass(frozen=True)
class SegmentWork:
    """Carry a segment of a sweep on.

    Attributes:
        sweep: the sweep's id.
        segment: the segment's number.
        hop: how many messages came before this one.
    """

    sweep: str
    segment: int
    hop: int = 0

    def body(self) -> str:
        """Return the message's body."""
        return json.dumps({"kind": "segment", "sweep": self.sweep, "segment": self.segment, "hop": self.hop})


@dataclass(frozen=True)
class StartWork:
    """Do what follows switching on, if the setting is at a version: the ``encrypt`` sweep, or the listed keys.

    Attributes:
        by: who caused it.
        setting_version: the version that the sweep rests on.
        again: whether somebody asked for it again, so that one which was paused or cancelled does not do.
    """

    by: str
    setting_version: int
    again: bool = False

    def body(self) -> str:
        """Return the message's body."""
        members = {"kind": "start", "goal": Goal.ENCRYPT.value, "by": self.by, "settingVersion": self.setting_version}
        return json.dumps(members | ({"again": True} if self.again else {}))


def work_from_body(body: str) -> SegmentWork | StartWork:
    """Return what a message of the work queue asks for.

    Raises:
        UnsupportedValue: it is malformed; trying again cannot help.
    """
    match document := parse_json(body):
        case {"kind": "segment", "sweep": str(sweep), "segment": int(segment), "hop": int(hop)}:
            if 0 <= segment < MAX_SEGMENTS and hop >= 0 and sweep:
                return SegmentWork(sweep, segment, hop)
        case {"kind": "start", "goal": Goal.ENCRYPT.value, "by": str(by), "settingVersion": int(version)}:
            return StartWork(by, version, document.get("again") is True)
    raise UnsupportedValue("a malformed work message")


def parse_json(body: str) -> Mapping[str, Any]:
    """Return the JSON object in a message's body.

    Raises:
        UnsupportedValue: it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnsupportedValue("a message is not a JSON object")
    return document


def _aim(document: Mapping[str, Any]) -> Aim:
    try:
        goal = Goal(document["goal"]) if document.get("goal") else None
        older_than = datetime.fromisoformat(document["olderThan"]) if document.get("olderThan") else None
    except (ValueError, TypeError):
        raise UnsupportedValue("a queue message with an unreadable goal") from None
    return Aim(goal, older_than)


def _key_as_json(key: Item) -> dict[str, Any]:
    return {name: to_json(value) for name, value in key.items()}


def _shown_key(document: object) -> dict[str, Any] | None:
    try:
        key = _key_as_json(key_from_json(document))
    except UnsupportedValue:
        return None
    return key if len(json.dumps(key)) <= _LARGEST_KEY else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(number: object) -> float | None:
    try:
        seconds = float(number) if isinstance(number, int | float) else math.nan
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.strptime(str(text), _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _is_count(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool)
