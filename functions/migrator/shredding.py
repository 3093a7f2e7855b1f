"""Shredding a tenant: all that is encrypted of it becomes unreadable, by the destruction of its branch key.

First every item of the tenant is looked at. What is in plaintext, under a KMS key or in the old form would outlive the
branch key, so while there is any, nothing is destroyed. The caller asks page after page, and carries the place itself::

    cursor: none ─▶ pages, for some seconds ─▶ cursor ─▶ … ─▶ the end ─▶ tombstone, versions deleted
                        └─ an item that would stay readable: refused

What is written meanwhile is encrypted under the tombstone's key by whoever still keeps it, and goes with the rest; or
it fails as ``tenant-shredded``, stays in plaintext, and is a dead letter.
"""

import base64
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from item_crypto.core.codec import Item, to_json
from item_crypto.core.context import encryption_context
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import CONFLICT_SUFFIX, ENCRYPTED_PREFIX
from item_crypto.dynamodb.table import Table
from item_crypto.errors import ContextUnusable, UnknownForm
from item_crypto.forms import open_envelope
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.protocol import Keys
from migrator.census import Standing, standing
from migrator.segments import scanned

SECONDS: Final = 20.0
"""For how long one answer is worked on: the caller wants to show how far it is."""

UNDER_KMS: Final = "underKms"
OTHER_CIPHERTEXT: Final = "otherCiphertext"
WORDS: Final = {
    Standing.PLAINTEXT.value: "in plaintext",
    Standing.MIXED.value: "partly in plaintext",
    Standing.OLD_FORM.value: "in the old form",
    UNDER_KMS: "under a KMS key",
    Standing.UNDECRYPTABLE.value: "under a key that is not listed",
    OTHER_CIPHERTEXT: "with ciphertext that no listed attribute is behind",
}
"""What would stay readable, for people."""

_RESERVE: Final = 45.0  # Seconds with which no further page is read: a call that hangs, and the destruction.
_PITR_DAYS: Final = 35  # As long as DynamoDB can be told to keep them, and does unless it is told otherwise.
_STREAM_HOURS: Final = 24  # A stream keeps a record that long (Developer Guide, "Change data capture").


@dataclass(frozen=True)
class Looked:
    """What some pages of the table have of a tenant.

    Attributes:
        scanned: how many items of any tenant were read.
        items: how many of them are the tenant's.
        readable: how many of these would stay readable, by what they are.
        cursor: the key after which to go on; None at the end.
    """

    scanned: int
    items: int
    readable: Mapping[str, int]
    cursor: Item | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the control function shows it."""
        cursor = self.cursor and {name: to_json(value) for name, value in self.cursor.items()}
        return {"scanned": self.scanned, "items": self.items, "cursor": cursor}


@dataclass(frozen=True)
class Copy:
    """A copy of what a tenant had that can still be read for a while.

    Attributes:
        what: what it is, for people.
        until: until when it is there; None where nobody but its owner knows.
    """

    what: str
    until: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it as the control function shows it."""
        return {"what": self.what, "until": self.until.isoformat(timespec="seconds") if self.until else None}


