"""What AWS says of a table and its traffic, as a plan takes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dynamodb_stream_encryptor.errors import Unreachable, UsageError
from dynamodb_stream_encryptor.planning import describe, sampling, traffic, trail_files
from dynamodb_stream_encryptor.planning.describe import Clients
from dynamodb_stream_encryptor.planning.table import Table, Traffic

ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/chats"
STREAM = f"{ARN}/stream/2026-01-02T08:30:00.000"
NOW = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:"

ANSWERS: dict[str, Any] = {
    "describe_table": {
        "Table": {
            "TableName": "chats",
            "TableArn": ARN,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "LatestStreamArn": STREAM,
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            "SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/x"},
            "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
            "DeletionProtectionEnabled": True,
        }
    },
    "describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}},
    "describe_continuous_backups": {
        "ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7}
        }
    },
    "list_backups": {"BackupSummaries": [{"BackupName": "a"}, {"BackupName": "b"}]},
    "list_exports": {"ExportSummaries": [{"ExportArn": "x"}]},
    "describe_kinesis_streaming_destination": {
        "KinesisDataStreamDestinations": [{"DestinationStatus": "ACTIVE"}, {"DestinationStatus": "DISABLED"}]
    },
    "list_event_source_mappings": {
        "EventSourceMappings": [{"FunctionArn": f"{FUNCTION}search"}, {"FunctionArn": f"{FUNCTION}mail:live"}]
    },
}


class Fake:
    """Any client: it answers what it was given, and refuses what it was told to."""

    def __init__(self, refused: dict[str, str] | None = None) -> None:
        self.refused = refused or {}

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> Any:
            if name in self.refused:
                raise ClientError({"Error": {"Code": self.refused[name], "Message": "no"}}, name)
            return ANSWERS[name]

        return call


def described(**refused: str) -> Table:
    fake = Fake(refused)
    return describe.describe(Clients(fake, fake), "chats", "eu-central-1")


def test_everything_around_the_table_is_told():
    table = described()
    assert table.ttl == "expires"
    assert (table.recovery, table.recovery_days) == (True, 7)
    assert (table.backups, table.exports, table.kinesis) == (2, 1, 1)
    assert table.stream is not None
    assert table.stream.consumers == ("mail:live", "search")
    assert table.own_key == "arn:aws:kms:eu-central-1:111122223333:key/x"
    assert table.table_class == "STANDARD_INFREQUENT_ACCESS"
    assert table.deletion_protection
    assert table.unseen == ()


@pytest.mark.parametrize(
    ("call", "member", "action"),
    [
        ("describe_time_to_live", "ttl", "dynamodb:DescribeTimeToLive"),
        ("describe_continuous_backups", "recovery", "dynamodb:DescribeContinuousBackups"),
        ("list_backups", "backups", "dynamodb:ListBackups"),
        ("list_exports", "exports", "dynamodb:ListExports"),
        ("describe_kinesis_streaming_destination", "kinesis", "dynamodb:DescribeKinesisStreamingDestination"),
    ],
)
def test_what_is_denied_is_not_known_and_the_right_that_lacks_is_named(call, member, action):
    table = described(**{call: "AccessDeniedException"})
    assert getattr(table, member) is None
    (unseen,) = table.unseen
    assert f"{action}: AccessDeniedException" in unseen


def test_readers_of_the_stream_that_cannot_be_asked_are_not_known():
    table = described(list_event_source_mappings="AccessDeniedException")
    assert table.stream is not None
    assert table.stream.consumers is None


def test_without_the_one_indispensable_right_there_is_no_plan():
    with pytest.raises(Unreachable, match="denies permission while describing the table chats"):
        described(describe_table="AccessDeniedException")
    with pytest.raises(UsageError, match="no table chats in eu-central-1"):
        described(describe_table="ResourceNotFoundException")


def test_every_call_is_listed_for_whoever_grants_rights():
    calls = {*describe.CALLS, *sampling.CALLS, *traffic.CALLS, *trail_files.CALLS}
    assert len(calls) == 11
    assert {call.partition(":")[0] for call in calls} == {"dynamodb", "lambda", "cloudwatch", "s3"}


class Metrics:
    def __init__(self, **values: dict[int, float]) -> None:
        """Take the sums of each hour, by how many hours ago it was."""
        self.values = values

    def get_metric_data(self, **asked: Any) -> Any:
        assert asked["EndTime"] - asked["StartTime"] == timedelta(days=14)
        return {
            "MetricDataResults": [
                {
                    "Id": name,
                    "Timestamps": [asked["EndTime"] - timedelta(hours=ago) for ago in hours],
                    "Values": list(hours.values()),
                }
                for name, hours in self.values.items()
            ]
        }


def test_traffic_is_taken_over_the_time_that_there_is():
    """GIVEN a table that is two days old THEN its month is fifteen times that."""
    found = traffic.find_traffic(Metrics(writes={48: 100.0, 1: 7200.0}, reads={24: 3600.0}), "chats", NOW)
    assert isinstance(found, Traffic)
    assert found.days == 2
    assert found.monthly_write_units == 7300 * 15
    assert found.monthly_read_units == 3600 * 15
    assert (found.peak_writes, found.peak_reads) == (2.0, 1.0)


def test_a_table_without_metrics_has_no_traffic_that_is_known():
    assert traffic.find_traffic(Metrics(writes={}, reads={}), "chats", NOW) == "CloudWatch has no metrics of it"


def test_traffic_that_cannot_be_asked_names_the_right():
    denied = Fake({"get_metric_data": "AccessDenied"})
    assert "cloudwatch:GetMetricData: AccessDenied" in str(traffic.find_traffic(denied, "chats", NOW))
