"""docs/compliance.md names parameters, defaults and members of the evidence that exist."""

import re
from pathlib import Path

import pytest

from evidence.report import evidence
from tests.unit.sam_template import source
from tests.unit.test_evidence_report import findings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "compliance.md").read_text(encoding="utf-8")
PARAMETERS = source()["Parameters"]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


SETTINGS = re.findall(r"^\| `(\w+)` \| ([^|:]+?)(?::[^|]*)? \|", section("Settings that matter"), re.MULTILINE)


def test_the_settings_are_found():
    assert len(SETTINGS) >= 8


@pytest.mark.parametrize(("name", "default"), SETTINGS)
def test_a_setting_is_a_parameter_with_that_default(name, default):
    expected = "" if default == "empty" else default.strip("`")
    assert str(PARAMETERS[name]["Default"]) == expected


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`([A-Z][A-Za-z]+)(?:=\w+)?`", PAGE)) - {"Invoke", "InvokeFunction"})
)
def test_a_name_in_the_text_is_a_parameter(name):
    assert name in PARAMETERS or name in {"DELETE", "PUT", "KEYS_ONLY"}


def test_the_evidence_has_the_members_that_the_page_explains():
    rows = re.findall(r"^\| (`.+?) \|", section("Evidence").split("It holds no value")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named <= evidence(findings()).keys()
    assert {"verification", "earlierPlaintext", "findings"} <= named


def test_values_that_the_page_recommends_are_allowed():
    for value in re.findall(r"LogRetentionDays=(\d+)", PAGE):
        assert int(value) in PARAMETERS["LogRetentionDays"]["AllowedValues"]
