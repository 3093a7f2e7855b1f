"""What a million items cost by list prices, re-written once: from what an item was measured to take. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from dynamodb_stream_encryptor.planning.cost import GB, Use, amount
from dynamodb_stream_encryptor.planning.prices import Prices
from dynamodb_stream_encryptor.planning.units import scan_units

ITEMS: Final = 1_000_000
MEMORY: Final = 1769 / 1024
"""GB of the function that does the work: at 1,769 MB Lambda gives one processor (Developer Guide, "Memory")."""


def use(write: Mapping[str, Any]) -> Use:
    """Return what a million items take: a consistent scan, KMS, writes, and Lambda for as long as it took here.

    Args:
        write: an entry of results.json's ``writes``.
    """
    return Use(
        "a million items",
        reads=ITEMS * scan_units(write["plainBytes"]),
        writes=ITEMS * write["writeUnits"],
        kms=ITEMS * write["kmsCalls"],
        seconds=ITEMS / write["itemsPerSecond"]["median"] * MEMORY,
    )


def a_million(write: Mapping[str, Any], prices: Prices) -> float:
    """Return what a million items cost on demand, once."""
    return amount(use(write), prices, on_demand=True, architecture="x86_64")


def a_month(write: Mapping[str, Any], prices: Prices) -> float:
    """Return what storing a million items costs a month."""
    return amount(
        Use("storage", storage=ITEMS * write["storedBytes"] / GB), prices, on_demand=True, architecture="x86_64"
    )
