"""What encryption costs: units, KMS calls, Lambda, stored bytes; in amounts of money by a price list. Pure.

What one encryption of an item takes, whoever makes it:

    sweep              its share of a consistent scan; a data key of KMS; one UpdateItem, in units of 1 KB of the larger
                       of the item before and after; the same write in indexes that hold what changes, and in replicas
    stream's function  a consistent read of the item, in units of 4 KB; the data key and the write, likewise
    its own write      comes back on the stream, and costs one consistent read of the item

DynamoDB charges nothing for what Lambda reads of a stream (pricing page, "DynamoDB Streams").
"""

from dataclasses import dataclass, replace
from typing import Final

from dynamodb_stream_encryptor.planning.prices import Prices
from dynamodb_stream_encryptor.planning.units import scan_units

GB: Final = 1024**3
DAYS_A_MONTH: Final = 30
HOURS_A_MONTH: Final = 730

SWEEP_SECONDS: Final = 0.005
"""Seconds of the migrator that an item takes that is written. An assumption: an encryption's processor time and a bit,
since an invocation works on several items at once and waits for all of them together."""

SCAN_SECONDS: Final = 0.0005
"""Seconds of the migrator that an item takes that is only read. An assumption."""

STREAM_SECONDS: Final = 0.025
"""Seconds of the stream's function that a write takes, its record's and its own write's. An assumption."""

RECORDS_AN_INVOCATION: Final = 5
"""Records that an invocation of the stream's function takes. An assumption: from one to its batch size."""

PAGE_ITEMS: Final = 100
"""Items that an invocation of the migrator works off, at the least: a page of a sweep."""


@dataclass(frozen=True)
class Load:
    """A table's items, and what encrypting one takes on average.

    Attributes:
        items: how many items there are.
        concerned: how many of them have something to encrypt, encrypted already or not.
        changed: how many of these are yet to be written.
        bytes: bytes of all of them, as they are.
        grown: bytes by which they grow altogether; fewer than none where they shrink.
        read_before: units of a consistent read of an item that is to be written.
        read_after: the same once it is.
        write: units of its write.
        index_write: units of its write in all indexes.
        replicas: other Regions that its write goes to.
    """

    items: float
    concerned: float
    changed: float
    bytes: float
    grown: float
    read_before: float
    read_after: float
    write: float
    index_write: float
    replicas: int = 0

    @property
    def written(self) -> float:
        """Write units of one item's encryption, everywhere."""
        return (self.write + self.index_write) * (1 + self.replicas)


@dataclass(frozen=True)
class Deployment:
    """How the functions run, as far as they cost.

    Attributes:
        architecture: their processor.
        stream_memory: GB of the stream's function.
        sweep_memory: GB of the migrator.
        sweeps_a_day: scheduled catch-up sweeps a day.
        renewals_a_day: scheduled re-encryption sweeps a day.
        renewed_after: days after which an item is encrypted anew; None for never.
    """

    architecture: str = "x86_64"
    stream_memory: float = 1.0
    sweep_memory: float = 1769 / 1024
    sweeps_a_day: int = 1
    renewals_a_day: int = 1
    renewed_after: int | None = 30


@dataclass(frozen=True)
class Use:
    """What something takes.

    Attributes:
        what: what it is that takes it.
        reads: read units.
        writes: write units.
        kms: requests to KMS.
        invocations: of Lambda functions.
        seconds: GB-seconds of Lambda functions.
        storage: GB for a month; fewer than none where less is stored.
        recovery: GB that point-in-time recovery covers, for a month; likewise.
        keys: KMS keys for a month.
    """

    what: str
    reads: float = 0.0
    writes: float = 0.0
    kms: float = 0.0
    invocations: float = 0.0
    seconds: float = 0.0
    storage: float = 0.0
    recovery: float = 0.0
    keys: float = 0.0


def migration(load: Load, deployment: Deployment) -> list[Use]:
    """Return what encrypting all that is in the table takes, once."""
    return [
        Use(
            "sweep over what is there",
            reads=scan_units(load.bytes),
            writes=load.changed * load.written,
            kms=load.changed,
            invocations=load.items / PAGE_ITEMS,
            seconds=_sweep_seconds(load.items, load.changed) * deployment.sweep_memory,
        ),
        Use(
            "its writes, as they come back on the stream",
            reads=load.changed * load.read_after,
            invocations=load.changed / RECORDS_AN_INVOCATION,
            seconds=load.changed * STREAM_SECONDS / 2 * deployment.stream_memory,
        ),
    ]


