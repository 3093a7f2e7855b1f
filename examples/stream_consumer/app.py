"""A consumer of the table's stream: it keeps a table of statistics, which says how long each session is.

It goes on working while items are still in plaintext, when they are encrypted, and half way between: `StreamRecord`
gives the images in the clear, and `is_change` tells what is a change to a reader. Nothing that is encrypted in the
first table is copied into the second.
"""

import os
from functools import cache
from typing import Any

import boto3

from item_crypto import Encryption, ItemCryptoError, Keyrings, Policy, StreamRecord, ValueCipher


@cache
def encryption() -> Encryption:
    """How the items are encrypted: as in the stack's parameters. Reading needs no setting; items tell their form."""
    policy = Policy(
        attributes=("history", "configuration"),
        appended=frozenset(),
        context_attributes=("userId", "sessionId"),
        purpose="session-encryption",
        enabled=True,
    )
    return Encryption(ValueCipher(Keyrings(boto3.client("kms"), os.environ["KEY_ARN"])), policy)


@cache
def statistics() -> Any:
    """The table of statistics, by session."""
    return boto3.resource("dynamodb").Table(os.environ["STATISTICS_TABLE"])


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Note each change, in order; what fails is reported, so that Lambda sends it and what follows again."""
    for record in event["Records"]:
        try:
            note(StreamRecord.of(record, encryption()))
        except ItemCryptoError as error:
            number = record["dynamodb"]["SequenceNumber"]
            print(f"record {number} is tried again: {error.reason}")
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}


def note(record: StreamRecord) -> None:
    """Bring the statistics of a session up to date. The same record again leads to the same row."""
    if not record.is_change:
        return
    if record.new_image is None:
        statistics().delete_item(Key=record.keys)
        return
    statistics().put_item(Item={**record.keys, "messages": len(record.new_image.get("history", []))})
