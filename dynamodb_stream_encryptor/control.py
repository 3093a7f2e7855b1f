"""Asks the control function: one JSON event, one JSON answer."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import Interrupted, Unreachable
from dynamodb_stream_encryptor.local_stack import STOPPED
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.refusals import refusal
from dynamodb_stream_encryptor.service_errors import explained
from dynamodb_stream_encryptor.target import Target
from dynamodb_stream_encryptor.waiting import waiting

Answer = Mapping[str, Any]

_PASSING: Final = ("TransientError", "Sandbox.Timedout")
"""What the control function raises, or Lambda in its place, that may be over a moment later."""

_MESSAGE_LIMIT: Final = 300  # Characters of a failed function's own message: it may be a whole trace.


class Control:
    """The control function of one stack."""

    def __init__(self, target: Target, output: Output) -> None:
        """Take the stack, and where it is said that an answer takes long; nothing is asked yet."""
        self._target = target
        self._output = output
        self._function = target.control_function
        self._lambda = target.lambda_client()

    def ask(self, command: str, **fields: Any) -> Answer:
        """Return the answer to a command that changes and reveals nothing.

        Raises:
            NotAsItShouldBe: what is asked for is there, and broken.
            UsageError: the function calls the request wrong.
            NotFound: the stack has nothing of that name.
            Refused: the function refuses.
            Unreachable: there is no answer.
        """
        return self._send({"command": command, **fields})

    def act(self, command: str, **fields: Any) -> Answer:
        """Return the answer to a command that is audited; it carries who asks.

        Raises:
            CliError: as for :meth:`ask`.
        """
        return self._send({"command": command, **fields, "by": self._target.who})

    def _send(self, event: Mapping[str, Any]) -> Answer:
        doing = "invoking the control function"
        try:
            with self._waiting(event["command"]):
                response = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
                payload = response["Payload"].read()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if self._target.is_local and code == STOPPED:
                raise _local_stack_gone() from None
            if code == "ResourceNotFoundException":
                raise Unreachable(
                    f"The control function {self._function} of the stack {self._target.name} does not exist.",
                    "no-control-function",
                ) from None
            raise explained(error, doing) from error
        except BotoCoreError as error:
            if self._target.is_local:
                raise _local_stack_gone() from error
            raise explained(error, doing) from error
        answer = _understood(payload, "FunctionError" in response, self._function)
        if "error" in answer:
            # What a dry run refuses, it refuses as the command itself would.
            raise refusal(answer["error"], event.get("of", event["command"]), self._target.options)
        return answer

    def _waiting(self, command: str) -> AbstractContextManager[None]:
        # Whoever follows a sweep sees it move, or stand still, by other means.
        return nullcontext() if command == "sweep" else waiting(self._output, command)


def _local_stack_gone() -> Unreachable:
    return Unreachable(
        "The local stack does not answer: it was stopped, or killed, and nothing that it stored is kept. Start it: "
        "`python -m local up`.",
        "no-local-stack",
    )


def _understood(payload: bytes, failed: bool, function: str) -> Answer:
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unreachable(f"The control function {function} did not answer with a JSON object.", "unexpected-answer")
    if failed:
        kind, text = answer.get("errorType"), str(answer.get("errorMessage") or "").split("\n")[0]
        what = ": ".join(filter(None, [kind, text[:_MESSAGE_LIMIT]])) or "no reason given"
        passing = Interrupted if kind in _PASSING else Unreachable
        raise passing(f"The control function {function} failed: {what}. Its log says more.", "function-failed")
    return answer
