"""The mutations of `make mutants`: each changes the code, and none breaks its syntax."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.__main__ import EQUIVALENTS, PACKAGES, Mutant
from tests.mutants.mutations import mutations
from tests.mutants.runs import noted

SOURCES = sorted((Path(__file__).parents[2] / "layers/crypto/item_crypto/core").glob("*.py"))
SAMPLE = """
def f(a, b):
    "Not this."
    if a < b and not (a == 3):
        g(a, flag=True)
        raise ValueError("no")
    return (a + b) / 2
"""


def test_sample_when_mutated_then_each_kind_of_mutation_is_there() -> None:
    changes = {(mutation.before, mutation.after.strip()) for mutation in mutations(SAMPLE)}

    assert changes >= {
        ("<", "<="),
        ("and", "or"),
        ("not (a == 3)", "a == 3"),
        ("==", "!="),
        ("3", "4"),
        ("True", "False"),
        ("g(a, flag=True)", "pass"),
        ('raise ValueError("no")', "pass"),
        ("+", "-"),
    }
    assert not any("Not this" in before for before, _ in changes)


NOT_MUTATED = """
KINDS = {"a": 3}
Name = NewType("Name", int)
class C:
    "Four is 4."
    number: Literal[5]
    @decorated(frozen=True)
    def f(self, a: Literal[6]) -> Literal[7]:
        "Not 8 either."
        assert a == 9
        raise AssertionError("unreachable")
"""


def test_what_promises_nothing_when_mutated_then_it_stays_as_it_is() -> None:
    assert list(mutations(NOT_MUTATED)) == []


def test_mutation_when_found_then_it_tells_the_statement_around_it() -> None:
    source = "class C:\n x: int = 1\n def f(self):\n  if self:\n   return (\n    2\n   )\n"

    found = {(mutation.before, mutation.statement) for mutation in mutations(source)}

    assert {("1", 0), ("self", 4), ("2", 5)} <= found


def test_statements_when_noted_then_each_is_told_before_it_runs() -> None:
    told: list[tuple[str, int]] = []
    names: dict[str, Any] = {"_ran_": lambda file, line: told.append((file, line))}
    exec(noted(SAMPLE + "\nf.__doc__ and None\n", "f.py"), names)
    names["g"] = lambda *_, **__: None

    with pytest.raises(ValueError, match="no"):
        names["f"](1, 2)

    assert names["f"].__doc__ == "Not this."
    assert told == [("f.py", 0), ("f.py", 4), ("f.py", 5), ("f.py", 6)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_source_when_mutated_then_it_is_another_program_that_compiles(path: Path) -> None:
    source = path.read_text()
    original = ast.dump(ast.parse(source))

    for mutation in mutations(source):
        assert ast.dump(ast.parse(mutation.applied(source))) != original, mutation


def test_equivalent_when_it_is_listed_then_it_is_a_mutant_of_the_code_as_it_stands_and_has_a_reason() -> None:
    root = Path(__file__).parents[2]
    names = {
        Mutant(str(path.relative_to(root)), mutation).name
        for package in PACKAGES.values()
        for path in (root / package).rglob("*.py")
        for mutation in mutations(path.read_text())
    }

    for line in EQUIVALENTS.read_text().splitlines()[1:]:
        name, _, reason = line.partition("    # ")
        assert name in names
        assert reason.endswith(".")
