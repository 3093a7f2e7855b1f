"""A session is read through the HTTP API's function: for the first time, and again."""

import json
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.parties import ROOT, Kms, create_control_table, create_table, engine, fill, function, stored
from benchmarks.spread import Spread
from item_crypto.core.codec import item_size

HANDLER: Final = "reader.handler.lambda_handler"
_ENCRYPTOR: Final = "stream_encryptor.handler.lambda_handler"


def measure(items: Sequence[dict[str, Any]], kms: Kms) -> dict[str, Any]:
    """Encrypt ``items`` by the stream's function, read each twice, and return an entry of results.json's ``reads``.

    The first item is for warming up, and does not count.

    Raises:
        RuntimeError: a function ended, or did not answer as it should.
    """
    with engine() as (url, dynamodb):
        create_table(dynamodb)
        create_control_table(dynamodb)
        fill(dynamodb, items)
        encrypt(items, url, kms)
        sizes = {item["sessionId"]["S"]: item_size(item) for item in stored(dynamodb)}
        first, again = [], []
        with function(HANDLER, url, kms.url) as reader:
            for item in items:
                first.append(_read(reader, item, kms))
                again.append(_read(reader, item, kms))
    return {
        "items": len(items) - 1,
        "plainBytes": sum(map(item_size, items)) / len(items),
        "storedBytes": sum(sizes.values()) / len(sizes),
        "first": _summed_up(first[1:]),
        "repeated": _summed_up(again[1:]),
    }


def encrypt(items: Sequence[dict[str, Any]], url: str, kms: Kms) -> dict[str, Any]:
    """Have the stream's function encrypt ``items`` in one invocation, and return what that took."""
    with function(_ENCRYPTOR, url, kms.url) as encryptor:
        at_rest = encryptor.ask(event=stream_event([]))
        taken = encryptor.ask(event=stream_event(items))
    if taken["returned"] != {"batchItemFailures": []}:
        raise RuntimeError("the stream's function did not encrypt every item")
    return taken | {"startedBytes": at_rest["peakBytes"]}


def stream_event(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return Lambda's event of the stream for new items: keys only, as the template's table has it."""
    template = json.loads((ROOT / "events/stream-keys-only.json").read_text(encoding="utf-8"))["Records"][0]
    return {
        "Records": [
            template
            | {
                "eventID": f"event-{number}",
                "dynamodb": template["dynamodb"]
                | {
                    "Keys": {name: item[name] for name in ("sessionId", "userId")},
                    "SequenceNumber": str(10**20 + number),
                },
            }
            for number, item in enumerate(items)
        ]
    }


def _read(reader: Any, item: dict[str, Any], kms: Kms) -> dict[str, Any]:
    calls = kms.calls()
    taken: dict[str, Any] = reader.ask(event=_get_event(item))
    if taken["returned"]["statusCode"] != 200:
        raise RuntimeError(f"the reader answered {taken['returned']['statusCode']}")
    return taken | {"kmsCalls": kms.calls() - calls}


def _get_event(item: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events/api-get-session.json").read_text(encoding="utf-8"))
    session = item["sessionId"]["S"]
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/session/{session}"
    event["pathParameters"] = {"sessionId": session}
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = item["userId"]["S"]
    return event


def _summed_up(taken: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "milliseconds": Spread.of([1000 * one["seconds"] for one in taken]).as_json(),
        "cpuMilliseconds": Spread.of([1000 * one["processorSeconds"] for one in taken]).as_json(),
        "kmsCalls": sum(one["kmsCalls"] for one in taken) / len(taken),
        "dynamodbRequests": sum(one["requests"] for one in taken) / len(taken),
    }
