"""A stream of DynamoDB Local, read by position as `moto_state.Shard` is: the sequence number last read."""

import base64
import threading
from typing import Any

from botocore.exceptions import ClientError

from local.event_sources.delivery import StreamRecord


class DynamoDBLocalShard:
    """The shards of a stream, one after the other, as if they were one; may be used by several threads.

    DynamoDB Local closes a shard after four hours. What was read is kept, for whoever reads from an earlier position.
    """

    def __init__(self, streams: Any, stream_arn: str) -> None:
        """Take a boto3 client of DynamoDB Streams, and a stream's ARN."""
        self._streams = streams
        self._arn = stream_arn
        self._lock = threading.Lock()
        self._records: list[StreamRecord] = []
        self._shards: list[str] = []
        self._iterator: str | None = None

    @property
    def id(self) -> str:
        """Return the id of the shard that is read."""
        with self._lock:
            self._read()
            return self._shards[-1]

    def trim_horizon(self) -> int:
        """Return the position before the oldest record."""
        return 0

    def latest(self) -> int:
        """Return the position after the newest record."""
        with self._lock:
            self._read()
            return self._records[-1].sequence if self._records else 0

    def after(self, position: int, limit: int) -> list[StreamRecord]:
        """Return the records that follow a position."""
        with self._lock:
            self._read()
            # The newest are asked for most.
            start = len(self._records)
            while start and self._records[start - 1].sequence > position:
                start -= 1
            return self._records[start : start + limit]

    def _read(self) -> None:
        while True:
            if self._iterator is None and not self._next_shard():
                return
            try:
                answer = self._streams.get_records(ShardIterator=self._iterator)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("TrimmedDataAccessException", "ExpiredIteratorException"):
                    raise
                # An iterator that was given before the shard's first record is not good for it; others last 15 minutes.
                self._iterator = self._begin(self._shards[-1])
                continue
            self._records += [_record(raw, self._arn) for raw in answer["Records"]]
            self._iterator = answer.get("NextShardIterator")
            if self._iterator is not None and not answer["Records"]:
                return

    def _next_shard(self) -> bool:
        description = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]
        unread = [shard["ShardId"] for shard in description["Shards"] if shard["ShardId"] not in self._shards]
        if not unread:
            return False
        self._shards.append(unread[0])
        self._iterator = self._begin(unread[0], at_its_start=True)
        return True

    def _begin(self, shard: str, *, at_its_start: bool = False) -> str:
        place: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._records and not at_its_start:
            number = self._records[-1].event["dynamodb"]["SequenceNumber"]
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
        iterator: str = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **place)["ShardIterator"]
        return iterator


def _record(raw: dict[str, Any], stream_arn: str) -> StreamRecord:
    created = raw["dynamodb"]["ApproximateCreationDateTime"].timestamp()
    change = _json_ready(raw["dynamodb"] | {"ApproximateCreationDateTime": created})
    return StreamRecord(
        int(change["SequenceNumber"]), created, raw | {"dynamodb": change, "eventSourceARN": stream_arn}
    )


def _json_ready(value: Any) -> Any:
    """Return DynamoDB JSON with binary values in base64, as they travel."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {key: _json_ready(element) for key, element in value.items()}
        case list():
            return [_json_ready(element) for element in value]
    return value
