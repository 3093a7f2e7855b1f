"""What the operator asks for: the fields of a command, each in its type and range, or refused by name. Pure."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar

from encryptor_runtime.messages import MAX_SEGMENTS, Goal
from encryptor_runtime.switch_and_sweep import CONFIRMATION
from evidence.retention import Backup
from evidence.sweep import read_time
from item_crypto.core.codec import Item, key_from_json
from item_crypto.core.part import ALL_BUCKETS, MAX_KEYS, ListedKeys, Part, read_part
from item_crypto.errors import UnsupportedValue

DRY_RUNS: Final = ("start", "pause", "resume", "cancel", "set-rate", "set-config", "redrive", "discard")
"""The commands that can be tried without doing anything: those that change something, all of them."""

SEGMENTS: Final = 4
"""Into how many segments a sweep is cut unless told otherwise."""

AUTOMATIC: Final = "auto"
"""The word for no ceiling of the rate."""

_T = TypeVar("_T")
_MAX_LETTERS: Final = 1000
_MAX_TENANT: Final = 3000  # Characters: a key of 2,048 bytes, in base64.
_MAX_DAYS: Final = 36_500
_MAX_RATE: Final = 1_000_000
_MAX_NAME: Final = 256  # Characters of who asks.
_HASHED: Final = 32  # Of these, those that stand for the rest of a longer one.
_MAX_SECONDS: Final = 900  # As long as an invocation can take.
_MAX_TEXT: Final = 500  # Characters of a name: an attribute's, a backup's, a file's.
_MAX_NAMES: Final = 100
_MAX_BACKUPS: Final = 1000
_MAX_VERSIONS: Final = 20
_HALVES: Final = re.compile(r"[\ud800-\udfff]")


class Refused(Exception):
    """The command cannot be carried out as given; nothing was changed.

    Attributes:
        code: a fixed kebab-case word.
        message: one sentence for the operator.
        members: more members of the answer, for whoever does not go by sentences.
    """

    def __init__(self, code: str, message: str, **members: str | int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = members


@dataclass(frozen=True)
class StartRequest:
    """A sweep to start.

    Attributes:
        goal: what it is for.
        by: who asks.
        segments: into how many parts the table is cut.
        rate: items a second at most; None for no ceiling.
        older_than_days: for ``re-encrypt``, the age of data keys in days; None for no limit of age.
        deep: for ``verify``, whether to decrypt.
        force: start it even where another one runs.
    """

    goal: Goal
    by: str
    segments: int = SEGMENTS
    rate: float | None = None
    older_than_days: float | None = None
    deep: bool = False
    force: bool = False


@dataclass(frozen=True)
class ChangeRequest:
    """What the setting is to be, seen from one version of it.

    Attributes:
        enabled: whether encryption is to be on.
        by: who asks.
        version: the version that they saw.
        part: the items that it is to be on for; None for all.
        confirmed: whether they know that items may be left without encryption.
    """

    enabled: bool
    by: str
    version: int
    part: Part | None
    confirmed: bool


@dataclass(frozen=True)
class DiscardRequest:
    """A dead letter to give up.

    Attributes:
        id: the message's id.
        by: who asks.
        reason: why.
    """

    id: str
    by: str
    reason: str


@dataclass(frozen=True)
class ReportRequest:
    """A report to make.

    Attributes:
        by: who asks.
        sweep: the id of the verification that it rests on; None for the newest that is done.
        may_be_absent: names whose absence, or whose ciphertext though they are not listed, is expected.
        backups: older backups of the table.
        versions: of the software that asks, by name; empty where it does not tell.
        name: what its files will be called; None for a name after the table and the time.
        html: whether the page is wanted too.
    """

    by: str
    sweep: str | None
    may_be_absent: tuple[str, ...]
    backups: tuple[Backup, ...]
    versions: Mapping[str, str]
    name: str | None
    html: bool


def start(event: Mapping[str, Any]) -> StartRequest:
    """Return the sweep to start."""
    names = [goal.value for goal in Goal]
    goal = Goal(_field(event, "goal", str, lambda text: text in names, f"one of {', '.join(names)}"))
    days = _number(event, "olderThanDays", lambda n: 0 <= n <= _MAX_DAYS, f"0 to {_MAX_DAYS} days")
    if days is not None and goal is not Goal.REENCRYPT:
        refuse("olderThanDays", "given for the goal re-encrypt only")
    return StartRequest(
        goal,
        by(event),
        _field(event, "segments", int, lambda n: 1 <= n <= MAX_SEGMENTS, f"1 to {MAX_SEGMENTS}", SEGMENTS),
        _number(event, "rate", lambda n: 0 < n <= _MAX_RATE, f"items a second, more than 0 and up to {_MAX_RATE}"),
        days,
        _flag(event, "deep", False),
        _flag(event, "force", False),
    )


def sweep_id(event: Mapping[str, Any]) -> str:
    """Return the sweep that is meant."""
    return _field(event, "sweep", str, bool, "a sweep's id")


def new_rate(event: Mapping[str, Any]) -> float | None:
    """Return the new ceiling of a sweep, in items a second; None for none, which is asked for by a word."""
    if event.get("rate") == AUTOMATIC:
        return None
    wanted = f'items a second, more than 0 and up to {_MAX_RATE}, or "{AUTOMATIC}" for no ceiling'
    rate = _number(event, "rate", lambda n: 0 < n <= _MAX_RATE, wanted)
    if rate is None:
        refuse("rate", wanted)
    return rate


def report(event: Mapping[str, Any]) -> ReportRequest:
    """Return the report to make."""
    wanted = f"up to {_MAX_VERSIONS} versions of software by name"
    versions: dict[str, str] = _field(event, "versions", dict, _are_versions, wanted, {})
    return ReportRequest(
        by(event),
        None if event.get("sweep") is None else sweep_id(event),
        may_be_absent(event),
        _backups(event),
        versions,
        None if event.get("name") is None else _field(event, "name", str, _is_text, "what the files will be called"),
        _flag(event, "html", False),
    )


def may_be_absent(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names whose absence, or whose ciphertext though they are not listed, is expected."""

    def are_names(names: list[Any]) -> bool:
        return len(names) <= _MAX_NAMES and all(map(_is_text, names))

    wanted = f"up to {_MAX_NAMES} names of up to {_MAX_TEXT} characters"
    names: list[str] = _field(event, "mayBeAbsent", list, are_names, wanted, [])
    return tuple(names)


