"""The keys in a range of the table's stream: what an event source mapping gave up on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.codec import Item
from item_crypto.service_errors import error_code, from_boto
from item_crypto.table import KeyId, key_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_GONE = ("TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException")


class Trimmed(Exception):
    """The range is older than the 24 hours that a stream keeps."""


def keys_in_range(streams: "DynamoDBStreamsClient", stream_arn: str, batch: Mapping[str, Any]) -> dict[KeyId, Item]:
    """Return the keys of the records in a range, each once.

    Args:
        streams: a boto3 DynamoDB Streams client.
        stream_arn: the stream.
        batch: ``DDBStreamBatchInfo`` of the mapping's message: the shard, the first and the last sequence number.

    Raises:
        Trimmed: the stream does not hold the range any more.
        TransientError, SystemicError: the stream did not answer.
    """
    last = int(batch["endSequenceNumber"])
    keys: dict[KeyId, Item] = {}
    try:
        iterator: str | None = streams.get_shard_iterator(
            StreamArn=stream_arn,
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator is not None:
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return keys
                key = dict(record["dynamodb"]["Keys"])
                keys[key_id(key)] = key
            if not answer["Records"] or int(answer["Records"][-1]["dynamodb"]["SequenceNumber"]) >= last:
                return keys
            iterator = answer.get("NextShardIterator")
    except ClientError as error:
        if error_code(error) in _GONE:
            raise Trimmed from None
        raise from_boto("dynamodb", error) from error
    except BotoCoreError as error:
        raise from_boto("dynamodb", error) from error
    return keys
