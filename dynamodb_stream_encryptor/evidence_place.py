"""Where evidence is written: a folder, or a file's name. Looked at before a table is read for it."""

import os
from pathlib import Path
from typing import Final

from dynamodb_stream_encryptor.errors import UsageError

_SUFFIXES: Final = (".json", ".html")


def names_file(to: Path) -> bool:
    """Tell whether a path names the files rather than their folder."""
    return to.suffix.lower() in _SUFFIXES and not to.is_dir()


def check_writable(to: Path) -> None:
    """Check that evidence can be written to a place, as far as can be seen without writing there.

    Raises:
        UsageError: it cannot, or evidence is there already, which is not overwritten.
    """
    folder = to
    if names_file(to):
        folder = to.parent
        for path in (to.with_suffix(suffix) for suffix in _SUFFIXES):
            if path.exists():
                raise UsageError(f"--output: {path} is there already, and is not overwritten. Give another name.")
    # Folders that are missing will be made, in the nearest one that is there.
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise UsageError(f"--output: {there} is a file, not a folder. Evidence is named by .json or .html.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"--output: {there} cannot be written to.")
