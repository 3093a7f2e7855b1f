"""The keys in a range of the table's stream: what an event source mapping gave up on."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from item_crypto.core.codec import Item
from item_crypto.core.key import KeyId, key_id
from item_crypto.errors import UnsupportedValue
from item_crypto.service_errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_GONE: Final = ("TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException")
_MOST_EMPTY: Final = 100  # Pages without a record, one after the other: an open shard's iterators never end.
_SEQUENCE_NUMBER: Final = re.compile(r"[0-9]{1,40}", re.ASCII)  # 21 to 40 digits on AWS (API reference).


class Trimmed(Exception):
    """The stream does not show the whole range: it keeps records for 24 hours."""


def keys_in_range(streams: "DynamoDBStreamsClient", stream_arn: str, batch: Mapping[str, Any]) -> dict[KeyId, Item]:
    """Return the keys of the records in a range, each once.

    Args:
        streams: a boto3 DynamoDB Streams client.
        stream_arn: the stream.
        batch: ``DDBStreamBatchInfo`` of the mapping's message: the shard, the first and the last sequence number.

    Raises:
        UnsupportedValue: ``batch`` names no range.
        Trimmed: the stream does not show the range up to its end.
        TransientError, SystemicError: the stream did not answer.
    """
    shard, first, last = _range(batch)
    keys: dict[KeyId, Item] = {}
    empty = 0
    with translated("dynamodb"):
        try:
            iterator: str | None = streams.get_shard_iterator(
                StreamArn=stream_arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=first
            )["ShardIterator"]
            # An empty page is no sign of the end: GetRecords gives one where it found nothing yet (its API reference).
            while iterator is not None and empty < _MOST_EMPTY:
                answer = streams.get_records(ShardIterator=iterator)
                empty = 0 if answer["Records"] else empty + 1
                for record in answer["Records"]:
                    number = int(record["dynamodb"]["SequenceNumber"])
                    if number <= last:
                        key = dict(record["dynamodb"]["Keys"])
                        keys[key_id(key)] = key
                    if number >= last and keys:
                        return keys
                    if number > last:
                        raise Trimmed
                iterator = answer.get("NextShardIterator")
        except ClientError as error:
            if error_code(error) in _GONE:
                raise Trimmed from None
            raise
    # The range's last record was there when the mapping read it. To take what is left for all would lose the rest.
    raise Trimmed


def _range(batch: Mapping[str, Any]) -> tuple[str, str, int]:
    match batch:
        case {"shardId": str(shard), "startSequenceNumber": str(first), "endSequenceNumber": str(last)}:
            if shard and _SEQUENCE_NUMBER.fullmatch(first) and _SEQUENCE_NUMBER.fullmatch(last):
                return shard, first, int(last)
    raise UnsupportedValue("a message names no range of a stream")
