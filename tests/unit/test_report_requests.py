"""What a report may be asked for with: everything else is refused by name."""

from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.retention import Backup
from migrator import requests
from migrator.requests import Refused

MADE = "2026-01-07T00:00:00Z"


def test_nothing_when_given_then_the_newest_verification_without_a_page() -> None:
    asked = requests.report({"by": "jane"})

    assert asked == requests.ReportRequest("jane", None, (), (), {}, None, False)


def test_everything_when_given_then_it_is_read() -> None:
    asked = requests.report(
        {
            "by": "jane",
            "sweep": "v",
            "mayBeAbsent": ["history", "encrypted_notes"],
            "backups": [
                {"name": "kept", "made": "2026-01-07"},
                {"name": "planned", "made": "2026-01-07T02:00:00+02:00", "deleted": "2026-02-11T00:00:00Z"},
            ],
            "versions": {"boto3": "1.0"},
            "name": "q1",
            "html": True,
        }
    )

    day = datetime(2026, 1, 7, tzinfo=UTC)
    assert asked.sweep == "v"
    assert asked.may_be_absent == ("history", "encrypted_notes")
    assert asked.backups == (Backup("kept", day), Backup("planned", day, datetime(2026, 2, 11, tzinfo=UTC)))
    assert (asked.versions, asked.name, asked.html) == ({"boto3": "1.0"}, "q1", True)


def backup(**fields: Any) -> dict[str, Any]:
    return {"backups": [{"name": "b", "made": MADE}, {"name": "b", "made": MADE, **fields}]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sweep": ""}, "sweep"),
        ({"sweep": 5}, "sweep"),
        ({"html": "html"}, "html"),
        ({"name": ""}, "name"),
        ({"name": "n" * 501}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"mayBeAbsent": "history"}, "mayBeAbsent"),
        ({"mayBeAbsent": False}, "mayBeAbsent"),
        ({"mayBeAbsent": [1]}, "mayBeAbsent"),
        ({"mayBeAbsent": [""]}, "mayBeAbsent"),
        ({"mayBeAbsent": ["n"] * 101}, "mayBeAbsent"),
        ({"versions": ["boto3"]}, "versions"),
        ({"versions": {"boto3": 1}}, "versions"),
        ({"versions": {str(number): "1" for number in range(21)}}, "versions"),
        ({"backups": {}}, "backups"),
        ({"backups": [{"name": "b", "made": MADE}] * 1001}, "backups"),
        ({"backups": ["b=2026-01-07"]}, r"backups\[0\]"),
        (backup(size=5), r"backups\[1\]"),
        (backup(name=None), r"backups\[1\].name"),
        (backup(name="n" * 501), r"backups\[1\].name"),
        (backup(made=None), r"backups\[1\].made"),
        (backup(made=1767744000), r"backups\[1\].made"),
        (backup(made="yesterday"), r"backups\[1\].made"),
        (backup(made="0001-01-01T00:00:00+02:00"), r"backups\[1\].made"),
        (backup(deleted=True), r"backups\[1\].deleted"),
        (backup(deleted="2026-01-06T00:00:00Z"), r"backups\[1\].deleted"),
    ],
)
def test_field_when_it_is_something_else_then_it_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused, match=f"^{field} must be ") as refused:
        requests.report(fields)

    assert refused.value.code == "invalid-request"
