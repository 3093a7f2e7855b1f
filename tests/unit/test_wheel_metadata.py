"""What the wheel says that it needs contains what ships and was tested, and names all that its packages import."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DISTRIBUTIONS: Final = {
    "attr": "attrs",
    "aws_cryptographic_material_providers": "aws-cryptographic-material-providers",
    "aws_encryption_sdk": "aws-encryption-sdk",
}
LIBRARY: Final = ROOT / "layers/crypto/item_crypto"
COMMAND: Final = ROOT / "dynamodb_stream_encryptor"


def pins() -> dict[str, str]:
    lines = [
        line
        for name in ("layers/crypto/requirements.txt", "requirements-dev.txt")
        for line in (ROOT / name).read_text().splitlines()
        if "==" in line
    ]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def needed(*extras: str) -> list[Requirement]:
    listed = list(PROJECT["dependencies"])
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    return list(map(Requirement, listed))


def imported(package: Path) -> set[str]:
    """Return the packages of others that are imported when a package is used, not only for types."""
    found: set[str] = set()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        typing_only = {
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            if node in typing_only:
                continue
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and not (ROOT / name).is_dir()} - {
        "item_crypto"
    }


@pytest.mark.parametrize("requirement", needed("cli"), ids=lambda requirement: str(requirement.name))
def test_range_when_compared_with_the_pin_then_it_contains_it(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_library_when_it_imports_then_the_wheel_brings_it() -> None:
    names = {DISTRIBUTIONS.get(name, name) for name in imported(LIBRARY)}
    assert names == {requirement.name for requirement in needed("branch-keys")}


def test_material_providers_when_imported_then_by_what_makes_branch_keys_alone() -> None:
    makers = [path.name for path in LIBRARY.rglob("*.py") if "import aws_cryptographic" in _imports(path)]
    assert makers == ["key_store.py"]
    assert DISTRIBUTIONS["aws_cryptographic_material_providers"] not in {requirement.name for requirement in needed()}


def _imports(path: Path) -> str:
    return path.read_text().replace("from aws_cryptographic", "import aws_cryptographic")


def test_command_when_it_imports_then_its_extra_brings_it() -> None:
    names = {DISTRIBUTIONS.get(name, name) for name in imported(COMMAND)}
    assert "typer" in names
    assert names <= {requirement.name for requirement in needed("cli")}


def test_layer_when_it_is_compiled_then_it_has_all_that_the_library_needs() -> None:
    layer = (ROOT / "layers/crypto/requirements.txt").read_text()
    assert [requirement.name for requirement in needed() if f"{requirement.name}==" not in layer] == []


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_command_when_its_extra_is_missing_then_it_says_how_to_install_it(missing: str) -> None:
    code = f"import sys; sys.modules['{missing}'] = None; from dynamodb_stream_encryptor.entry import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "stream-encryptor: install it with its extra: pip install '.[cli]'\n"


def test_command_when_something_else_is_missing_then_that_is_told() -> None:
    code = "import sys; sys.modules['boto3'] = None; from dynamodb_stream_encryptor.entry import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "boto3" in done.stderr.splitlines()[-1]