def month(load: Load, deployment: Deployment, writes: float, reads: float, recovery: bool, new_key: bool) -> list[Use]:
    """Return what thirty days take, beside what they took before.

    Args:
        load: the table, before it is encrypted.
        deployment: how the functions run.
        writes: plaintext writes of items with something to encrypt.
        reads: reads of such items by whoever decrypts what they read.
        recovery: whether point-in-time recovery is on, which is billed by the table's size.
        new_key: whether a KMS key is made.
    """
    days = DAYS_A_MONTH
    encrypted = replace(load, bytes=load.bytes + load.grown)
    uses = [
        Use(
            "new writes",
            reads=writes * (load.read_before + load.read_after),
            writes=writes * load.written,
            kms=writes,
            invocations=2 * writes / RECORDS_AN_INVOCATION,
            seconds=writes * STREAM_SECONDS * deployment.stream_memory,
        ),
        Use("readers that decrypt", kms=reads),
        Use(
            "scheduled catch-up",
            reads=days * deployment.sweeps_a_day * scan_units(encrypted.bytes),
            invocations=days * deployment.sweeps_a_day * load.items / PAGE_ITEMS,
            seconds=days * deployment.sweeps_a_day * _sweep_seconds(load.items, 0) * deployment.sweep_memory,
        ),
    ]
    if deployment.renewed_after is not None and deployment.renewals_a_day:
        renewed = load.concerned * days / deployment.renewed_after
        uses.append(
            Use(
                "scheduled re-encryption",
                reads=days * deployment.renewals_a_day * scan_units(encrypted.bytes) + renewed * load.read_after,
                writes=renewed * load.written,
                kms=2 * renewed,  # A data key is decrypted and another one made.
                invocations=days * deployment.renewals_a_day * load.items / PAGE_ITEMS
                + renewed / RECORDS_AN_INVOCATION,
                seconds=days * deployment.renewals_a_day * _sweep_seconds(load.items, 0) * deployment.sweep_memory
                + renewed * (SWEEP_SECONDS * deployment.sweep_memory + STREAM_SECONDS / 2 * deployment.stream_memory),
            )
        )
    uses.append(Use("stored bytes, more or fewer", storage=load.grown / GB * (1 + load.replicas)))
    if recovery:
        uses.append(Use("point-in-time recovery of them", recovery=load.grown / GB))
    if new_key:
        uses.append(Use("the key", keys=1))
    return uses


def _sweep_seconds(items: float, changed: float) -> float:
    return items * SCAN_SECONDS + changed * SWEEP_SECONDS


def total(uses: list[Use], what: str = "together") -> Use:
    """Return the sum of uses."""
    return Use(
        what,
        reads=sum(use.reads for use in uses),
        writes=sum(use.writes for use in uses),
        kms=sum(use.kms for use in uses),
        invocations=sum(use.invocations for use in uses),
        seconds=sum(use.seconds for use in uses),
        storage=sum(use.storage for use in uses),
        recovery=sum(use.recovery for use in uses),
        keys=sum(use.keys for use in uses),
    )


def amount(use: Use, prices: Prices, on_demand: bool, architecture: str) -> float:
    """Return what a use costs, in the prices' currency.

    Units of a provisioned table are priced as if its capacity were raised by just what they take: for a unit an hour
    pays for 3,600 of them. What fits into capacity that lies idle costs nothing more.

    Args:
        use: the use.
        prices: the price list.
        on_demand: whether the table is paid for by the request.
        architecture: the functions' processor.
    """
    if on_demand:
        units = use.reads * prices.read_requests / 1e6 + use.writes * prices.write_requests / 1e6
    else:
        units = use.reads / 3600 * prices.read_capacity + use.writes / 3600 * prices.write_capacity
    return (
        units
        + use.kms / 10_000 * prices.kms_requests
        + use.keys * prices.kms_key
        + use.invocations / 1e6 * prices.lambda_requests
        + use.seconds * prices.lambda_seconds[architecture]
        + use.storage * prices.storage
        + use.recovery * prices.recovery
    )


def seconds_at(rate: float, items: float) -> float:
    """Return how long a sweep over ``items`` takes at ``rate`` items a second."""
    return items / rate
