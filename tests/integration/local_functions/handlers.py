"""Small functions that write down what they were given, and fail on request."""

import json
import os
import time
from pathlib import Path


def stream(event, context):
    keys = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    _write_down({"keys": keys, "records": event["Records"], "request": context.aws_request_id})
    poison = [record for record in event["Records"] if "poison" in record["dynamodb"]["Keys"]["id"]["S"]]
    match os.environ["MODE"] if poison else "accept":
        case "raise":
            raise ValueError("poison")
        case "report":
            return {"batchItemFailures": [{"itemIdentifier": _sequence(record)} for record in poison]}
        case "report-unknown":
            return {"batchItemFailures": [{"itemIdentifier": "1"}]}
        case "hang":
            time.sleep(60)
        case "exit":
            os._exit(3)
        case "raise-until-file" if not Path(f"{os.environ['RECORD_FILE']}.repaired").exists():
            raise ValueError("not repaired yet")
    return {"batchItemFailures": []}


def queue(event, context):
    bodies = [record["body"] for record in event["Records"]]
    _write_down({"bodies": bodies, "records": event["Records"]})
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "poison"
        ]
    }


def echo(event, context):
    if not isinstance(event, dict) or "routeKey" not in event:
        if event.get("raise"):
            raise LookupError(event["raise"])
        return {
            "event": event,
            "environment": dict(os.environ),
            "remaining": context.get_remaining_time_in_millis(),
            "arn": context.invoked_function_arn,
            "process": os.getpid(),
        }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}


def _sequence(record):
    return record["dynamodb"]["SequenceNumber"]


def _write_down(what):
    with open(os.environ["RECORD_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")
