"""docs/architecture.md is the code's: every path in it exists, every module is in it, its layers are the contracts'."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
LAYER: Final = ROOT / "layers/crypto"
FUNCTIONS: Final = ROOT / "functions"
PLACES: Final = (ROOT, LAYER, FUNCTIONS, LAYER / "item_crypto")
"""Where the document's paths may begin, beside the folder that a heading names."""

CONTRACTS: Final[list[dict[str, Any]]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
LAYERED: Final = {contract["id"]: contract for contract in CONTRACTS if contract["type"] == "layers"}
OF_THE_COMMAND: Final = {"dynamodb_stream_encryptor.planning"}
"""Packages that have layers too, and do not ship with the functions."""

PACKAGES: Final = "Packages"
"""The heading of the table of packages."""

REQUESTS: Final = (
    "a metric",
    "a second stored form",
    "a member of a dead letter",
    "an operator's command",
    "the retry delay",
    "a route",
    "another encoding of ciphertexts",
    "another kind of keys",
    "batched writes",
    "a nested path",
)

_SUFFIXES: Final = (".py", ".md", ".json", ".jsonl", ".yaml", ".toml")


def sections() -> dict[str, str]:
    """Return the text below each heading, by the heading; where that is a folder, by the folder's path."""
    pieces = re.split(r"^#{1,3} (.+)$", DOCUMENT, flags=re.MULTILINE)
    return {heading.strip("`").rstrip("/"): text for heading, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def named_paths(text: str) -> set[str]:
    """Return what stands in backticks and looks like a file or a folder."""
    words = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)
    return {word for word in words if "/" in word or word.endswith(_SUFFIXES)}


def rows(text: str) -> list[tuple[str, int]]:
    """Return the module or package of each row of a table of layers, and its layer."""
    found = re.findall(r"^\| `([\w/]+?)(?:\.py|/)` \| (\d+) \|", text, flags=re.MULTILINE)
    return [(name, int(layer)) for name, layer in found]


def folder_of(contract: dict[str, Any]) -> str:
    """Return the folder of the package that a contract is about."""
    (container,) = contract["containers"]
    parts = container.replace(".", "/")
    place = next(place for place in (LAYER, FUNCTIONS, ROOT) if (place / parts).is_dir())
    return (place / parts).relative_to(ROOT).as_posix()


def contracted(contract: dict[str, Any]) -> list[tuple[str, int]]:
    """Return each module of a contract and the number of its layer, from the top."""
    return [
        (name.strip(), number) for number, layer in enumerate(contract["layers"], start=1) for name in layer.split("|")
    ]


def modules() -> list[Path]:
    """Return every module that ships, without the docstring of a package."""
    packages = (LAYER / "item_crypto", LAYER / "encryptor_runtime", *sorted(FUNCTIONS.iterdir()))
    return [path for package in packages for path in sorted(package.rglob("*.py")) if path.name != "__init__.py"]


def test_every_path_that_is_named_exists() -> None:
    missing, folders = [], 0
    for heading, text in sections().items():
        is_folder = (ROOT / heading).is_dir()
        folders += is_folder
        places = (*PLACES, ROOT / heading) if is_folder else PLACES
        paths = sorted(named_paths(text))
        missing += [f"{heading}: {path}" for path in paths if not any((place / path).exists() for place in places)]
    assert folders == len(LAYERED) - 1  # Each contract has a table, and the packages' names no folder.
    assert missing == []


def test_every_module_that_ships_is_named_once_with_its_folder() -> None:
    tables = {folder: [name for name, _ in rows(text)] for folder, text in sections().items()}
    unnamed = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if tables.get(path.parent.relative_to(ROOT).as_posix(), []).count(path.stem) != 1
    ]
    assert len(modules()) > 80
    assert unnamed == []


@pytest.mark.parametrize(
    "contract", [pytest.param(one, id=name) for name, one in LAYERED.items() if name != "packages"]
)
def test_layers_when_listed_then_they_are_the_contracts_and_in_its_order(contract: dict[str, Any]) -> None:
    listed = rows(sections()[folder_of(contract)])
    assert [layer for _, layer in listed] == sorted(layer for _, layer in listed)
    assert sorted(listed) == sorted(contracted(contract))
    assert contract["exhaustive"]


def test_packages_when_listed_then_they_are_the_contracts_and_in_its_order() -> None:
    listed = rows(sections()[PACKAGES])
    assert [layer for _, layer in listed] == sorted(layer for _, layer in listed)
    assert sorted(listed) == sorted(contracted(LAYERED["packages"]))


def test_every_shipped_package_has_a_contract_of_its_own() -> None:
    containers = {container for contract in LAYERED.values() for container in contract.get("containers", ())}
    packages = {
        ".".join(path.parent.relative_to(place).parts)
        for place in (LAYER, FUNCTIONS)
        for path in place.rglob("__init__.py")
    }
    assert packages == containers - OF_THE_COMMAND


def test_pure_modules_when_listed_then_they_are_the_contracts() -> None:
    (pure,) = [contract for contract in CONTRACTS if contract["id"] == "pure"]
    sentence = DOCUMENT.partition("- What decides asks no service.")[2].partition("\n\n")[0]
    listed = {path.removesuffix(".py").rstrip("/").replace("/", ".") for path in named_paths(sentence)}
    assert listed == set(pure["source_modules"])


def test_each_request_for_a_change_has_a_row_with_files() -> None:
    table = DOCUMENT.partition("## Where to make which change")[2].partition("\n## ")[0]
    found = dict(re.findall(r"^\| ([^|`]+) \| (.+) \|$", table, flags=re.MULTILINE))
    assert [request for request in REQUESTS if not named_paths(found.get(request, ""))] == []
