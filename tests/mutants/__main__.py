"""Do the tests notice? Breaks the code in one place at a time and runs the tests of that package.

    python -m tests.mutants                          a sample of every package
    python -m tests.mutants --sample 40 migrator     forty mutants of one
    python -m tests.mutants --all item_crypto/core   every mutant of the files below a folder

A mutant that the tests let pass is printed. Those that change nothing that anybody could see are listed in
``equivalents.txt``, each with the reason. It takes minutes: not a part of CI.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.mutations import Mutation, mutations

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("layers", "functions", "tests", "local", "dynamodb_stream_encryptor", "docs", "events")
FILES: Final = ("pyproject.toml", "template.yaml", "samconfig.toml")
EQUIVALENTS: Final = Path(__file__).with_name("equivalents.txt")
TESTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "item_crypto": (
        "layers/crypto/item_crypto",
        (
            "tests/unit/test_c[io]*.py",
            "tests/unit/test_decide.py",
            "tests/unit/test_e*.py",
            "tests/unit/test_items.py",
            "tests/unit/test_keys.py",
            "tests/unit/test_reconcile*.py",
            "tests/unit/test_service_errors.py",
            "tests/unit/test_table.py",
            "tests/integration/test_races.py",
            "tests/integration/test_put*.py",
        ),
    ),
    "encryptor_runtime": (
        "layers/crypto/encryptor_runtime",
        (
            "tests/unit/test_[mqst]*.py",
            "tests/integration/test_stream_encryptor.py",
            "tests/integration/test_migrator.py",
            "tests/integration/test_admin.py",
        ),
    ),
    "stream_encryptor": ("functions/stream_encryptor", ("tests/integration/test_stream_encryptor*.py",)),
    "migrator": (
        "functions/migrator",
        (
            "tests/integration/test_migrator*.py",
            "tests/integration/test_sweep*.py",
            "tests/integration/test_redrive.py",
            "tests/integration/test_*start*.py",
            "tests/integration/test_*verif*.py",
        ),
    ),
    "reader": (
        "functions/reader",
        ("tests/unit/test_reader*.py", "tests/integration/test_reader*.py", "tests/integration/test_put*.py"),
    ),
    "admin": ("functions/admin", ("tests/unit/test_admin*.py", "tests/integration/test_admin*.py")),
    "session_keys": (
        "functions/session_keys",
        ("tests/unit/test_session_keys*.py", "tests/integration/test_session_keys*.py"),
    ),
    "http_api": ("functions/http_api", ("tests/unit/test_http*.py", "tests/integration/test_reader_api.py")),
}
PATIENCE: Final = 3  # Times what the tests take: a mutant that takes longer hangs, and counts as noticed.


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file of a package."""

    package: str
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
    for path in sorted((ROOT / TESTS[package][0]).rglob("*.py")):
        file = str(path.relative_to(ROOT))
        if below in file:
            found += [Mutant(package, file, mutation) for mutation in mutations(path.read_text())]
    return [mutant for mutant in found if mutant.name not in equivalent]


def is_noticed(mutant: Mutant, tree: Path, patience: float) -> bool:
    """Tell whether a test fails with ``mutant`` in ``tree``, or hangs."""
    path = tree / mutant.file
    source = path.read_text()
    path.write_text(mutant.mutation.applied(source))
    try:
        return not passes(mutant, tree, patience)
    finally:
        path.write_text(source)


def passes(mutant: Mutant | str, tree: Path, patience: float | None = None) -> bool:
    """Tell whether a package's tests pass in ``tree``, those of a mutant's own module first."""
    package, module = (mutant, "") if isinstance(mutant, str) else (mutant.package, Path(mutant.file).stem)
    files = [path for pattern in TESTS[package][1] for path in sorted(tree.glob(pattern))]
    files.sort(key=lambda path: module.rstrip("s") not in path.stem)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    places = os.pathsep.join(str(tree / place) for place in ("layers/crypto", "functions", "."))
    environment = {**os.environ, "PYTHONPATH": places, "HYPOTHESIS_PROFILE": "mutants"}
    try:
        done = subprocess.run(
            [*command, *map(str, files)], cwd=tree, env=environment, capture_output=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


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
    wanted = [name.partition("/") for name in options.below] or [(name, "", "") for name in TESTS]
    missed = 0
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        trees = []
        for number in range(options.jobs):
            (folder := Path(temporary, str(number))).mkdir()
            trees.append(copy(folder))
        for package, _, below in wanted:
            started = time.monotonic()
            if not passes(package, trees[0]):
                print(f"{package}: its tests fail as it is")
                return 2
            patience = PATIENCE * (time.monotonic() - started) + 30
            found = mutants(package, below)
            if not options.all:
                found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
            free = list(trees)

            def run(mutant: Mutant, free: list[Path] = free, patience: float = patience) -> bool:
                tree = free.pop()
                try:
                    return is_noticed(mutant, tree, patience)
                finally:
                    free.append(tree)

            noticed = list(pool.map(run, found))
            for mutant, is_seen in zip(found, noticed, strict=True):
                if not is_seen:
                    print(f"  not noticed: {mutant}", flush=True)
            missed += noticed.count(False)
            share = f"{100 * noticed.count(True) // len(found)} %" if found else "nothing to mutate"
            print(f"{package}: {noticed.count(True)} of {len(found)} noticed ({share})", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
