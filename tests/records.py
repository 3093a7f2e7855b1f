"""What event source mappings hand over, and what queues hold."""

import json
import time
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends


def event_of(*records: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a batch of records."""
    return {"Records": list(records)}


def sqs_record(body: str, message_id: str = "m", handle: str = "", received: int = 1) -> dict[str, Any]:
    """Return a message of a queue that was received for the ``received``-th time."""
    return {
        "messageId": message_id,
        "receiptHandle": handle,
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(received)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


def stream_record(session: str, event_name: str = "INSERT", sequence: int = 1, **change: Any) -> dict[str, Any]:
    """Return the record of a write to one of Alice's sessions, made two seconds ago; ``change`` are its members."""
    return {
        "eventID": f"event-{sequence}",
        "eventName": event_name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"sessionId": {"S": session}, "userId": {"S": "alice"}},
            "SequenceNumber": str(sequence),
            "ApproximateCreationDateTime": time.time() - 2,
            **change,
        },
    }


def bodies(queue: str) -> list[Any]:
    """Return the bodies of a queue's messages, delayed ones too, as moto holds them."""
    region = boto3.DEFAULT_SESSION.region_name  # type: ignore[union-attr]
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][region].queues
    return [json.loads(message.body) for message in queues[queue.rsplit("/", 1)[1]]._messages]
