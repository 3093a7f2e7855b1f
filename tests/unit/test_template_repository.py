"""What the Serverless Application Repository is told, by its rules (SAM, "Metadata section properties")."""

import re
import tomllib
from typing import Any

from tests.unit.sam_template import ROOT, source


def application() -> dict[str, Any]:
    return dict(source()["Metadata"]["AWS::ServerlessRepo::Application"])


def test_it_keeps_to_the_repositorys_patterns_and_lengths():
    told = application()
    assert re.fullmatch(r"[a-zA-Z0-9\-]{1,140}", told["Name"])
    assert 1 <= len(told["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", told["Author"])
    assert len(told["Author"]) <= 127
    assert len(told["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in told["Labels"])
    assert all(isinstance(value, str | list) for value in told.values())  # It takes no functions.


def test_its_version_is_the_projects_and_its_files_are_there():
    told = application()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told["SemanticVersion"] == project["version"]
    assert (ROOT / told["ReadmeUrl"]).stat().st_size < 5 * 1024 * 1024


def test_it_names_a_license_if_and_only_if_the_project_has_one():
    licensed = bool(list(ROOT.glob("LICENSE*")))
    assert {"SpdxLicenseId", "LicenseUrl"} & application().keys() == (
        {"SpdxLicenseId", "LicenseUrl"} if licensed else set()
    )
