"""docs/troubleshooting.md has each alarm of the template, and names none that is not there."""

import re

from tests.unit.sam_template import ROOT, source

SECTION = (ROOT / "docs/troubleshooting.md").read_text().partition("## Alarms")[2].partition("\n## ")[0]
NAMED = {name for row in re.findall(r"^\| ([^|]+) \|", SECTION, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
OF_FUNCTIONS = re.compile(r"\w+(Errors|Throttles)Alarm")


def alarms() -> set[str]:
    return {name for name, resource in source()["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"}


def test_each_alarm_has_its_row() -> None:
    # Errors and throttles of functions share a row; the API's server errors have one of their own.
    left = {name for name in alarms() - NAMED if not OF_FUNCTIONS.fullmatch(name)}
    assert left == set()
    assert "`…ErrorsAlarm`, `…ThrottlesAlarm`" in SECTION


def test_no_row_is_about_an_alarm_that_is_not_there() -> None:
    assert NAMED - alarms() == set()
