"""The benchmark's figures, as far as scale rests on them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

COMMITTED: Final = Path(__file__).with_name("figures.json")


@dataclass(frozen=True)
class Size:
    """What encrypting an item of a size takes.

    Attributes:
        name: the size, for people.
        plain: bytes of the item in plaintext, by DynamoDB's rules.
        stored: bytes of it once encrypted.
        processor: seconds of processor time that encrypting and writing it takes.
    """

    name: str
    plain: int
    stored: int
    processor: float


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        source: where and how.
        sizes: the sizes of items.
        record: seconds of processor time that a record takes that hints at nothing to do, our own write's say.
        kms_calls: calls to KMS an item.
        import_time: seconds of processor time until the stream's function is imported, on one vCPU.
    """

    source: str
    sizes: tuple[Size, ...]
    record: float
    kms_calls: float
    import_time: float

    def size(self, name: str) -> Size:
        """Return the size with a name.

        Raises:
            KeyError: there is none.
        """
        found = {size.name: size for size in self.sizes}
        return found[name]


def read(file: Path = COMMITTED) -> Figures:
    """Return the figures in a file.

    Raises:
        OSError: it cannot be read.
        KeyError, ValueError: it holds something else.
    """
    return from_document(json.loads(file.read_text(encoding="utf-8")))


def from_document(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a document.

    Raises:
        KeyError: one is missing.
    """
    return Figures(
        source=document["source"],
        sizes=tuple(
            Size(one["name"], one["plainBytes"], one["storedBytes"], one["processorMilliseconds"] / 1000)
            for one in document["sizes"]
        ),
        record=document["recordMilliseconds"] / 1000,
        kms_calls=document["kmsCallsAnItem"],
        import_time=document["importSeconds"],
    )
