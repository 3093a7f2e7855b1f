"""Builds a layer for one architecture: pinned wheels of its platform, packages beside, compiled. Does not ship.

    python3.13 build_layer.py ARCHITECTURE REQUIREMENTS FOLDER PACKAGE...

The Makefile calls it. Whatever machine it runs on, FOLDER is for Lambda: pip is told the platform, and byte code is the
same on each for one version of Python. That version has to run this. It needs the standard library and pip alone.
"""

import argparse
import compileall
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

PYTHON: Final = (3, 13)
"""The version of the runtime, which is the only one to read what is compiled here."""

PROCESSORS: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Architectures as Lambda names them, and as wheels do."""

LIBC: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What the runtime's system can load, Amazon Linux 2023 with glibc 2.34. pip takes exactly the platforms it is told."""

SERVICES: Final = frozenset({"cloudwatch", "dynamodb", "dynamodbstreams", "kms", "lambda", "sns", "sqs"})
"""Services that functions call: botocore describes some 400, which are nearly half of what pip installs."""

MOUNTED: Final = "/opt/python"
"""Where Lambda has the folder: what a traceback names."""


def main(arguments: list[str] | None = None) -> None:
    """Build what the arguments ask for; exit with pip's status where it fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("architecture", choices=PROCESSORS)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("packages", nargs="*")
    given = parser.parse_args(arguments)
    if sys.version_info[:2] != PYTHON:
        sys.exit(f"the layer is for Python {PYTHON[0]}.{PYTHON[1]}, and this is {sys.version.split()[0]}")
    install(given.requirements, given.architecture, given.folder)
    drop(unused(given.folder))
    for package in given.packages:
        shutil.copytree(package, given.folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    compile_all(given.folder)


def install(requirements: Path, architecture: str, folder: Path) -> None:
    """Install wheels for an architecture: those that are listed, and no dependency that is not."""
    platforms = [word for libc in LIBC for word in ("--platform", f"{libc}_{PROCESSORS[architecture]}")]
    done = subprocess.run(  # noqa: S603 - arguments of our own, and no shell
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--root-user-action", "ignore", "--no-compile", "--no-deps", "--only-binary", ":all:"),
            *("--implementation", "cp", "--python-version", ".".join(map(str, PYTHON)), *platforms),
            *("--target", str(folder), "--requirement", str(requirements)),
        ],
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


def unused(folder: Path) -> Iterable[Path]:
    """Return what no function asks for, of what pip has installed: a test looks on at what is asked for."""
    yield from folder.glob("bin")
    yield from folder.glob("*-stubs")
    yield from folder.glob("boto3/examples")
    for described in (*folder.glob("botocore/data/*/"), *folder.glob("boto3/data/*/")):
        if described.name in SERVICES:
            yield from described.glob("*/examples-1.json*")
        else:
            yield described
    # The rest of a distribution's metadata stays: its version, which scanners of layers read, and its license. The list
    # of its files would be wrong now.
    yield from folder.glob("*.dist-info/RECORD")


def drop(paths: Iterable[Path]) -> None:
    """Delete files and folders."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def compile_all(folder: Path) -> None:
    """Compile every module, into files that are never compared with their source.

    The layer is read-only, so what is not compiled now is compiled at every start. The times of the sources, which
    Python compares by default, are others once a layer is unpacked.
    """
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=folder,
        prependdir=MOUNTED,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit("a module cannot be compiled")


if __name__ == "__main__":
    main()
