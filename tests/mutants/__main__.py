"""Do the tests notice? Breaks the code in one place at a time and runs the tests that run that statement.

    python -m tests.mutants                          a sample of every package
    python -m tests.mutants --sample 40 migrator     forty mutants of one
    python -m tests.mutants --all item_crypto/core   every mutant of the files below a folder

A mutant that the tests let pass is printed. Those that change nothing that anybody could see are listed in
``equivalents.txt``, each with the reason. It takes minutes: not a part of CI.
"""

import argparse
import itertools
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.mutants.mutations import Mutation, mutations
from tests.mutants.runs import Test, all_pass, measured

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("layers", "functions", "tests", "local", "dynamodb_stream_encryptor", "benchmarks", "docs", "events")
FILES: Final = ("pyproject.toml", "template.yaml", "samconfig.toml")
EQUIVALENTS: Final = Path(__file__).with_name("equivalents.txt")
PACKAGES: Final = {
    **{name: f"layers/crypto/{name}" for name in ("item_crypto", "encryptor_runtime")},
    **{
        name: f"functions/{name}"
        for name in (
            "stream_encryptor",
            "migrator",
            "reader",
            "admin",
            "admin_page",
            "session_keys",
            "evidence",
            "http_api",
        )
    },
}
NOT_THESE: Final = re.compile(r"_(local|cli|readme|template|mutations|import_contracts|alarms_documented)(_|$)")
"""Tests of the local stack, the command, the template and the documents, by their files' names."""
OF_THE_STACK: Final = re.compile(r"^from local(\.__main__)? import|^import local$|local_functions", re.MULTILINE)
"""What integration tests hold that run the functions in other processes, where nobody sees what is run."""
LONGEST: Final = 5.0
"""Seconds of the processor: a promise that only a slower test notices has no test of its own."""
ENOUGH: Final = 60.0
"""Seconds of the processor that tests of one mutant take at most."""
_TIMES: Final = itertools.count(1_000_000_000)


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file of a package."""

    file: str
    mutation: Mutation

    def __str__(self) -> str:
        change = self.mutation
        return f"{self.file}:{change.line} {change.where}: {change.before}  →  {change.after.strip()}"

    @property
    def name(self) -> str:
        """What it is called in the list of equivalents, whatever line it moves to."""
        return f"{self.file} {self.mutation.where}: {self.mutation.before}  →  {self.mutation.after.strip()}"


def mutants(package: str, below: str) -> list[Mutant]:
    """Return the mutants of a package's files below a folder that are not listed as equivalent."""
    equivalent = {line.partition("    # ")[0].strip() for line in EQUIVALENTS.read_text().splitlines()}
    found = []
    for path in sorted((ROOT / PACKAGES[package]).rglob("*.py")):
        file = str(path.relative_to(ROOT))
        if below in file:
            found += [Mutant(file, mutation) for mutation in mutations(path.read_text())]
    return [mutant for mutant in found if mutant.name not in equivalent]


def measured_tests(tree: Path) -> list[Test]:
    """Return the tests of ``tree``, a copy of its own, that mutants are shown to."""
    paths = sorted(path for kind in ("unit", "integration") for path in (tree / "tests" / kind).glob("test_*.py"))
    files = [str(path.relative_to(tree)) for path in paths if is_shown(path)]
    return [test for test in measured(tree, files, ROOT / ".mutants") if test.seconds <= LONGEST]


def is_shown(path: Path) -> bool:
    """Tell whether mutants are shown to the tests of a file."""
    if NOT_THESE.search(path.stem):
        return False
    return path.parent.name == "unit" or OF_THE_STACK.search(path.read_text()) is None


def tests_of(mutant: Mutant, tests: list[Test]) -> list[Test]:
    """Return the tests that a mutant is shown to, as far as the time goes.

    Those of its module first, then the quickest of each file, then the next of each: a file stands for a promise.
    """
    statement = mutant.mutation.statement
    found = sorted((test for test in tests if (mutant.file, statement) in test.ran), key=lambda test: test.seconds)
    places: Counter[str] = Counter()
    place = {}
    for test in found:
        place[test.id] = places[test.file]
        places[test.file] += 1
    module = Path(mutant.file).stem.rstrip("s")
    found.sort(key=lambda test: (module not in Path(test.file).stem, place[test.id], test.seconds))
    ends = itertools.accumulate(test.seconds for test in found)
    chosen = [test for test, end in zip(found, ends, strict=True) if end <= ENOUGH]
    files = {file: number for number, file in enumerate(dict.fromkeys(test.file for test in chosen))}
    return sorted(chosen, key=lambda test: files[test.file])


def is_noticed(mutant: Mutant, tests: list[Test], tree: Path) -> bool:
    """Tell whether a test fails with ``mutant`` in ``tree``, or hangs."""
    path = tree / mutant.file
    source = path.read_text()
    try:
        _write(path, mutant.mutation.applied(source))
        return not all_pass(tests, tree)
    finally:
        _write(path, source)


def _write(path: Path, source: str) -> None:
    path.write_text(source)
    # Python takes a file of the same size and second for the one that it has compiled.
    moment = next(_TIMES)
    os.utime(path, (moment, moment))


def copy(folder: Path) -> Path:
    """Return a copy of what the tests need, to be broken."""
    for place in PLACES:
        shutil.copytree(ROOT / place, folder / place, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    return folder


def main() -> int:
    """Run a sample and print each package's score; return 1 where a mutant was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("below", nargs="*", help="packages, or folders of theirs (default: every package)")
    parser.add_argument("--sample", type=int, default=12, help="mutants of each package (default: 12)")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--seed", type=int, default=1, help="which sample (default: 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    options = parser.parse_args()
    wanted = [name.partition("/") for name in options.below] or [(name, "", "") for name in PACKAGES]
    missed = 0
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        trees = [copy(Path(temporary, str(number))) for number in range(options.jobs + 1)]
        tests = measured_tests(trees.pop())
        free: SimpleQueue[Path] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def run(mutant: Mutant) -> bool:
            tree = free.get()
            try:
                if is_noticed(mutant, tests_of(mutant, tests), tree):
                    print(".", end="", file=sys.stderr, flush=True)
                    return True
                print(f"  not noticed: {mutant}", flush=True)
                return False
            finally:
                free.put(tree)

        for package, _, below in wanted:
            found = mutants(package, below)
            if not options.all:
                found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
            noticed = list(pool.map(run, found))
            missed += noticed.count(False)
            share = f"{100 * noticed.count(True) // len(found)} %" if found else "nothing to mutate"
            print(f"{package}: {noticed.count(True)} of {len(found)} noticed ({share})", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
