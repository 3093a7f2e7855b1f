"""Runs of pytest in processes of their own, which begin with everything imported that is not under test.

Importing boto3, moto and the AWS Encryption SDK takes longer than most test files do, and a mutant changes none of
them. Which tests run a statement is measured once, so that a mutant is shown to these alone, the fastest first.
"""

import ast
import builtins
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pytest

Line = tuple[str, int]
"""A file, from the tree's root, and the line where a statement of a function begins, or 0 for the rest."""

_PATHS: Final = ("layers/crypto", "functions", ".")
_SHIPPED: Final = ("layers", "functions")
_NOTE: Final = "_ran_"
_OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
_PATIENCE: Final = 3  # Times what a test takes, and ten seconds: a mutant that takes longer goes round for ever,
_DEADLOCK: Final = 10  # and one that takes so many times longer by the clock waits for ever.
_SERVER: Final = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "pytest",
        "hypothesis",
        "boto3",
        "aws_encryption_sdk",
        "aws_cryptographic_material_providers.mpl",
        "aws_lambda_powertools",
        *(f"moto.{service}.models" for service in ("dynamodb", "kms", "sqs", "awslambda", "sts")),
    ]
)


@dataclass(frozen=True)
class Test:
    """A test that passes.

    Attributes:
        id: pytest's name of it, with the file that it is in.
        seconds: how long it keeps the processor busy.
        ran: the shipped statements that it runs.
    """

    id: str
    seconds: float
    ran: frozenset[Line]

    @property
    def file(self) -> str:
        return self.id.partition("::")[0]


def measured(tree: Path, files: Sequence[str], store: Path) -> Iterator[Test]:
    """Yield the tests of files and what they run; kept in ``store`` until the file, or what it rests on, changes.

    ``tree`` is changed: it is of no use for anything else. A test that fails there, as one that runs the code in
    another process does, is left out.
    """
    rest = sha256()
    for path in sorted(path for place in (*_SHIPPED, "tests") for path in (tree / place).rglob("*.py")):
        if not path.name.startswith("test_") and "mutants" not in path.parts:
            rest.update(path.read_bytes())
    for path in [path for place in _SHIPPED for path in (tree / place).rglob("*.py")]:
        path.write_text(noted(path.read_text(), str(path.relative_to(tree))))
    store.mkdir(exist_ok=True)
    for file in files:
        kept = store / sha256(rest.digest() + (tree / file).read_bytes()).hexdigest()
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_answer(_measure, file, tree) or []))
        yield from pickle.loads(kept.read_bytes())


def all_pass(tests: Sequence[Test], tree: Path) -> bool:
    """Run tests, file by file in the order given, until one fails or hangs; tell whether all pass."""
    return _answer(_run, tests, tree) is True


def _answer(target: Callable[..., None], *arguments: object) -> Any:
    receiver, sender = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=target, args=(*arguments, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:  # It hung and was ended, or ended itself.
        return None
    finally:
        process.kill()
        process.join()


def _prepare(tree: Path) -> None:
    os.chdir(tree)
    places = [str(tree / path) for path in _PATHS]
    sys.path[:0] = places
    sys.dont_write_bytecode = False  # What is not broken is compiled once for all mutants.
    os.environ |= {"PYTHONPATH": os.pathsep.join(places), "HYPOTHESIS_PROFILE": "mutants"}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _run(tests: Sequence[Test], tree: Path, answer: Connection) -> None:
    _prepare(tree)
    files = dict.fromkeys(test.file for test in tests)
    only = _Only({test.id: test for test in tests})
    answer.send(all(pytest.main([*_OPTIONS, file], plugins=[only]) == pytest.ExitCode.OK for file in files))


def _measure(file: str, tree: Path, answer: Connection) -> None:
    _prepare(tree)
    listener = _Listener()
    setattr(builtins, _NOTE, listener)
    pytest.main([*_OPTIONS, "--maxfail=0", file], plugins=[listener])
    answer.send(listener.tests())


@dataclass(frozen=True)
class _Only:
    """Runs these tests, the fastest first, and ends the process where one hangs."""

    tests: dict[str, Test]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.tests), key=lambda item: self.tests[item.nodeid].seconds
        )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        patience = _PATIENCE * self.tests[nodeid].seconds + 10
        signal.setitimer(signal.ITIMER_PROF, patience)
        signal.setitimer(signal.ITIMER_REAL, patience * _DEADLOCK)

    def pytest_runtest_logfinish(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass
class _Listener:
    """Notes which statements each test runs. What is run while fixtures are made counts for all tests of a file."""

    _ran: set[Line] = field(default_factory=set)
    _shared: set[Line] = field(default_factory=set)
    _tests: list[Test] = field(default_factory=list)

    def __call__(self, file: str, line: int) -> None:
        """Note that a statement is run."""
        self._ran.add((file, line))

    def pytest_collection_finish(self) -> None:
        self._shared |= self._ran

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        self._ran.clear()
        try:
            return (yield)
        finally:
            self._shared |= self._ran

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        started = time.process_time()
        result = yield
        self._tests.append(Test(item.nodeid, time.process_time() - started, frozenset(self._ran)))
        return result

    def tests(self) -> list[Test]:
        """Return all tests that passed."""
        return [Test(test.id, test.seconds, test.ran | self._shared) for test in self._tests]


def noted(source: str, file: str) -> str:
    """Return ``source`` where each statement of a function is noted before it runs, and the file when imported."""
    tree = ast.parse(source)
    for node in list(ast.walk(tree)):
        for part in () if isinstance(node, ast.Module | ast.ClassDef) else ("body", "orelse", "finalbody"):
            statements = getattr(node, part, None)
            if isinstance(statements, list):
                setattr(node, part, [each for one in statements for each in (*_note(one, file), one)])
    tree.body += ast.parse(f"{_NOTE}({file!r}, 0)").body
    return ast.unparse(ast.fix_missing_locations(tree))


def _note(statement: ast.stmt, file: str) -> list[ast.stmt]:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return []  # A docstring stays the first.
    return ast.parse(f"{_NOTE}({file!r}, {statement.lineno})").body
