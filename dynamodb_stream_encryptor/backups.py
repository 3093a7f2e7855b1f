"""Older backups, as an operator lists them: what they hold ends with their deletion, which only their owner knows.

::

    --backup before-migration=2026-01-01                     made on that day, kept until somebody deletes it
    --backup nightly-7=2026-01-07T02:00Z/2026-02-11          made, and deleted by a plan
    --backups FILE   JSON: [{"name": …, "created": …, "expires": …?}, …], or the answer of `aws dynamodb list-backups`
                     or of `aws backup list-recovery-points-by-backup-vault` as it is
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dynamodb_stream_encryptor.errors import UsageError

_NAMES: Final = {
    # Member of the document: (name, made, deleted) of its entries.
    "BackupSummaries": ("BackupName", "BackupCreationDateTime", "BackupExpiryDateTime"),
    "RecoveryPoints": ("RecoveryPointArn", "CreationDate", "CalculatedLifecycle.DeleteAt"),
}


@dataclass(frozen=True)
class Backup:
    """A backup of the table outside of point-in-time recovery.

    Attributes:
        name: what its owner calls it.
        created: when it was made.
        expires: when it will be deleted, or None where nothing says so.
    """

    name: str
    created: datetime
    expires: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """Return it as the control function takes it."""
        deleted = {} if self.expires is None else {"deleted": self.expires.isoformat()}
        return {"name": self.name, "made": self.created.isoformat(), **deleted}


def read_backup(text: str) -> Backup:
    """Return the backup in an option's text.

    Raises:
        UsageError: it is none.
    """
    # From the right: a name may be an ARN or hold an equals sign, a time does not.
    name, _, times = text.rpartition("=")
    created, _, expires = times.partition("/")
    if not name.strip():
        raise UsageError(f"--backup takes NAME=MADE or NAME=MADE/DELETED, with times as 2026-01-31, not {text!r}.")
    return _checked(name.strip(), created, expires or None)


def read_backups(path: Path) -> list[Backup]:
    """Return the backups in a file.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--backups: {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"--backups: {path} is not JSON.") from error
    entries, names = _entries(document)
    return [_entry(entry, names) for entry in entries]


def _entries(document: Any) -> tuple[Sequence[Any], tuple[str, str, str]]:
    if isinstance(document, list):
        return document, ("name", "created", "expires")
    for member, names in _NAMES.items():
        if isinstance(document, dict) and isinstance(document.get(member), list):
            return document[member], names
    raise UsageError('--backups: expected [{"name", "created", "expires"}, …] or what the AWS CLI lists.')


def _entry(entry: Any, names: tuple[str, str, str]) -> Backup:
    name, created, expires = (_member(entry, place) for place in names)
    if not isinstance(name, str) or created is None:
        raise UsageError(f"--backups: an entry lacks {names[0]} or {names[1]}.")
    return _checked(name, created, expires)


def _member(entry: Any, place: str) -> Any:
    for name in place.split("."):
        entry = entry.get(name) if isinstance(entry, Mapping) else None
    return entry


def _checked(name: str, created: Any, expires: Any) -> Backup:
    try:
        made, deleted = _time(created), None if expires is None else _time(expires)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"The backup {name}: times are given as 2026-01-31 or 2026-01-31T08:30:00Z.") from None
    if deleted is not None and deleted < made:
        raise UsageError(f"The backup {name} is deleted before it is made.")
    return Backup(name, made, deleted)


def _time(given: Any) -> datetime:
    """Return an ISO 8601 date or time, or seconds since 1970, as UTC. A day without a time is its start."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return datetime.fromtimestamp(given, UTC)
    moment = datetime.fromisoformat(str(given))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
