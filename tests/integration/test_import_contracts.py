"""Each import contract of pyproject.toml, broken once on purpose: a contract that cannot fail holds nothing."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("layers/crypto", "functions", "local", "dynamodb_stream_encryptor")
CONTRACTS: Final = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

# For each contract, lines that break it: the file they are added to, and the import that is not allowed.
BREAKS: Final = {
    "packages": ("functions/reader/pages.py", "import migrator.census"),
    "shipped": ("layers/crypto/encryptor_runtime/clients.py", "import local.state"),
    "command": ("dynamodb_stream_encryptor/pace.py", "import encryptor_runtime.settings"),
    "library": ("layers/crypto/item_crypto/items.py", "import aws_lambda_powertools"),
    "pure": ("layers/crypto/item_crypto/core/policy.py", "import botocore"),
    "item_crypto": ("layers/crypto/item_crypto/outcome.py", "import item_crypto.plan"),
    "dropin": ("layers/crypto/item_crypto/dropin/use.py", "import item_crypto.dropin.writes"),
    "core": ("layers/crypto/item_crypto/core/codec.py", "import item_crypto.core.decide"),
    "keys": ("layers/crypto/item_crypto/keys/meter.py", "import item_crypto.keys.kms"),
    "forms": ("layers/crypto/item_crypto/forms/current.py", "import item_crypto.forms.lisa"),
    "dynamodb": ("layers/crypto/item_crypto/dynamodb/unplaced.py", ""),
    "encryptor_runtime": ("layers/crypto/encryptor_runtime/messages.py", "import encryptor_runtime.queues"),
    "http_api": ("functions/http_api/errors.py", "import http_api.routes"),
    "evidence": ("functions/evidence/chart.py", "import evidence.page"),
    "stream_encryptor": ("functions/stream_encryptor/records.py", "import stream_encryptor.stream"),
    "reader": ("functions/reader/models.py", "import reader.sessions"),
    "admin": ("functions/admin/groups.py", "import admin.identity"),
    "session_keys": ("functions/session_keys/settings.py", "import session_keys.application"),
    "admin_page": ("functions/admin_page/headers.py", "import admin_page.page"),
    "page": ("functions/admin_page/settings.py", "import pydantic"),
    "migrator": ("functions/migrator/census.py", "import migrator.page"),
    "planning": (
        "dynamodb_stream_encryptor/planning/units.py",
        "import dynamodb_stream_encryptor.planning.suggestion",
    ),
}
SHIPPED_TO_TESTS: Final = ("functions/migrator/policy.py", "import tests.scene")


def lint(tree: Path) -> str:
    """Return what import-linter says of a tree."""
    path = os.pathsep.join(str(tree / place) for place in ("layers/crypto", "functions", "."))
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for place in PLACES:
        shutil.copytree(ROOT / place, tree / place, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


def test_every_contract_has_a_break() -> None:
    assert CONTRACTS.keys() == BREAKS.keys()


@pytest.fixture(scope="module")
def verdict(tree: Path) -> str:
    """What import-linter says once every contract is broken."""
    for file, line in (*BREAKS.values(), SHIPPED_TO_TESTS):
        path = tree / file
        path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")
    return lint(tree)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_contract_when_it_is_broken_then_it_says_so(verdict: str, contract: str) -> None:
    assert f"{CONTRACTS[contract]} BROKEN" in verdict
    told = verdict.partition("Broken contracts")[2].partition(CONTRACTS[contract])[2]
    told = told.partition("\n\n\n\n")[0] if "\n\n\n\n" in told else told
    file, line = BREAKS[contract]
    module = file.removesuffix(".py").removeprefix("layers/crypto/").removeprefix("functions/").replace("/", ".")
    imported = line.removeprefix("import ")
    assert module.rpartition(".")[2] in told
    assert imported in told


def test_test_module_when_a_function_imports_it_then_the_contract_is_broken(verdict: str) -> None:
    assert "migrator.policy -> tests" in verdict
