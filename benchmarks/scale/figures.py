"""The benchmark's figures, as far as scale rests on them: those in `benchmarks/results.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.results import FILE, SHAPE
from dynamodb_stream_encryptor.planning.units import read_units, write_units

OURS: Final = "kms-batched"
"""The contender that works as the functions do unless they are told otherwise."""

SIZES: Final = (1, 6, 50)
"""Sizes of items in KB, about."""


@dataclass(frozen=True)
class Size:
    """What encrypting an item of a size takes, in the mean of many.

    Attributes:
        name: the size, for people.
        plain: bytes of the item in plaintext, by DynamoDB's rules.
        stored: bytes of it once encrypted.
        writes: write units of its encryption: of the larger of both.
        reads: read units of a consistent read of it in plaintext.
        processor: seconds of processor time that encrypting and writing it takes.
    """

    name: str
    plain: float
    stored: float
    writes: float
    reads: float
    processor: float

    @property
    def plain_writes(self) -> float:
        """Write units of a write of it in plaintext."""
        return min(self.writes, write_units(round(self.plain))) if self.stored > self.plain else self.writes

    @property
    def stored_reads(self) -> float:
        """Read units of a consistent read of it once encrypted."""
        return read_units(round(self.stored))


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        source: where and how.
        sizes: the sizes of items.
        kms_calls: calls to KMS an item.
        import_time: seconds of processor time until the stream's function is imported, on one vCPU.
    """

    source: str
    sizes: tuple[Size, ...]
    kms_calls: float
    import_time: float

    def size(self, name: str) -> Size:
        """Return the size with a name.

        Raises:
            KeyError: there is none.
        """
        return {size.name: size for size in self.sizes}[name]


def read(file: Path = FILE) -> Figures:
    """Return the figures in a file.

    Raises:
        OSError: it cannot be read.
        KeyError, ValueError: it holds something else.
    """
    return from_document(json.loads(file.read_text(encoding="utf-8")))


def from_document(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a document in the benchmark's shape.

    Raises:
        KeyError: one is missing.
        ValueError: it has another shape, or was written where nothing was built.
    """
    if document.get("shape") != SHAPE:
        raise ValueError(f"the figures have the shape {document.get('shape')}, and {SHAPE} is read")
    imports = document.get("coldImports", {}).get("StreamEncryptorFunction")
    if imports is None:
        raise ValueError("the figures have no cold imports: run sam build, and make bench after it")
    ours = document["writes"][OURS]
    return Figures(
        source=_source(document["run"]),
        sizes=tuple(_size(size, ours[str(size)]) for size in SIZES),
        kms_calls=max(ours[str(size)]["kmsCalls"] for size in SIZES),
        import_time=imports["cpuSeconds"]["median"],
    )


def _size(kilobytes: int, measured: Mapping[str, Any]) -> Size:
    return Size(
        f"{kilobytes} KB",
        measured["plainBytes"],
        measured["storedBytes"],
        measured["writeUnits"],
        measured["readUnits"],
        measured["cpuMilliseconds"]["median"] / 1000,
    )


def _source(run: Mapping[str, Any]) -> str:
    if "source" in run:
        return str(run["source"])
    return (
        f"by `make bench` on {run['date']}, with {run['engine']}, KMS answered over HTTP after "
        f"{run['kmsMilliseconds']:g} ms, {run['cores']} cores, Python {run['python']}"
    )
