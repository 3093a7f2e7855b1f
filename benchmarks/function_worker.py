"""A function's handler in a process of its own.

    python -m benchmarks.function_worker stream_encryptor.handler.lambda_handler

Reads an event a line, as ``{"event": {…}}``, and answers each with a line: what the invocation returned, its time, its
processor time, the requests that it sent to DynamoDB, and the most memory that the process has had so far. What the
handler prints is thrown away.
"""

import json
import os
import re
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import boto3

from benchmarks.worker import Requests, processor_seconds

_MEMORY: Final = re.compile(r"VmHWM:\s+(\d+) kB")
_CONTEXT: Final = SimpleNamespace(
    aws_request_id="request-1",
    function_name="bench",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:111122223333:function:bench",
    get_remaining_time_in_millis=lambda: 120_000,
)


def peak_bytes() -> int:
    """Return the most memory that this process has had.

    Linux's ``ru_maxrss`` begins with what the process that started this one had, so its own mark is read there.
    """
    status = Path("/proc/self/status")
    found = _MEMORY.search(status.read_text(encoding="ascii")) if status.exists() else None
    if found is not None:
        return int(found[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    boto3.setup_default_session()
    requests = Requests()
    # A session's listeners are those of every client that it makes.
    boto3._get_default_session().events.register("before-send.dynamodb", requests.sent)
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(import_module(module), name)
    for line in sys.stdin:
        event = json.loads(line)["event"]
        sent, used, started = requests.count, processor_seconds(), time.perf_counter()
        returned: Any = handler(event, _CONTEXT)
        answer = {
            "returned": returned,
            "seconds": time.perf_counter() - started,
            "processorSeconds": processor_seconds() - used,
            "requests": requests.count - sent,
            "peakBytes": peak_bytes(),
        }
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
