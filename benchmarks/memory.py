"""The most memory that the stream's function takes for the largest batch that a stream can bring it."""

from collections.abc import Sequence
from typing import Any, Final

from benchmarks.parties import Kms, create_control_table, create_table, engine, fill, stored
from benchmarks.reads import encrypt
from benchmarks.writes import check_encrypted

RECORDS: Final = 1_000
KILOBYTES: Final = 50


def measure(items: Sequence[dict[str, Any]], kms: Kms) -> dict[str, Any]:
    """Have the function encrypt ``items`` in one batch, and return results.json's ``memory``.

    Raises:
        RuntimeError: the function ended, or failed.
        ValueError: an item was not encrypted.
    """
    with engine() as (url, dynamodb):
        create_table(dynamodb)
        create_control_table(dynamodb)
        fill(dynamodb, items)
        taken = encrypt(items, url, kms)
        check_encrypted(items, stored(dynamodb))
    return {
        "records": len(items),
        "peakBytes": taken["peakBytes"],
        "startedBytes": taken["startedBytes"],
        "seconds": round(taken["seconds"], 3),
        "cpuMilliseconds": round(1000 * taken["processorSeconds"] / len(items), 3),
    }