def _backups(event: Mapping[str, Any]) -> tuple[Backup, ...]:
    wanted = f"up to {_MAX_BACKUPS} backups"
    entries = _field(event, "backups", list, lambda entries: len(entries) <= _MAX_BACKUPS, wanted, [])
    return tuple(_backup(entry, f"backups[{number}]") for number, entry in enumerate(entries))


def _backup(entry: Any, place: str) -> Backup:
    if not isinstance(entry, dict) or not entry.keys() <= {"name", "made", "deleted"}:
        refuse(place, 'as {"name", "made", "deleted"?}')
    if not _is_text(entry.get("name")):
        refuse(f"{place}.name", f"a name of up to {_MAX_TEXT} characters")
    made, deleted = _time(entry, "made", place), _time(entry, "deleted", place)
    if made is None:
        refuse(f"{place}.made", "when it was made")
    if deleted is not None and deleted < made:
        refuse(f"{place}.deleted", "no earlier than it was made")
    return Backup(entry["name"], made, deleted)


def _time(entry: Mapping[str, Any], name: str, place: str) -> datetime | None:
    try:
        return read_time(entry.get(name))
    except (TypeError, ValueError, OverflowError):
        refuse(f"{place}.{name}", "a time as 2026-01-31T08:30:00Z")


def _are_versions(versions: dict[Any, Any]) -> bool:
    return len(versions) <= _MAX_VERSIONS and all(map(_is_text, (*versions, *versions.values())))


