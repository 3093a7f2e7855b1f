"""Runs inside a function's process: imports the handler, then answers one invocation after the other.

Started as `python -P function_worker.py FD HANDLER`; FD is a socket to the stack. A line of JSON comes in for
each invocation, a line goes out. When the socket closes, the stack is gone, and so is this process, even in
mid-handler. This file imports nothing of the project but the handler, which finds its modules through
PYTHONPATH alone.
"""

import importlib
import json
import logging
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any, "Context"], Any]


class Context:
    """The part of Lambda's context object that does not need AWS."""

    def __init__(self, request_id: str, deadline: float, function_arn: str) -> None:
        """Take the id of the request and when it times out, in epoch seconds."""
        self.aws_request_id = request_id
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.invoked_function_arn = function_arn
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the function is stopped."""
        return max(0, int((self._deadline - time.time()) * 1000))


def load_handler(name: str) -> Handler:
    """Import `package.module.function`."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def failure(error: BaseException) -> dict[str, Any]:
    """Return an exception as Lambda reports it, and log it as Lambda does."""
    print(f"[ERROR] {type(error).__name__}: {error}", file=sys.stderr)
    traceback.print_exception(error, file=sys.stderr)
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def serve(connection: socket.socket, handler_name: str) -> None:
    """Load the handler, report how that went, and answer invocations until the connection closes."""
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def receive() -> None:
        try:
            with connection.makefile("rb") as lines:
                for line in lines:
                    requests.put(line)
        finally:
            # The stack is gone. Where it left something unread, the connection is not closed but reset, which raises.
            os._exit(0)

    def send(message: dict[str, Any]) -> None:
        connection.sendall(json.dumps(message).encode() + b"\n")

    threading.Thread(target=receive, daemon=True).start()
    try:
        handler = load_handler(handler_name)
    except Exception as error:  # noqa: BLE001 - whatever the function's import raises is the answer
        send({"error": failure(error)})
        return
    send({})
    while True:
        request = json.loads(requests.get())
        context = Context(request["requestId"], request["deadline"], request["functionArn"])
        print(f"START RequestId: {context.aws_request_id}", flush=True)
        try:
            answer = {"payload": handler(request["event"], context)}
            json.dumps(answer)
        except Exception as error:  # noqa: BLE001 - whatever the handler raises is the answer
            answer = {"error": failure(error)}
        print(f"END RequestId: {context.aws_request_id}", flush=True)
        send(answer)


if __name__ == "__main__":
    logging.basicConfig(format="[%(levelname)s] %(asctime)s %(name)s %(message)s", level=logging.WARNING)
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
