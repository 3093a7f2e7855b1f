"""How long the messages of a batch have waited. Pure.

SQS's own metric of the oldest message leaves out one that was received three times or more: just the one that is
tried again and again. So whoever receives a message says how old it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def seconds_waited(event: Mapping[str, Any], now: float) -> Iterator[float]:
    """Yield for each message of Lambda's event of a queue how long ago it was first sent, in seconds.

    Args:
        event: the event; a record without ``SentTimestamp`` is left out.
        now: the time in epoch seconds.
    """
    for record in event["Records"]:
        sent = record.get("attributes", {}).get("SentTimestamp")
        if sent is not None:
            yield max(0.0, now - int(sent) / 1000)
