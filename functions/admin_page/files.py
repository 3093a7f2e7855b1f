"""The page's files, found once: what is asked for later is looked up by its exact name and never becomes a path."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from admin_page.errors import CannotStart

STATIC: Final = Path(__file__).with_name("static")
"""The build of ``web/admin``: ``index.html``, and in ``assets/`` files whose names change with their content."""

_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class StaticFile:
    """A file of the page.

    Attributes:
        path: where it is.
        content_type: its media type.
    """

    path: Path
    content_type: str

    @cached_property
    def content(self) -> bytes:
        """The file as it is, read when it is first asked for."""
        return self.path.read_bytes()

    @cached_property
    def zipped(self) -> bytes | None:
        """The same by gzip, or None where that is not smaller."""
        zipped = gzip.compress(self.content, mtime=0)
        return zipped if len(zipped) < len(self.content) else None

    @cached_property
    def digest(self) -> str:
        """What tells one content from another."""
        return hashlib.sha256(self.content).hexdigest()[:32]


@dataclass(frozen=True)
class PageFiles:
    """All files of the page.

    Attributes:
        index: the document.
        assets: what the document loads, by name.
    """

    index: StaticFile
    assets: Mapping[str, StaticFile]

    @classmethod
    def in_folder(cls, folder: Path) -> "PageFiles":
        """Return the files in a folder.

        Raises:
            CannotStart: the folder, its index or all assets are missing, or a file is of no type that is known here.
        """
        try:
            assets = sorted(path for path in (folder / "assets").iterdir() if path.is_file())
        except FileNotFoundError:
            assets = []
        index = folder / "index.html"
        if not index.is_file() or not assets:
            raise CannotStart(f"the page is not built: {folder} must hold index.html and assets/ (make web)")
        return cls(_typed(index), {path.name: _typed(path) for path in assets})


def _typed(path: Path) -> StaticFile:
    try:
        return StaticFile(path, _CONTENT_TYPES[path.suffix])
    except KeyError:
        raise CannotStart(f"{path}: {path.suffix or 'no suffix'} has no content type in {__name__}") from None
