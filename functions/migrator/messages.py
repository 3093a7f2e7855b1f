"""The messages of the work queue, and the deferred keys' goals.

::

    {"kind": "segment", "sweep": "20260102T083000-1f2e", "segment": 3, "hop": 12}   carry a segment on
    {"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 4}        start a sweep
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from item_crypto.errors import UnsupportedValue
from migrator.sweeps import Goal

MAX_SEGMENTS = 1000
"""Into how many segments a sweep may be cut."""


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
    """Start a sweep, if the setting is at a version.

    Attributes:
        goal: the sweep's goal.
        by: who caused it.
        setting_version: the version that the sweep rests on.
    """

    goal: Goal
    by: str
    setting_version: int


def parse_work(body: str) -> SegmentWork | StartWork:
    """Return what a message of the work queue asks for.

    Raises:
        UnsupportedValue: it is malformed; trying again cannot help.
    """
    document = parse_json(body)
    match document:
        case {"kind": "segment", "sweep": str(sweep), "segment": int(segment), "hop": int(hop)}:
            if 0 <= segment < MAX_SEGMENTS and hop >= 0 and sweep:
                return SegmentWork(sweep, segment, hop)
        case {"kind": "start", "goal": "encrypt", "by": str(by), "settingVersion": int(version)}:
            return StartWork(Goal.ENCRYPT, by, version)
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


def goal_members(goal: Goal | None, older_than: datetime | None) -> dict[str, str | None]:
    """Return the members of a key's message that tell what it was tried for; :func:`deferred_goal` reads them."""
    return {"goal": goal.value if goal else None, "olderThan": older_than.isoformat() if older_than else None}


def deferred_goal(document: Mapping[str, Any]) -> tuple[Goal | None, datetime | None]:
    """Return the goal that a deferred key's message carries, where a sweep deferred it.

    Raises:
        UnsupportedValue: it is malformed.
    """
    try:
        goal = Goal(document["goal"]) if document.get("goal") else None
        older_than = datetime.fromisoformat(document["olderThan"]) if document.get("olderThan") else None
    except (ValueError, TypeError):
        raise UnsupportedValue("a malformed deferred message") from None
    return goal, older_than
