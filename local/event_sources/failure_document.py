"""The document that Lambda sends to the on-failure destination of a stream: metadata, never the records."""

from datetime import UTC, datetime
from typing import Any

from local.event_sources.delivery import Discard


def failure_document(
    discard: Discard,
    *,
    request_id: str,
    function_arn: str,
    function_error: bool,
    shard_id: str,
    stream_arn: str,
    now: float,
) -> dict[str, Any]:
    """Return the metadata document for discarded records, as AWS Lambda writes it for a DynamoDB stream.

    `responseContext` is left out, as by Lambda, when the function was never invoked with these records.
    """
    document: dict[str, Any] = {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": discard.condition,
            "approximateInvokeCount": discard.invocations,
        }
    }
    if discard.invocations:
        document["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
        document["responseContext"]["functionError"] = "Unhandled" if function_error else None
    first, last = discard.records[0], discard.records[-1]
    return document | {
        "version": "1.0",
        "timestamp": _iso(now, "milliseconds"),
        "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": str(first.sequence),
            "endSequenceNumber": str(last.sequence),
            "approximateArrivalOfFirstRecord": _iso(first.created, "seconds"),
            "approximateArrivalOfLastRecord": _iso(last.created, "seconds"),
            "batchSize": len(discard.records),
            "streamArn": stream_arn,
        },
    }


def _iso(epoch: float, precision: str) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
