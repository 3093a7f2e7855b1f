"""A table as a plan sees it, and how much it is used. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Index:
    """An index.

    Attributes:
        name: its name.
        keys: the names of its key attributes.
        projection: ``ALL``, ``KEYS_ONLY`` or ``INCLUDE``.
        included: the attributes of ``INCLUDE``.
        is_local: whether it is a local secondary index.
    """

    name: str
    keys: tuple[str, ...]
    projection: str
    included: tuple[str, ...]
    is_local: bool


@dataclass(frozen=True)
class Stream:
    """The table's stream.

    Attributes:
        arn: its ARN.
        view: its view type.
        consumers: the Lambda functions that read it by an event source mapping; None where that could not be asked.
    """

    arn: str
    view: str
    consumers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A table, described.

    Attributes:
        name: its name.
        arn: its ARN.
        region: its Region.
        keys: its key attributes, the partition key first: names and types (S, N, B).
        indexes: its indexes.
        items: how many items it has by DescribeTable, up to six hours old.
        size: their bytes, likewise.
        mode: ``on-demand`` or ``provisioned``.
        read_capacity: provisioned read units a second; None on demand.
        write_capacity: provisioned write units a second; None on demand.
        table_class: ``STANDARD`` or ``STANDARD_INFREQUENT_ACCESS``.
        stream: its stream; None where it has none.
        replicas: the other Regions that it is replicated to.
        consistency: ``EVENTUAL`` or ``STRONG``, between Regions.
        own_key: the ARN of the customer-managed key that DynamoDB keeps it under; None for AWS's own.
        deletion_protection: whether it is protected against deletion.
        ttl: the attribute of its time to live; None without one.
        recovery: whether point-in-time recovery is on; None where that could not be asked.
        recovery_days: for how many days that goes back.
        backups: on-demand backups; None where that could not be asked.
        exports: exports to S3 that DynamoDB still lists; likewise.
        kinesis: Kinesis streams that its changes go to; likewise.
        unseen: what could not be asked, and why.
    """

    name: str
    arn: str
    region: str
    keys: Mapping[str, str]
    indexes: Sequence[Index]
    items: int
    size: int
    mode: str
    read_capacity: int | None
    write_capacity: int | None
    table_class: str
    stream: Stream | None
    replicas: tuple[str, ...]
    consistency: str
    own_key: str | None
    deletion_protection: bool
    ttl: str | None = None
    recovery: bool | None = None
    recovery_days: int | None = None
    backups: int | None = None
    exports: int | None = None
    kinesis: int | None = None
    unseen: Sequence[str] = field(default=())

    @property
    def is_on_demand(self) -> bool:
        """Whether it is paid for by the request."""
        return self.mode == "on-demand"


@dataclass(frozen=True)
class Traffic:
    """What a table consumed.

    Attributes:
        days: over how many days it was looked at.
        write_units: write units in that time.
        read_units: read units in that time.
        peak_writes: write units a second in the busiest hour.
        peak_reads: read units a second in the busiest hour.
    """

    days: float
    write_units: float
    read_units: float
    peak_writes: float
    peak_reads: float

    @property
    def monthly_write_units(self) -> float:
        """Write units in thirty days at this pace."""
        return self.write_units / self.days * 30

    @property
    def monthly_read_units(self) -> float:
        """Read units in thirty days at this pace."""
        return self.read_units / self.days * 30


def read_table(description: Mapping[str, Any], region: str) -> Table:
    """Return the table in ``description``, the member ``Table`` of DescribeTable's answer."""
    types = {part["AttributeName"]: part["AttributeType"] for part in description.get("AttributeDefinitions", ())}
    throughput = description.get("ProvisionedThroughput") or {}
    on_demand = (description.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"
    specification = description.get("StreamSpecification") or {}
    arn = description.get("LatestStreamArn")
    has_stream = bool(arn and specification.get("StreamEnabled"))
    return Table(
        name=description["TableName"],
        arn=description["TableArn"],
        region=region,
        keys={part["AttributeName"]: types.get(part["AttributeName"], "S") for part in _ordered(description)},
        indexes=[
            *(_index(index, False) for index in description.get("GlobalSecondaryIndexes") or ()),
            *(_index(index, True) for index in description.get("LocalSecondaryIndexes") or ()),
        ],
        items=int(description.get("ItemCount") or 0),
        size=int(description.get("TableSizeBytes") or 0),
        mode="on-demand" if on_demand else "provisioned",
        read_capacity=None if on_demand else int(throughput.get("ReadCapacityUnits") or 0),
        write_capacity=None if on_demand else int(throughput.get("WriteCapacityUnits") or 0),
        table_class=(description.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
        stream=Stream(str(arn), specification.get("StreamViewType", "")) if has_stream else None,
        replicas=tuple(
            sorted(name for replica in description.get("Replicas") or () if (name := replica["RegionName"]) != region)
        ),
        consistency=description.get("MultiRegionConsistency", "EVENTUAL"),
        own_key=(description.get("SSEDescription") or {}).get("KMSMasterKeyArn"),
        deletion_protection=bool(description.get("DeletionProtectionEnabled")),
    )


def _ordered(description: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(description["KeySchema"], key=lambda part: part["KeyType"] != "HASH")


def _index(description: Mapping[str, Any], is_local: bool) -> Index:
    projection = description.get("Projection") or {}
    return Index(
        name=description["IndexName"],
        keys=tuple(part["AttributeName"] for part in description["KeySchema"]),
        projection=projection.get("ProjectionType", "ALL"),
        included=tuple(projection.get("NonKeyAttributes") or ()),
        is_local=is_local,
    )
