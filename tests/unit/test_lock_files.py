"""Lock files say what a package is, by its hash, and not where somebody fetched it."""

import json
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ["web/package-lock.json", "tests/iam/package-lock.json"]


@pytest.mark.parametrize("lock", LOCKS)
def test_given_a_lock_file_when_read_then_every_package_has_a_hash_and_none_an_address(lock: str) -> None:
    packages = json.loads((ROOT / lock).read_text(encoding="utf-8"))["packages"]
    fetched = {name: facts for name, facts in packages.items() if "node_modules/" in name and not facts.get("link")}

    assert fetched
    assert {name for name, facts in fetched.items() if "resolved" in facts} == set()
    assert {name for name, facts in fetched.items() if not facts.get("integrity", "").startswith("sha512-")} == set()


@pytest.mark.parametrize("folder", ["web", "tests/iam"])
def test_given_npms_settings_when_read_then_they_keep_addresses_out_and_name_no_registry(folder: str) -> None:
    settings = (ROOT / folder / ".npmrc").read_text(encoding="utf-8")

    assert "omit-lockfile-registry-resolved=true" in settings
    assert "://" not in settings
