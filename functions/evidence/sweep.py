"""A sweep as the control function tells of it, as far as evidence rests on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

FAILURES: Final = ("failed",)
"""The counts of items that nothing was done for, and will not be: they may be in plaintext."""


@dataclass(frozen=True)
class Sweep:
    """A sweep at one moment; the names are those of the control function's answer.

    Where encryption is on for a part, `counts` has the part's items by state, and `outside` the others.
    """

    id: str
    goal: str
    state: str
    started_by: str | None
    started_at: datetime | None
    finished_at: datetime | None
    setting_version: int | None
    scanned: int
    counts: Mapping[str, int]
    outside: Mapping[str, int]
    under_key: Mapping[str, int]
    attributes: Mapping[str, Mapping[str, int]]
    strays: Mapping[str, int]
    values_seen: int
    values_decrypted: int
    encodings: Mapping[str, int]
    deep: bool


def read_sweep(document: Mapping[str, Any]) -> Sweep:
    """Return the sweep in an answer of the control function."""
    values = document.get("values") or {}
    return Sweep(
        id=str(document["id"]),
        goal=str(document["goal"]),
        state=str(document["state"]),
        started_by=document.get("startedBy"),
        started_at=read_time(document.get("startedAt")),
        finished_at=read_time(document.get("finishedAt")),
        setting_version=document.get("settingVersion"),
        scanned=int(document.get("scanned") or 0),
        counts=dict(document.get("counts") or {}),
        outside=dict(document.get("outside") or {}),
        under_key=dict(document.get("underKey") or {}),
        attributes={name: dict(places) for name, places in (document.get("attributes") or {}).items()},
        strays=dict(document.get("strays") or {}),
        values_seen=int(values.get("seen") or 0),
        values_decrypted=int(values.get("decrypted") or 0),
        encodings=dict(document.get("encodings") or {}),
        deep=bool(document.get("deep")),
    )


def read_time(text: str | None) -> datetime | None:
    """Return a time in ISO 8601, aware and in UTC; one without a zone is in UTC.

    Raises:
        ValueError: it is none.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
