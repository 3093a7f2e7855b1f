"""What is looked at before a tenant's key is destroyed, and what is told after."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from item_crypto import Keyrings, Table
from item_crypto.keys.branch_key_id import Tenants
from migrator.shredding import Look, copies, is_tenant
from tests.scene import POLICY

TENANTS = Tenants("userId", POLICY.purpose)
ENABLED: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED"}
DISABLED: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}


class Pages:
    """A table of pages in which nobody has an item."""

    def __init__(self, count: int) -> None:
        self.read = 0
        self._count = count

    def scan(self, **_: Any) -> dict[str, Any]:
        self.read += 1
        more = {"LastEvaluatedKey": {"userId": {"S": str(self.read)}}} if self.read < self._count else {}
        return {"Items": [], "ScannedCount": 5, **more}


@pytest.mark.parametrize(("passed", "read"), [((4.9, 5.0), 2), ((5.0,), 1), ((4.9, 4.9), 3)])
def test_look_when_its_time_is_used_up_then_it_answers_and_the_next_goes_on(
    passed: tuple[float, ...], read: int
) -> None:
    pages, times = Pages(3), iter([1000.0, *(1000 + seconds for seconds in passed)])
    look = Look(
        cast("Table", pages),
        {"userId": "S"},
        TENANTS,
        POLICY,
        cast("Keyrings", None),
        lambda: 300.0,
        clock=lambda: next(times),
        seconds=5.0,
    )

    looked = look.after("alice", None)

    assert (pages.read, looked.scanned) == (read, 5 * read)
    assert (looked.cursor is None) is (read == 3)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("alice", "S", True),
        ("7", "N", True),
        ("7.0", "N", False),  # Another spelling of what a context writes as 7.
        ("seven", "N", False),
        ("AAE=", "B", True),
        ("", "B", False),
        ("AAE", "B", False),
        ("AA\nE=", "B", False),  # What only a lenient reader takes would be looked for under another tenant's name.
    ],
)
def test_tenant_is_what_a_context_writes_of_a_key_attribute(text: str, kind: str, expected: bool) -> None:
    assert is_tenant(text, TENANTS, {"userId": kind}) is expected
    assert not is_tenant(text, TENANTS, {"sessionId": kind})


def test_copies_when_tables_can_be_restored_then_until_when_is_told() -> None:
    now = datetime(2026, 1, 2, 8, 30, tzinfo=UTC)
    told = [
        (copy.what.rpartition(" by a point-in-time ")[2], copy.until)
        for copy in copies(now, 60, ENABLED, ENABLED | {"RecoveryPeriodInDays": 2}, {})
    ]

    assert told == [
        ("the branch key that a function keeps", now + timedelta(seconds=60)),
        ("recovery of the table of branch keys", now + timedelta(days=35)),
        ("the branch key, in backups of the table of branch keys", None),
        ("recovery of the table", now + timedelta(days=2)),
        ("the same, in backups and exports of the table", None),
    ]
    assert len(copies(now, 60, DISABLED, DISABLED, {})) == 3
