"""List prices by Region, from a JSON file: the one that is shipped, or the user's own in its place."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from dynamodb_stream_encryptor.errors import UsageError

SHIPPED: Final = "the prices that came with this version"


@dataclass(frozen=True)
class Prices:
    """What a Region's services cost, each in ``currency``.

    Attributes:
        region: the Region.
        currency: the currency, as in ``USD``.
        as_of: when the prices were read, as its file says.
        source: where they were read, likewise.
        origin: which file they are from.
        read_requests: a million read request units (on demand).
        write_requests: a million write request units (on demand).
        read_capacity: a provisioned read unit for an hour.
        write_capacity: a provisioned write unit for an hour.
        storage: a GB for a month.
        recovery: a GB of point-in-time recovery for a month.
        kms_requests: ten thousand requests to KMS.
        kms_key: a key for a month.
        lambda_requests: a million invocations.
        lambda_seconds: a GB-second, by architecture.
    """

    region: str
    currency: str
    as_of: str
    source: str
    origin: str
    read_requests: float
    write_requests: float
    read_capacity: float
    write_capacity: float
    storage: float
    recovery: float
    kms_requests: float
    kms_key: float
    lambda_requests: float
    lambda_seconds: Mapping[str, float]


def find_prices(region: str, file: Path | None) -> Prices | None:
    """Return the prices of ``region``; None where those that are shipped do not have it.

    Raises:
        UsageError: ``file`` cannot be read, lacks the Region or one of its prices, or holds one that is none.
    """
    if file is None:
        text = files(__package__).joinpath("prices.json").read_text(encoding="utf-8")
        return read_prices(json.loads(text), region, SHIPPED)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--prices: {file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"--prices: {file} is not JSON.") from error
    prices = read_prices(document, region, str(file))
    if prices is None:
        raise UsageError(f"--prices: {file} has no prices for {region}.")
    return prices


def read_prices(document: Any, region: str, origin: str) -> Prices | None:
    """Return the prices of ``region`` in a document; None where it has none of that Region.

    Raises:
        UsageError: one is missing, or no amount.
    """
    regions = document.get("regions") if isinstance(document, dict) else None
    if not isinstance(regions, dict):
        raise UsageError('--prices: expected {"currency": …, "regions": {"REGION": {…}}}.')
    if region not in regions:
        return None
    entry = regions[region]

    def amount(*path: str) -> float:
        found: Any = entry
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found) or found < 0:
            raise UsageError(f"--prices: {region} has no amount {'.'.join(path)}.")
        return float(found)

    return Prices(
        region=region,
        currency=str(document.get("currency") or "USD"),
        as_of=_text(entry, "asOf"),
        source=_text(entry, "source"),
        origin=origin,
        read_requests=amount("dynamodb", "millionReadRequestUnits"),
        write_requests=amount("dynamodb", "millionWriteRequestUnits"),
        read_capacity=amount("dynamodb", "readCapacityUnitHour"),
        write_capacity=amount("dynamodb", "writeCapacityUnitHour"),
        storage=amount("dynamodb", "gigabyteMonth"),
        recovery=amount("dynamodb", "recoveryGigabyteMonth"),
        kms_requests=amount("kms", "tenThousandRequests"),
        kms_key=amount("kms", "keyMonth"),
        lambda_requests=amount("lambda", "millionRequests"),
        lambda_seconds={name: amount("lambda", "gigabyteSecond", name) for name in ("x86_64", "arm64")},
    )


def _text(entry: Any, name: str) -> str:
    return str(entry.get(name) or "not said") if isinstance(entry, dict) else "not said"
