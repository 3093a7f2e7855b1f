"""AWS's published limits, as data: each with where it is published, and whether more can be asked for.

They change: the documents that are named are what holds.
"""

from dataclasses import dataclass
from typing import Final

_DYNAMODB: Final = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"
_KMS: Final = "https://docs.aws.amazon.com/kms/latest/developerguide/"


@dataclass(frozen=True)
class Limit:
    """A limit.

    Attributes:
        what: what is limited.
        value: how many.
        unit: of what.
        asked_for: where more can be asked for; empty where nobody can.
        source: the address of the document that says so.
    """

    what: str
    value: int
    unit: str
    asked_for: str
    source: str


PARTITION_WRITES: Final = Limit(
    "writes of a partition",
    1_000,
    "write units a second",
    "",
    f"{_DYNAMODB}bp-partition-key-design.html",
)
PARTITION_READS: Final = Limit(
    "reads of a partition",
    3_000,
    "read units a second",
    "",
    f"{_DYNAMODB}bp-partition-key-design.html",
)
TABLE_WRITES: Final = Limit(
    "writes of a table, with its indexes",
    40_000,
    "write units a second",
    "Service Quotas, DynamoDB",
    f"{_DYNAMODB}ServiceQuotas.html",
)
TABLE_READS: Final = Limit(
    "reads of a table",
    40_000,
    "read units a second",
    "Service Quotas, DynamoDB",
    f"{_DYNAMODB}ServiceQuotas.html",
)
NEW_ON_DEMAND_WRITES: Final = Limit(
    "writes that a new table on demand is warm for",
    4_000,
    "write units a second",
    "WarmThroughput of the table (UpdateTable)",
    f"{_DYNAMODB}warm-throughput-scenarios.html",
)
NEW_ON_DEMAND_READS: Final = Limit(
    "reads that a new table on demand is warm for",
    12_000,
    "read units a second",
    "WarmThroughput of the table (UpdateTable)",
    f"{_DYNAMODB}warm-throughput-scenarios.html",
)
STREAM_READERS: Final = Limit(
    "readers of a shard at a time",
    2,
    "readers",
    "",
    f"{_DYNAMODB}ServiceQuotas.html",
)
STREAM_HOURS: Final = Limit(
    "age of a record in the stream",
    24,
    "hours",
    "",
    f"{_DYNAMODB}Streams.html",
)
POLLS: Final = Limit(
    "polls of a shard by Lambda, where it finds nothing",
    4,
    "polls a second",
    "",
    f"{_LAMBDA}with-ddb.html",
)
PARALLELIZATION: Final = Limit(
    "batches of a shard at a time",
    10,
    "batches",
    "",
    f"{_LAMBDA}services-ddb-params.html",
)
LAMBDA_CONCURRENCY: Final = Limit(
    "invocations at a time, of all functions of an account in a Region",
    1_000,
    "invocations",
    "Service Quotas, Lambda; a new account may have fewer",
    f"{_LAMBDA}gettingstarted-limits.html",
)
LAMBDA_REQUESTS: Final = Limit(
    "invocations a second, for each that may run at a time",
    10,
    "invocations a second",
    "with the concurrency",
    f"{_LAMBDA}lambda-concurrency.html",
)
LAMBDA_SCALING: Final = Limit(
    "more environments of a function within ten seconds",
    1_000,
    "environments",
    "",
    f"{_LAMBDA}scaling-behavior.html",
)
QUEUE_CONCURRENCY: Final = Limit(
    "MaximumConcurrency of a queue's mapping",
    1_000,
    "invocations",
    "",
    f"{_LAMBDA}services-sqs-parameters.html",
)
QUEUE_SCALING: Final = Limit(
    "more invocations for a queue within a minute",
    300,
    "invocations",
    "",
    f"{_LAMBDA}services-sqs-scaling.html",
)
KMS_SOURCE: Final = f"{_KMS}requests-per-second.html"

LIMITS: Final = (
    PARTITION_WRITES,
    PARTITION_READS,
    TABLE_WRITES,
    TABLE_READS,
    NEW_ON_DEMAND_WRITES,
    NEW_ON_DEMAND_READS,
    STREAM_READERS,
    STREAM_HOURS,
    POLLS,
    PARALLELIZATION,
    LAMBDA_CONCURRENCY,
    LAMBDA_REQUESTS,
    LAMBDA_SCALING,
    QUEUE_CONCURRENCY,
    QUEUE_SCALING,
)
"""All of them but KMS's, which goes by Region."""

KMS_QUOTA: Final = 10_000
"""Cryptographic requests a second with symmetric keys that KMS grants an account in a Region that is not listed."""

KMS_QUOTAS: Final = {
    "us-east-1": 100_000,
    "us-west-2": 100_000,
    "eu-west-1": 100_000,
    "us-east-2": 20_000,
    "ap-northeast-1": 20_000,
    "ap-southeast-1": 20_000,
    "ap-southeast-2": 20_000,
    "eu-central-1": 20_000,
    "eu-west-2": 20_000,
}
"""The same in the Regions that have more. All that an account does with symmetric keys shares it."""

VCPU_MEMORY: Final = 1_769
"""MB of a function that have one vCPU; less memory has less, in proportion (Lambda, "Configure memory")."""

PARTITION_BYTES: Final = 10 * 1024**3
"""Bytes that a partition holds, about (DynamoDB, "Partitions and data distribution")."""

REGIONS_SHOWN: Final = 20_000
"""The KMS quota that the document reckons with: that of eu-central-1 and five more Regions."""


def kms_quota(region: str) -> int:
    """Return KMS's default quota of cryptographic requests a second with symmetric keys, of an account in a Region."""
    return KMS_QUOTAS.get(region, KMS_QUOTA)
