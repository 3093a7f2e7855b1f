"""Recent administrative actions, kept in the control table for whoever wants to see what was done last.

::

    {"id": "actions", "part": "2026-01-02T08:30:00.123456+00:00#1f2e3d", who, via, action, result, detail}

One row an action, sorted by time; only the newest are kept. The audit lines are the record: these rows are a view of
it that needs no log.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS: Final = "actions"
"""The key of the rows; IAM policies are bound to it."""

KEPT: Final = 500
"""How many actions are kept."""

_TRIMMED: Final = 25  # Rows that one trim deletes at most; an action adds one.
_MAX_TEXT: Final = 256
_MAX_NUMBER: Final = 10**15

Fact: TypeAlias = bool | int | float | str


@dataclass(frozen=True)
class Action:
    """What somebody did, or was refused.

    Attributes:
        time: when it ended, aware.
        who: who asked, by what the asker said of itself or the token said of the user.
        via: by which way, where it was not the operator's own: ``admin-api``, ``config-api``.
        action: the command.
        result: ``done``, ``refused: …`` or ``failed: …``.
        detail: facts of the command by name, never a value of an item. Long text is cut when it is kept.
    """

    time: datetime
    who: str
    via: str | None
    action: str
    result: str
    detail: Mapping[str, Fact]

    def as_json(self) -> dict[str, Any]:
        """Return the action as the control function shows it."""
        return {
            "time": self.time.isoformat(),
            "who": self.who,
            "via": self.via,
            "action": self.action,
            "result": self.result,
            "detail": dict(self.detail),
        }


class Actions:
    """The control table's rows of actions.

    Every method raises TransientError or SystemicError where DynamoDB does not answer.

    Args:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
    """

    def __init__(self, dynamodb: "DynamoDBClient", control_table: str) -> None:
        self._dynamodb = dynamodb
        self._table = control_table

    def keep(self, action: Action) -> None:
        """Add an action."""
        moment = action.time.astimezone(UTC).isoformat(timespec="microseconds")
        row: dict[str, Any] = {
            "id": {"S": ACTIONS},
            "part": {"S": f"{moment}#{secrets.token_hex(3)}"},
            "who": {"S": action.who},
            "action": {"S": action.action},
            "result": {"S": action.result},
            "detail": {"S": json.dumps({name: _bounded(fact) for name, fact in action.detail.items()})},
        }
        if action.via is not None:
            row["via"] = {"S": action.via}
        with translated("dynamodb"):
            self._dynamodb.put_item(TableName=self._table, Item=row)

    def newest(self, limit: int) -> list[Action]:
        """Return the newest actions, those first."""
        return [_action(row) for row in self._rows(min(limit, KEPT))]

    def trim(self) -> None:
        """Delete the oldest where there are more than are to be kept."""
        for row in self._rows(KEPT + _TRIMMED)[KEPT:]:
            with translated("dynamodb"):
                self._dynamodb.delete_item(TableName=self._table, Key={"id": row["id"], "part": row["part"]})

    def _rows(self, limit: int) -> list[dict[str, Any]]:
        # A row has at most some 2 KB, so that as many as are ever kept fit into two pages of 1 MB.
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": ACTIONS}},
            ScanIndexForward=False,
            ConsistentRead=True,
            PaginationConfig={"MaxItems": limit},
        )
        with translated("dynamodb"):
            return [row for page in pages for row in page["Items"]]


def _action(row: Mapping[str, Any]) -> Action:
    return Action(
        datetime.fromisoformat(row["part"]["S"].partition("#")[0]),
        row["who"]["S"],
        row["via"]["S"] if "via" in row else None,
        row["action"]["S"],
        row["result"]["S"],
        json.loads(row["detail"]["S"]),
    )


def _bounded(fact: Fact) -> Fact:
    """Return ``fact`` so that a row stays small, whatever somebody asked for."""
    if isinstance(fact, str):
        return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "?", fact)[:_MAX_TEXT]
    return fact if abs(fact) < _MAX_NUMBER else "out of range"
