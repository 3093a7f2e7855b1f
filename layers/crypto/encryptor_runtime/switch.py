"""The runtime switch: changes of the setting, and its history. ``item_crypto.setting`` reads it, and draws its rows."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from item_crypto.core.part import ALL_BUCKETS, Buckets, Part
from item_crypto.errors import ItemCryptoError, TransientError
from item_crypto.service_errors import error_code, translated
from item_crypto.setting import CURRENT, ONLY_FOR, SETTING, ControlTable, SwitchState, setting_of

__all__ = ["SETTING", "Switch", "SwitchState", "VersionConflict"]


class VersionConflict(ItemCryptoError):
    """Somebody else changed the setting first.

    Attributes:
        current: the setting as it is now.
    """

    reason = "version-conflict"

    def __init__(self, current: SwitchState) -> None:
        super().__init__(f"the setting is at version {current.version}")
        self.current = current


class Switch(ControlTable):
    """Reads and changes the setting.

    Every method raises TransientError or SystemicError where the setting cannot be read or written. Its arguments are
    those of :class:`item_crypto.setting.ControlTable`.
    """

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
        current = {"TableName": self._table, "Item": {**row, "part": {"S": CURRENT}}, **unchanged}
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
            return [setting_of(item) for page in pages for item in page["Items"]]


def _row(setting: SwitchState) -> dict[str, Any]:
    assert setting.changed_by is not None and setting.changed_at is not None  # noqa: PT018, S101 - made just above
    part = {} if setting.part is None else {ONLY_FOR: _part_as_value(setting.part)}
    return {
        **part,
        "id": {"S": SETTING},
        "enabled": {"BOOL": setting.enabled},
        "version": {"N": str(setting.version)},
        "changedBy": {"S": setting.changed_by},
        "changedAt": {"S": setting.changed_at.isoformat()},
    }


def _part_as_value(part: Part) -> dict[str, Any]:
    if isinstance(part, Buckets):
        return {"M": {"buckets": {"N": str(part.number)}, "of": {"N": str(ALL_BUCKETS)}}}
    return {"M": {"keys": {"L": [{"M": key} for key in part.items]}}}
