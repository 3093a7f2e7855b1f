"""The runtime switch: whether encryption is on, kept in the control table.

::

    {"id": "setting", "part": "current",      "enabled": true, "version": 3, "changedBy": "…", "changedAt": "…"}
    {"id": "setting", "part": "v0000000003",  the same: one row a version is the history}

Until the first change there is no row, and the environment's value holds, as version 0. A setting that cannot be read
raises; it is never taken for "off", which would store plaintext.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from item_crypto.errors import ItemCryptoError, SystemicError, TransientError
from item_crypto.service_errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SETTING: Final = "setting"
_CURRENT: Final = "current"


@dataclass(frozen=True)
class SwitchState:
    """The setting at one version.

    Attributes:
        enabled: whether encryption is on.
        version: 0 until the first change, then one more with each.
        changed_by: who made this version; None for version 0.
        changed_at: when, aware; None for version 0.
    """

    enabled: bool
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the setting as the API and the control function show it."""
        return {
            "enabled": self.enabled,
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

    def change(self, enabled: bool, by: str, expected_version: int) -> SwitchState:
        """Make a new version of the setting, if it is still at ``expected_version``; return it.

        Raises:
            VersionConflict: it is not.
        """
        moment = datetime.now(UTC)
        setting = SwitchState(enabled, expected_version + 1, by, moment)
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
        with translated("dynamodb"):
            answer = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="id = :id AND begins_with(part, :version)",
                ExpressionAttributeValues={":id": {"S": SETTING}, ":version": {"S": "v"}},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=limit,
            )
        return [_setting(item) for item in answer["Items"]]


def _row(setting: SwitchState) -> dict[str, Any]:
    assert setting.changed_by is not None and setting.changed_at is not None  # noqa: PT018, S101 - made just above
    return {
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
            return SwitchState(enabled, int(version), by, datetime.fromisoformat(at))
        case _:
            # Somebody edited the row by hand. To guess would be to fail open.
            raise SystemicError("control-table", "unreadable-setting")