def _is_text(value: Any) -> bool:
    """Tell whether a value is a name that can be written down: JSON can hold halves of characters, a file cannot."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and not _HALVES.search(value)


def change(event: Mapping[str, Any]) -> ChangeRequest:
    """Return what the setting is to be; switching off has to be confirmed."""
    enabled = _flag(event, "enabled")
    version = _field(event, "version", int, lambda n: n >= 0, "the version that you saw")
    part = None if event.get("part") is None else _part(event["part"])
    if part is not None and not enabled:
        refuse("part", "left out where encryption is switched off")
    request = ChangeRequest(enabled, by(event), version, part, event.get("confirm") == CONFIRMATION)
    if not enabled:
        confirmed(request)
    return request


def confirmed(request: ChangeRequest) -> None:
    """Refuse a change that leaves items without encryption, unless it is confirmed."""
    if not request.confirmed:
        refuse("confirm", f'"{CONFIRMATION}", since new writes stay in plaintext from then on')


def check_keys(part: ListedKeys, types: Mapping[str, str]) -> None:
    """Refuse keys that can be those of no item: encryption would be on for nothing.

    Args:
        part: the keys.
        types: the table's key attributes, and the type of each.
    """
    # No key attribute is empty (Developer Guide, "Supported data types").
    if any({name: content and kind for name, kind, content in key} != types for key in part.keys):
        wanted = " and ".join(f"{name} ({kind})" for name, kind in types.items())
        refuse("part", f"keys of the table: each has {wanted}, none of it empty, and nothing else")


def _part(document: Any) -> Part:
    try:
        return read_part(document)
    except UnsupportedValue:
        wanted = f'{{"buckets": 1 to {ALL_BUCKETS - 1}}} or {{"keys": 1 to {MAX_KEYS} item keys in DynamoDB JSON}}'
        refuse("part", f"{wanted}, of 32 KB altogether")


def limit(event: Mapping[str, Any], default: int) -> int:
    """Return how many letters to look at."""
    return _field(event, "max", int, lambda n: 1 <= n <= _MAX_LETTERS, f"1 to {_MAX_LETTERS}", default)


def discard(event: Mapping[str, Any]) -> DiscardRequest:
    """Return the letter to give up."""
    letter_id = _field(event, "id", str, bool, "a message's id")
    reason = _field(event, "reason", str, lambda text: bool(text.strip()), "why it is discarded")
    return DiscardRequest(letter_id, by(event), reason)


def item_key(event: Mapping[str, Any], name: str = "key") -> Item:
    """Return the key of the item that is meant."""
    try:
        return key_from_json(event.get(name))
    except UnsupportedValue:
        refuse(name, "the item's key in DynamoDB JSON")


def tenant(event: Mapping[str, Any]) -> str:
    """Return the tenant that is meant, as the encryption context writes it."""
    return _field(event, "tenant", str, lambda text: 0 < len(text) <= _MAX_TENANT, "a tenant")


def confirmed_tenant(event: Mapping[str, Any]) -> str:
    """Return the tenant to shred, whose name is given twice: what is destroyed stays so."""
    name = tenant(event)
    if event.get("confirm") != name:
        refuse("confirm", "the tenant's name again, since what is destroyed cannot be brought back")
    return name


def page_of_keys(event: Mapping[str, Any]) -> str | None:
    """Return the place in the list of branch keys to go on after; None for its beginning."""
    after = event.get("after")
    if after is not None and not (isinstance(after, str) and re.fullmatch(r"tenant-[0-9a-f]{64}/[!-~]{1,200}", after)):
        refuse("after", "the one of the answer before")
    return after


def dry_run(event: Mapping[str, Any]) -> str:
    """Return the command whose dry run is wanted."""
    return _field(event, "of", str, lambda of: of in DRY_RUNS, f"one of {', '.join(DRY_RUNS)}")


def within(event: Mapping[str, Any]) -> float | None:
    """Return after how many seconds the asker wants an answer; None where it waits as long as it takes."""
    return _number(event, "within", lambda n: 1 <= n <= _MAX_SECONDS, f"1 to {_MAX_SECONDS} seconds")


def by(event: Mapping[str, Any]) -> str:
    """Return who the caller says to be, in at most 256 characters of printable ASCII: another text for each.

    What is not printable ASCII is escaped as in Python, and so is a backslash; what is then too long ends in a hash.
    """
    name = str(event.get("by") or "unknown").encode("unicode_escape").decode()
    if len(name) <= _MAX_NAME - _HASHED - 1:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASHED]
    return f"{name[: _MAX_NAME - _HASHED - 1]}#{digest}"


def via(event: Mapping[str, Any]) -> str | None:
    """Return by which way the caller says to have come; None for an operator or a schedule, who come by themselves."""
    way = event.get("via")
    return way if isinstance(way, str) and re.fullmatch(r"[a-z-]{1,40}", way) else None


def refuse(name: str, wanted: str) -> NoReturn:
    """Refuse a field.

    Raises:
        Refused: always.
    """
    raise Refused("invalid-request", f"{name} must be {wanted}.", field=name)


def _field(
    event: Mapping[str, Any],
    name: str,
    kind: type[_T],
    holds: Callable[[_T], bool],
    wanted: str,
    default: _T | None = None,
) -> _T:
    value = event.get(name)
    if value is None and default is not None:
        return default
    # True is an int to Python, and not to an operator.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or not holds(value):
        refuse(name, wanted)
    return value


def _flag(event: Mapping[str, Any], name: str, default: bool | None = None) -> bool:
    return _field(event, name, bool, lambda _: True, "true or false", default)


def _number(event: Mapping[str, Any], name: str, holds: Callable[[float], bool], wanted: str) -> float | None:
    value = event.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not holds(value):
        refuse(name, wanted)
    return float(value)
