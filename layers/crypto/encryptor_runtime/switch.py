"""The runtime switch: whether encryption is on, for all or for a part, kept in the control table.

::

    {"id": "setting", "part": "current",      "enabled": true, "version": 3, "changedBy": "…", "changedAt": "…"}
    {"id": "setting", "part": "v0000000003",  the same: one row a version is the history}

    on for a part, one member more:           "onlyFor": {"buckets": 100, "of": 10000}
                                              "onlyFor": {"keys": [{"sessionId": {"S": "…"}, …}, …]}, as maps

Until the first change there is no row, and the environment's value holds, as version 0. A setting that cannot be read
raises, and so does one whose part cannot; it is never taken for "off", which would store plaintext, nor for "on".
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from item_crypto.core.codec import key_from_json, to_json
from item_crypto.core.part import ALL_BUCKETS, Buckets, ListedKeys, Part
from item_crypto.core.policy import Policy
from item_crypto.errors import ItemCryptoError, SystemicError, TransientError, UnsupportedValue
from item_crypto.service_errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SETTING: Final = "setting"
_CURRENT: Final = "current"
_ONLY_FOR: Final = "onlyFor"


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


class VersionConflict(ItemCryptoError):
    """Somebody else changed the setting first.

    Attributes:
        current: the setting as it is now.
    """

    reason = "version-conflict"

    def __init__(self, current: SwitchState) -> None:
        super().__init__(f"the setting is at version {current.version}")
        self.current = current


class Switch:
    """Reads and changes the setting.

    Every method raises TransientError or SystemicError where the setting cannot be read or written.

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
                Key={"id": {"S": SETTING}, "part": {"S": _CURRENT}},
                ConsistentRead=True,
            )
        return _setting(answer["Item"]) if "Item" in answer else self._default

    def change(self, enabled: bool, by: str, expected_version: int, part: Part | None = None) -> SwitchState:
        """Make a new version of the setting, if it is still at ``expected_version``; return it.

        Args:
            enabled: whether encryption is to be on.
            by: who changes it.
            expected_version: the version that they saw.
            part: the items that it is to be on for; None for all.

        Raises:
            VersionConflict: it is not.
        """
        moment = datetime.now(UTC)
        setting = SwitchState(enabled, expected_version + 1, by, moment, part if enabled else None)
        row = _row(setting)
        unchanged: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if expected_version:
            unchanged = {
                "ConditionExpression": "version = :expected",
                "ExpressionAttributeValues": {":expected": {"N": str(expected_version)}},
            }
        current = {"TableName": self._table, "Item": {**row, "part": {"S": _CURRENT}}, **unchanged}
        history = {"TableName": self._table, "Item": {**row, "part": {"S": f"v{setting.version:010}"}}}
        with translated("dynamodb"):
            try:
                self._dynamodb.transact_write_items(
                    TransactItems=[{"Put": current}, {"Put": history}]  # type: ignore[typeddict-item]
                )
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                # Throttling and a transaction of somebody else's cancel it too, with the version as expected.
                current_setting = self.read_now()
                if current_setting.version != expected_version:
                    raise VersionConflict(current_setting) from None
                raise TransientError("dynamodb", "TransactionCanceled") from None
        self.forget()
        return setting

    def history(self, limit: int = 100) -> list[SwitchState]:
        """Return the versions that were made, newest first."""
        # A version with listed keys has up to 40 KB, so that a page of 1 MB need not have all of them.
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="id = :id AND begins_with(part, :version)",
            ExpressionAttributeValues={":id": {"S": SETTING}, ":version": {"S": "v"}},
            ScanIndexForward=False,
            ConsistentRead=True,
            PaginationConfig={"MaxItems": limit},
        )
        with translated("dynamodb"):
            return [_setting(item) for page in pages for item in page["Items"]]


def _row(setting: SwitchState) -> dict[str, Any]:
    assert setting.changed_by is not None and setting.changed_at is not None  # noqa: PT018, S101 - made just above
    part = {} if setting.part is None else {_ONLY_FOR: _part_as_value(setting.part)}
    return {
        **part,
        "id": {"S": SETTING},
        "enabled": {"BOOL": setting.enabled},
        "version": {"N": str(setting.version)},
        "changedBy": {"S": setting.changed_by},
        "changedAt": {"S": setting.changed_at.isoformat()},
    }


def _setting(row: Mapping[str, Any]) -> SwitchState:
    match row:
        case {
            "enabled": {"BOOL": bool(enabled)},
            "version": {"N": version},
            "changedBy": {"S": by},
            "changedAt": {"S": at},
        }:
            return SwitchState(enabled, int(version), by, datetime.fromisoformat(at), _part(row, enabled))
        case _:
            # Somebody edited the row by hand. To guess would be to fail open.
            raise SystemicError("control-table", "unreadable-setting")


def _part_as_value(part: Part) -> dict[str, Any]:
    if isinstance(part, Buckets):
        return {"M": {"buckets": {"N": str(part.number)}, "of": {"N": str(ALL_BUCKETS)}}}
    return {"M": {"keys": {"L": [{"M": key} for key in part.items]}}}


def _part(row: Mapping[str, Any], enabled: bool) -> Part | None:
    if _ONLY_FOR not in row:
        return None
    try:
        match row[_ONLY_FOR]:
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
