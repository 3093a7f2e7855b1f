"""DynamoDB's read and write units (Developer Guide, "Read and write operations"). Pure."""

from typing import Final

KB: Final = 1024
READ_UNIT: Final = 4 * KB
"""Bytes of an item that one read unit reads consistently; eventually consistent reads take half of it."""

WRITE_UNIT: Final = KB
"""Bytes of an item that one write unit writes."""


def read_units(size: int) -> int:
    """Return the units of a consistent read of one item of ``size`` bytes; of an absent one, too."""
    return max(1, _ceiling(size, READ_UNIT))


def write_units(size: int) -> int:
    """Return the units of one write; ``size`` is that of the item before or after it, whichever is larger."""
    return max(1, _ceiling(size, WRITE_UNIT))


def scan_units(total: float) -> float:
    """Return the units of a consistent scan over ``total`` bytes.

    A scan is rounded by the page and not by the item: of pages of 1 MB that is next to nothing.
    """
    return total / READ_UNIT


def _ceiling(size: int, unit: int) -> int:
    return -(-size // unit)