@dataclass(frozen=True)
class Look:
    """Looks for what of a tenant would stay readable.

    Attributes:
        table: the table.
        key_types: the table's key attributes, and the type of each: S, N or B.
        tenants: what tells one tenant from another; each is one of these attributes.
        policy: what is to be encrypted.
        keys: the keys.
        seconds_left: returns how much time remains.
        sleep: waits a number of seconds.
        clock: returns seconds that only go forward.
        seconds: for how long one answer is worked on.
    """

    table: Table
    key_types: Mapping[str, str]
    tenants: Tenants
    policy: Policy
    keys: Keys
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    seconds: float = SECONDS

    def after(self, tenant: str, cursor: Item | None) -> Looked:
        """Return what the pages after ``cursor`` have of ``tenant``.

        Raises:
            TransientError, SystemicError: DynamoDB does not answer.
        """
        began, seen, items = self.clock(), 0, 0
        readable: Counter[str] = Counter()
        while True:
            start = {} if cursor is None else {"ExclusiveStartKey": cursor}
            page = scanned(self.table, self.sleep, **self._filter(tenant), **start)
            for item in page["Items"]:
                items += 1
                readable += Counter(self._readable(item, tenant))
            seen, cursor = seen + int(page["ScannedCount"]), page.get("LastEvaluatedKey")
            if cursor is None or self.clock() - began >= self.seconds or self.seconds_left() <= _RESERVE:
                return Looked(seen, items, readable, cursor)

    def _filter(self, tenant: str) -> dict[str, Any]:
        name = self.tenants.attribute or ""
        kind = self.key_types[name]
        return {
            "FilterExpression": "#tenant = :tenant",
            "ExpressionAttributeNames": {"#tenant": name},
            "ExpressionAttributeValues": {":tenant": {kind: base64.b64decode(tenant) if kind == "B" else tenant}},
        }

    def _readable(self, item: Item, tenant: str) -> Iterator[str]:
        """Yield why an item would stay readable, if it would."""
        state, envelopes = standing(item, self.policy, self.keys)
        ours = self.tenants.branch_key_id(tenant)
        if state not in (Standing.ENCRYPTED, Standing.NONE):
            yield state.value
        elif any(envelope.key != ours for envelope in envelopes.values()):
            yield UNDER_KMS
        elif any(key != ours for key in _unlisted(item, self.policy)):
            yield OTHER_CIPHERTEXT


def _unlisted(item: Item, policy: Policy) -> Iterator[str | None]:
    """Yield which key each ciphertext needs that no listed attribute is behind."""
    for stored, value in item.items():
        name = stored.removeprefix(ENCRYPTED_PREFIX)
        if name == stored or name.removesuffix(CONFLICT_SUFFIX) in policy.attributes:
            continue
        with suppress(UnknownForm):  # What only has such a name is an attribute like any.
            yield open_envelope(value).key


def is_tenant(text: str, tenants: Tenants, key_types: Mapping[str, str]) -> bool:
    """Tell whether ``text`` can be a tenant, as the encryption context writes it."""
    name = tenants.attribute or ""
    if name not in key_types:
        return False
    kind, value = key_types[name], text
    if kind == "B":
        try:
            content = base64.b64decode(text, validate=True)
        except ValueError:
            return False
        return bool(content)
    try:
        return encryption_context({name: {kind: value}}, (name,), tenants.purpose)[name] == text
    except ContextUnusable:
        return False


def copies(
    now: datetime,
    cache_seconds: int,
    branch_keys: Mapping[str, Any],
    table: Mapping[str, Any],
    stream: Mapping[str, Any],
) -> list[Copy]:
    """Return what can still be read of a tenant that was shredded at ``now``, and until when.

    Args:
        now: the time of the destruction, aware.
        cache_seconds: for how long functions keep a branch key.
        branch_keys: to which times the table of branch keys can be restored, as DynamoDB describes it.
        table: the same of the table itself.
        stream: the table's stream, as DynamoDB describes it.
    """
    found = [Copy("the branch key that a function keeps", now + timedelta(seconds=cache_seconds))]
    if (days := _recovery_days(branch_keys)) is not None:
        found.append(
            Copy("the branch key, by a point-in-time recovery of the table of branch keys", now + timedelta(days=days))
        )
    found.append(Copy("the branch key, in backups of the table of branch keys", None))
    if (days := _recovery_days(table)) is not None:
        found.append(
            Copy(
                "what was in plaintext or under another key before, by a point-in-time recovery of the table",
                now + timedelta(days=days),
            )
        )
    found.append(Copy("the same, in backups and exports of the table", None))
    if stream.get("StreamEnabled") and stream.get("StreamViewType") != "KEYS_ONLY":
        found.append(Copy("the same, in the images of the table's stream", now + timedelta(hours=_STREAM_HOURS)))
    return found


def _recovery_days(described: Mapping[str, Any]) -> int | None:
    if described.get("PointInTimeRecoveryStatus") != "ENABLED":
        return None
    return int(described.get("RecoveryPeriodInDays") or _PITR_DAYS)
