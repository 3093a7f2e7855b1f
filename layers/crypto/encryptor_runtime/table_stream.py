"""Whether the stream that triggers encryption is the one that the table writes to.

A stream that is switched off and on again has another ARN. The mapping goes on reading the old one, without an error:
nothing that is written from then on triggers anything.
"""

from typing import TYPE_CHECKING

from item_crypto.errors import ConfigurationError
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def check_stream(dynamodb: "DynamoDBClient", table: str, stream_arn: str) -> None:
    """Check that ``stream_arn`` is the stream to which ``table`` writes now.

    Raises:
        ConfigurationError: the table's stream is off, or another one.
        TransientError, SystemicError: DynamoDB did not answer, or refuses.
    """
    with translated("dynamodb"):
        described = dynamodb.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        raise ConfigurationError("TABLE_STREAM_ARN: the table's stream is off, so nothing that is written is encrypted")
    if described.get("LatestStreamArn") != stream_arn:
        raise ConfigurationError(
            "TABLE_STREAM_ARN: the table writes to another stream by now; deploy with its LatestStreamArn"
        )
