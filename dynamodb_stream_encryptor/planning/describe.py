"""Asks AWS what a table is: one call for each thing, none of which reads an item or changes anything."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.planning.table import Table, read_table
from dynamodb_stream_encryptor.service_errors import explained

CALLS: Final = (
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeKinesisStreamingDestination",
    "dynamodb:ListBackups",
    "dynamodb:ListExports",
    "lambda:ListEventSourceMappings",
)
"""What is called here, as IAM names it. Only the first is indispensable."""

_LISTED: Final = 100  # Backups and exports that are counted: one page tells what matters, that there are any.


@dataclass(frozen=True)
class Clients:
    """boto3 clients of the table's Region and account."""

    dynamodb: Any
    lambda_: Any


def describe(clients: Clients, name: str, region: str) -> Table:
    """Return the table ``name``.

    Raises:
        UsageError: there is none.
        CliError: DynamoDB does not say. What else is not told is listed in ``unseen``.
    """
    try:
        description = clients.dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            raise UsageError(
                f"There is no table {name} in {region}. `aws dynamodb list-tables` names those that there are; another "
                "Region is chosen by --region.",
                "not-found",
            ) from None
        raise explained(error, f"describing the table {name}") from error
    except BotoCoreError as error:
        raise explained(error, f"describing the table {name}") from error
    return _with_surroundings(read_table(description, region), clients)


def _with_surroundings(table: Table, clients: Clients) -> Table:
    dynamodb, unseen = clients.dynamodb, list[str]()

    def asked(what: str, action: str, call: Callable[[], Any]) -> Any:
        """Return what a call answers; None where it fails, which is no reason to give up the plan."""
        try:
            return call()
        except (ClientError, BotoCoreError, NotImplementedError) as error:
            unseen.append(f"{what} ({action}: {_why(error)})")
            return None

    name = table.name
    ttl = asked("time to live", "dynamodb:DescribeTimeToLive", lambda: dynamodb.describe_time_to_live(TableName=name))
    recovery = asked(
        "point-in-time recovery",
        "dynamodb:DescribeContinuousBackups",
        lambda: dynamodb.describe_continuous_backups(TableName=name),
    )
    backups = asked("backups", "dynamodb:ListBackups", lambda: dynamodb.list_backups(TableName=name, Limit=_LISTED))
    exports = asked("exports", "dynamodb:ListExports", lambda: dynamodb.list_exports(TableArn=table.arn))
    kinesis = asked(
        "Kinesis streams",
        "dynamodb:DescribeKinesisStreamingDestination",
        lambda: dynamodb.describe_kinesis_streaming_destination(TableName=name),
    )
    stream = table.stream
    if stream is not None:
        arn = stream.arn
        mappings = asked(
            "who reads the stream",
            "lambda:ListEventSourceMappings",
            lambda: clients.lambda_.list_event_source_mappings(EventSourceArn=arn),
        )
        if mappings is not None:
            names = (mapping["FunctionArn"].rpartition(":function:")[2] for mapping in mappings["EventSourceMappings"])
            stream = replace(stream, consumers=tuple(sorted(names)))
    described = ((recovery or {}).get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    return replace(
        table,
        stream=stream,
        ttl=_ttl((ttl or {}).get("TimeToLiveDescription") or {}),
        recovery=None if recovery is None else described.get("PointInTimeRecoveryStatus") == "ENABLED",
        recovery_days=described.get("RecoveryPeriodInDays"),
        backups=None if backups is None else len(backups["BackupSummaries"]),
        exports=None if exports is None else len(exports.get("ExportSummaries") or ()),
        kinesis=None
        if kinesis is None
        else sum(
            destination.get("DestinationStatus") in ("ACTIVE", "ENABLING", "UPDATING")
            for destination in kinesis.get("KinesisDataStreamDestinations") or ()
        ),
        unseen=tuple(unseen),
    )


def _ttl(description: Any) -> str | None:
    return description.get("AttributeName") if description.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
