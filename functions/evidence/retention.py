"""Until when copies of the table hold plaintext from before. Pure.

::

    plaintext written … migrate ends ─┐                     verify
                                      ▼                       ▼
    ──────────────────────────────────T───────────────────────┬──────────▶ time
                                      ├── 24 h ──▶ stream records of before T are gone
                                      ├── 35 days ──────────▶ no point to restore to lies before T
                                      └── each older backup, on the day that it is deleted

T is the time by which every item that a writer left in plaintext was encrypted. A later write is in plaintext too, for
as long as its stream record takes: that is outside of what these dates say, and the evidence says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence.counted import counted
from evidence.sweep import FAILURES, Sweep

STREAM_RETENTION: Final = timedelta(hours=24)
"""How long DynamoDB Streams keeps a record (service limit)."""
PITR_DAYS: Final = 35
"""The longest, and default, window of point-in-time recovery in days (service limit)."""
KEYS_ONLY: Final = "KEYS_ONLY"
"""The view type of a stream whose records hold no values."""
_MAY_HOLD_PLAINTEXT: Final = ("plaintext", "mixed", "oldForm", "undecryptable")  # The last two also beside plaintext.
_LEFT_TO_OTHERS: Final = (*FAILURES, "deferred", "retried")  # Not encrypted yet when the sweep ended.


@dataclass(frozen=True)
class Backup:
    """A backup of the table outside of point-in-time recovery, as its owner lists it.

    Attributes:
        name: what its owner calls it.
        created: when it was made.
        expires: when it will be deleted, or None where nothing says so.
    """

    name: str
    created: datetime
    expires: datetime | None = None


@dataclass(frozen=True)
class PlaintextGone:
    """The time T, and what it follows from."""

    at: datetime
    basis: str


@dataclass(frozen=True)
class Copy:
    """A place that may still hold earlier plaintext.

    Attributes:
        name: what it is.
        holds: whether earlier plaintext can be in it at all.
        until: when that ends; None where nothing says so.
        note: why.
    """

    name: str
    holds: bool
    until: datetime | None
    note: str


def plaintext_gone(
    verification: Sweep, sweeps: Sequence[Sweep], listed_since: datetime | None = None
) -> PlaintextGone | None:
    """Return T, or None while there is plaintext.

    `sweeps` are the table's other sweeps, in any order. Going back from the verification, T is the end of the sweep
    that encrypted the last plaintext, as long as every sweep since found none. Where the list does not reach back that
    far, T is the end of the oldest that found none: a later time than the true one, never an earlier. A sweep that
    began before `listed_since`, when the newest of the attributes was first configured, did not look at all of them.
    """
    if not _found_none(verification) or verification.finished_at is None:
        return None
    gone = PlaintextGone(verification.finished_at, f"the end of the verification {verification.id}")
    before = sorted(
        (sweep for sweep in sweeps if sweep.id != verification.id and sweep.finished_at is not None),
        key=_finish,
        reverse=True,
    )
    for sweep in before:
        if _finish(sweep) > verification.finished_at or sweep.goal == "re-encrypt":
            continue  # Later than what is certified; or says nothing about plaintext.
        if sweep.setting_version != verification.setting_version or sweep.state != "done":
            break
        if listed_since is not None and (sweep.started_at is None or sweep.started_at < listed_since):
            break
        if sweep.goal == "encrypt" and not any(map(sweep.counts.get, _LEFT_TO_OTHERS)):
            gone = PlaintextGone(_finish(sweep), f"the end of the sweep {sweep.id}")
            if sweep.counts.get("encrypted"):
                gone = PlaintextGone(gone.at, f"the end of the sweep {sweep.id}, which encrypted the last plaintext")
                break
        elif _found_none(sweep):
            gone = PlaintextGone(_finish(sweep), f"the end of the verification {sweep.id}")
        else:
            break
    return gone


def copies(
    gone: PlaintextGone | None,
    pitr: bool | None,
    pitr_days: int,
    backups: Sequence[Backup],
    now: datetime,
    view_type: str | None = None,
) -> list[Copy]:
    """Return every place that may hold earlier plaintext; `pitr` and the stream's `view_type` are None if unknown."""
    return [
        _stream(gone, view_type),
        _recovery(gone, pitr, pitr_days),
        *(_backup(backup, gone, now) for backup in backups),
    ]


def _found_none(sweep: Sweep) -> bool:
    # What is outside of a part is left in plaintext, counted or not.
    found = any(map(sweep.counts.get, _MAY_HOLD_PLAINTEXT)) or any(sweep.outside.values())
    return sweep.goal == "verify" and sweep.state == "done" and not found


def _finish(sweep: Sweep) -> datetime:
    assert sweep.finished_at is not None  # noqa: S101 - those without one were left out
    return sweep.finished_at


def _stream(gone: PlaintextGone | None, view_type: str | None) -> Copy:
    name = "stream records"
    if view_type == KEYS_ONLY:
        return Copy(name, False, None, "The stream's view type is KEYS_ONLY: its records hold keys and never a value.")
    kind = f"The stream's view type is {view_type}" if view_type else "The stream's view type is unknown"
    return Copy(name, True, gone.at + STREAM_RETENTION if gone else None, f"{kind}; records are kept for 24 hours.")


def _recovery(gone: PlaintextGone | None, pitr: bool | None, days: int) -> Copy:
    name = "point-in-time recovery"
    if pitr is False:
        return Copy(name, False, None, "Off: there is nothing to restore to.")
    note = f"A window of {counted(days, 'day')}; a restore to a point before holds the values of that point."
    return Copy(name, True, gone.at + timedelta(days=days) if gone else None, note)


def _backup(backup: Backup, gone: PlaintextGone | None, now: datetime) -> Copy:
    made = f"Made {backup.created:%Y-%m-%d %H:%M} UTC"
    name = f"backup {backup.name}"
    if backup.expires is not None and backup.expires <= now:
        return Copy(name, False, backup.expires, f"{made}; deleted by its plan, which was not checked.")
    if gone is not None and backup.created >= gone.at:
        return Copy(name, False, None, f"{made}, after the earlier plaintext was encrypted.")
    if backup.expires is None:
        return Copy(name, True, None, f"{made}. No date of deletion is known: it holds plaintext until it is deleted.")
    return Copy(name, True, backup.expires, f"{made}; deleted by its plan on that date.")
