"""What to run next: how fast a sweep may go, in how many segments, and the parameters of the deployment. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from dynamodb_stream_encryptor.planning.cost import Load
from dynamodb_stream_encryptor.planning.table import Table, Traffic
from item_crypto.core.encoding import Encoding

KMS_QUOTA: Final = 5_500
"""Cryptographic operations a second with symmetric keys that KMS grants an account in the smallest case (Quotas)."""

_KMS_SHARE: Final = 0.1  # Of that, which is shared with all else in the account.
_ON_DEMAND_WRITES: Final = 4_000  # Write units a second that an on-demand table takes from the start.
_ON_DEMAND_READS: Final = 12_000
_SHARE: Final = 0.25  # Of what a table takes beside its busiest hour.
_ITEMS_A_SEGMENT: Final = 25_000
_ITEMS_A_WORKER: Final = 100  # Items a second that one invocation of the migrator is sure to keep up with.
_LEAST_SEGMENTS: Final = 4  # The command's own default.
_STREAM: Final = '"$STREAM"'  # The stream that the commands before give the table.


@dataclass(frozen=True)
class Suggestion:
    """How to sweep.

    Attributes:
        rate: items a second.
        limited_by: what keeps it from being higher.
        segments: into how many segments the table is cut.
        concurrency: how many of them are worked on at once.
    """

    rate: int
    limited_by: str
    segments: int
    concurrency: int


def suggest(table: Table, load: Load, traffic: Traffic | None, wanted: int | None = None) -> Suggestion:
    """Return how fast to sweep; ``wanted`` items a second where that is given."""
    writes, reads = max(load.written / (1 + load.replicas), 1.0), max(load.bytes / max(load.items, 1) / 4096, 0.01)
    peak_writes, peak_reads = (traffic.peak_writes, traffic.peak_reads) if traffic else (0.0, 0.0)
    if table.is_on_demand:
        free_writes, free_reads = _ON_DEMAND_WRITES - peak_writes, _ON_DEMAND_READS - peak_reads
        names = ("what an on-demand table takes at once in writes", "what an on-demand table takes at once in reads")
    else:
        free_writes = (table.write_capacity or 0) - peak_writes
        free_reads = (table.read_capacity or 0) - peak_reads
        names = ("the table's provisioned write capacity", "the table's provisioned read capacity")
    limits = {
        names[0]: free_writes * _SHARE / (load.write or writes),
        names[1]: free_reads * _SHARE / reads,
        "KMS's quota": KMS_QUOTA * _KMS_SHARE,
    }
    limited_by, highest = min(limits.items(), key=lambda limit: limit[1])
    rate = max(int(highest), 1)
    if wanted is not None:
        rate, limited_by = wanted, "--rate"
    segments = min(max(ceil(load.items / _ITEMS_A_SEGMENT), _LEAST_SEGMENTS), 1000)
    concurrency = min(max(ceil(rate / _ITEMS_A_WORKER), 2), segments, 1000)
    return Suggestion(rate, limited_by, segments, max(concurrency, 2))


def parameters(
    table: Table,
    attributes: Sequence[str],
    appended: Sequence[str],
    key_arn: str | None,
    single_writing_region: bool,
    suggestion: Suggestion,
    encoding: Encoding = Encoding.BASE64,
) -> dict[str, str]:
    """Return the template's parameters for the table, switched off to begin with."""
    given = {
        "TableName": table.name,
        "TableStreamArn": table.stream.arn if table.stream else _STREAM,
        "EncryptedAttributes": ",".join(attributes),
        "ContextAttributes": ",".join(table.keys),
        "EncryptionEnabled": "false",
        "MigratorConcurrency": str(suggestion.concurrency),
        "CatchUpScheduleExpression": "",
    }
    if appended:
        given["AppendedAttributes"] = ",".join(appended)
    if encoding is not Encoding.BASE64:
        given["CiphertextEncoding"] = encoding.value
    if key_arn:
        given["KmsKeyArn"] = key_arn
    if table.own_key:
        given["TableKeyArn"] = table.own_key
    if table.replicas and single_writing_region:
        given["SingleWritingRegion"] = "true"
    return given


def deploy_command(given: dict[str, str], architecture: str, region: str) -> str:
    """Return the commands that build and deploy with ``given``, to be pasted."""
    words = [f"Architecture={architecture}", *(f"{name}={_quoted(value)}" for name, value in given.items())]
    return f"sam build\nsam deploy --region {region} --parameter-overrides " + " \\\n  ".join(words)


def stream_commands(table: Table) -> str:
    """Return the commands that give the table a stream of keys, where it has none."""
    name = shlex.quote(table.name)
    return (
        f"aws dynamodb update-table --region {table.region} --table-name {name} \\\n"
        "  --stream-specification StreamEnabled=true,StreamViewType=KEYS_ONLY\n"
        f"STREAM=$(aws dynamodb describe-table --region {table.region} --table-name {name} \\\n"
        "  --query Table.LatestStreamArn --output text)"
    )


def _quoted(value: str) -> str:
    # Only our own variable is for the shell to look into: a name may begin with a quote, and hold a command.
    return value if value == _STREAM else shlex.quote(value) if value else '""'
