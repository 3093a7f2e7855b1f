"""The setting: whether encryption is on, for all or for a part, as the control table has it. Read here, never written.

::

    {"id": "setting", "part": "current",      "enabled": true, "version": 3, "changedBy": "…", "changedAt": "…"}
    {"id": "setting", "part": "v0000000003",  the same: one row a version is the history}

    on for a part, one member more:           "onlyFor": {"buckets": 100, "of": 10000}
                                              "onlyFor": {"keys": [{"sessionId": {"S": "…"}, …}, …]}, as maps

Until the first change there is no row, and what the caller names holds, as version 0. A setting that cannot be read
raises, and so does one whose part cannot; it is never taken for "off", which would store plaintext, nor for "on".
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from item_crypto.core.codec import key_from_json, to_json
from item_crypto.core.part import ALL_BUCKETS, Buckets, ListedKeys, Part
from item_crypto.core.policy import Policy
from item_crypto.errors import SystemicError, UnsupportedValue
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SETTING: Final = "setting"
CURRENT: Final = "current"
ONLY_FOR: Final = "onlyFor"


@dataclass(frozen=True)
class SwitchState:
    """The setting at one version.

    Attributes:
        enabled: whether encryption is on, for all or for ``part``.
        version: 0 until the first change, then one more with each.
        changed_by: who made this version; None for version 0.
        changed_at: when, aware; None for version 0.
        part: the items that it is on for; None for all, and where it is off.
    """

    enabled: bool
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None
    part: Part | None = None

    def applied_to(self, policy: Policy) -> Policy:
        """Return ``policy`` as this setting has it."""
        return replace(policy, enabled=self.enabled, part=self.part)

    def as_json(self) -> dict[str, Any]:
        """Return the setting as the API and the control function show it: of listed keys, how many."""
        return {
            "enabled": self.enabled,
            "part": self.part and self.part.as_json(),
            "version": self.version,
            "changedBy": self.changed_by,
            "changedAt": self.changed_at.isoformat() if self.changed_at else None,
        }


class ControlTable:
    """Reads the setting.

    Every method raises TransientError or SystemicError where the setting cannot be read.

    Args:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
        default_enabled: what holds until the first change.
        cache_seconds: how long a reading may be used.
        clock: returns seconds that only go forward.
        wall_clock: returns the time in epoch seconds, which goes on while an environment is frozen.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        control_table: str,
        default_enabled: bool,
        cache_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = control_table
        self._default = SwitchState(default_enabled)
        self.cache_seconds = cache_seconds
        self._clocks = clock, wall_clock
        self._lock = threading.Lock()
        self._cached: tuple[tuple[float, ...], SwitchState] | None = None

    def read(self) -> SwitchState:
        """Return the setting, no older than ``cache_seconds``."""
        with self._lock:
            # Its age counts from before the request: the answer may be older than its arrival. By two clocks: one
            # stands still while Lambda keeps the environment frozen, the other may be put back.
            now = tuple(clock() for clock in self._clocks)
            if self._cached is None or self._age(now, self._cached[0]) >= self.cache_seconds:
                self._cached = (now, self.read_now())
            return self._cached[1]

    @staticmethod
    def _age(now: tuple[float, ...], then: tuple[float, ...]) -> float:
        return max(later - earlier for later, earlier in zip(now, then, strict=True))

    def forget(self) -> None:
        """Forget the reading: an invocation begins without one, since nobody knows how long it was frozen before."""
        with self._lock:
            self._cached = None

    def read_now(self) -> SwitchState:
        """Return the setting as it is now (consistent read)."""
        with translated("dynamodb"):
            answer = self._dynamodb.get_item(
                TableName=self._table,
                Key={"id": {"S": SETTING}, "part": {"S": CURRENT}},
                ConsistentRead=True,
            )
        return setting_of(answer["Item"]) if "Item" in answer else self._default

    def current(self, policy: Policy) -> Policy:
        """Return ``policy`` as the setting has it, no older than ``cache_seconds``."""
        return self.read().applied_to(policy)


def setting_of(row: Mapping[str, Any]) -> SwitchState:
    """Return the setting in a row of the control table.

    Raises:
        SystemicError: it is unreadable.
    """
    match row:
        case {
            "enabled": {"BOOL": bool(enabled)},
            "version": {"N": version},
            "changedBy": {"S": by},
            "changedAt": {"S": at},
        }:
            try:
                number, moment = int(version), datetime.fromisoformat(at)
            except ValueError:
                pass
            else:
                return SwitchState(enabled, number, by, moment, _part(row, enabled))
    # Somebody edited the row by hand. To guess would be to fail open.
    raise SystemicError("control-table", "unreadable-setting")


def _part(row: Mapping[str, Any], enabled: bool) -> Part | None:
    if ONLY_FOR not in row:
        return None
    try:
        match row[ONLY_FOR]:
            case {"M": {"buckets": {"N": number}, "of": {"N": of}} as members} if len(members) == 2 and enabled:
                if int(of) == ALL_BUCKETS:
                    return Buckets(int(number))
            case {"M": {"keys": {"L": keys}} as members} if len(members) == 1 and enabled:
                return ListedKeys.of([_key(key["M"]) for key in keys])
    except (UnsupportedValue, AttributeError, KeyError, TypeError, ValueError):
        pass
    # To take it for "on" would encrypt what is not to be, for "off" the other way round.
    raise SystemicError("control-table", "unreadable-setting")


def _key(members: Mapping[str, Any]) -> dict[str, Any]:
    return key_from_json({name: to_json(value) for name, value in members.items()})
