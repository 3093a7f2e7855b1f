"""The mutations of `make mutants`: each changes the code, and none breaks its syntax."""

import ast
from pathlib import Path

import pytest

from tests.mutants.mutations import mutations

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


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_source_when_mutated_then_it_is_another_program_that_compiles(path: Path) -> None:
    source = path.read_text()
    original = ast.dump(ast.parse(source))

    for mutation in mutations(source):
        assert ast.dump(ast.parse(mutation.applied(source))) != original, mutation
