"""The services that the functions call, as boto3 clients with the time-outs that a function can bear."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_CONNECT: Final = 2  # Seconds.
_READ: Final = 5
_ATTEMPTS: Final = 3

CLIENT_CONFIG: Final = Config(
    connect_timeout=_CONNECT,
    read_timeout=_READ,
    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    max_pool_connections=16,
)
"""Time-outs far below a function's own, so that one call that hangs is one item's failure and not the batch's."""


_TABLE_CONFIG: Final = CLIENT_CONFIG.merge(Config(parameter_validation=False))
"""For DynamoDB, whose requests carry whole items: to check the shape of each value of a shape that was read from there,
or made by this package, is a tenth of an item's processor time. DynamoDB refuses what is malformed all the same."""

_SINGLE_CONFIG: Final = _TABLE_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


def longest_call(connect: float = _CONNECT, read: float = _READ, attempts: int = _ATTEMPTS) -> float:
    """Return for how many seconds at most a call is under way, with all its attempts: then it has ended or failed.

    Before attempt n + 1, botocore's standard mode waits 2 to the power of n - 1 seconds at most, never more than 20,
    and 5 more where the service asks for it (``x-amz-retry-after``).
    """
    return attempts * (connect + read) + sum(min(2.0**n, 20) + 5 for n in range(attempts - 1))


class Clients:
    """The clients of one process, each made when it is first asked for: most functions need two or three."""

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB's."""
        return boto3.client("dynamodb", config=_TABLE_CONFIG)

    @cached_property
    def dynamodb_single(self) -> "DynamoDBClient":
        """DynamoDB's, for writes that must not be sent twice without anybody knowing: it sends each request once."""
        return boto3.client("dynamodb", config=_SINGLE_CONFIG)

    @cached_property
    def kms(self) -> "KMSClient":
        """KMS's."""
        return boto3.client("kms", config=CLIENT_CONFIG)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS's."""
        return boto3.client("sqs", config=CLIENT_CONFIG)

    @cached_property
    def sns(self) -> Any:
        """SNS's."""
        return boto3.client("sns", config=CLIENT_CONFIG)

    @cached_property
    def streams(self) -> "DynamoDBStreamsClient":
        """DynamoDB Streams'."""
        return boto3.client("dynamodbstreams", config=CLIENT_CONFIG)

    @cached_property
    def mappings(self) -> "LambdaClient":
        """Lambda's, which knows the event source mappings."""
        return boto3.client("lambda", config=CLIENT_CONFIG)
