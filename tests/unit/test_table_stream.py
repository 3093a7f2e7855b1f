from typing import Any

import boto3
import pytest
from moto import mock_aws

from encryptor_runtime.table_stream import check_stream
from item_crypto import ConfigurationError, SystemicError
from tests.faults import failing
from tests.scene import CLIENT

TABLE = "chats"
KEYS_ONLY: Any = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}


@pytest.fixture
def dynamodb() -> Any:
    with mock_aws():
        client = boto3.client("dynamodb", **CLIENT)
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=KEYS_ONLY,
        )
        yield client


def latest(dynamodb: Any) -> str:
    return str(dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"])


def test_stream_when_it_is_the_tables_latest_then_accepted(dynamodb: Any) -> None:
    check_stream(dynamodb, TABLE, latest(dynamodb))


def test_stream_when_the_table_writes_to_another_by_now_then_refused_with_the_mend(dynamodb: Any) -> None:
    earlier = latest(dynamodb).rpartition("/")[0] + "/2020-01-01T00:00:00.000"

    with pytest.raises(ConfigurationError, match="another stream by now; deploy with its LatestStreamArn"):
        check_stream(dynamodb, TABLE, earlier)


def test_stream_when_it_is_off_then_refused_though_it_is_still_the_latest(dynamodb: Any) -> None:
    """DescribeTable goes on naming the stream that was switched off."""
    arn = latest(dynamodb)
    dynamodb.update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": False})

    with pytest.raises(ConfigurationError, match="stream is off"):
        check_stream(dynamodb, TABLE, arn)


def test_table_when_it_cannot_be_described_then_the_class_tells(dynamodb: Any) -> None:
    arn = latest(dynamodb)

    with failing(dynamodb, "dynamodb", "AccessDeniedException"), pytest.raises(SystemicError):
        check_stream(dynamodb, TABLE, arn)
