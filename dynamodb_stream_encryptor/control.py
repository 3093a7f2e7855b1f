"""Asks the control function: one JSON event, one JSON answer."""

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import CliError, NotAsItShouldBe, Refused, Unreachable, UsageError
from dynamodb_stream_encryptor.service_errors import explained
from dynamodb_stream_encryptor.target import Target

Answer = Mapping[str, Any]

_REFUSALS: Final = {"conflict", "forbidden-by-setting", "mapping-not-enabled", "stopped"}
_WRONG_REQUESTS: Final = {"ambiguous", "invalid-request", "not-found"}
_MESSAGE_LIMIT: Final = 300  # Characters of a failed function's own message: it may be a whole trace.


class Control:
    """The control function of one stack."""

    def __init__(self, target: Target) -> None:
        """Take the stack; nothing is asked yet."""
        self._target = target
        self._function = target.control_function
        self._lambda = target.lambda_client()

    def ask(self, command: str, **fields: Any) -> Answer:
        """Return the answer to a command that changes and reveals nothing.

        Raises:
            NotAsItShouldBe: what is asked for is there, and broken.
            UsageError: the function calls the request wrong, or what it names unknown.
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
            response = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
            payload = response["Payload"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                raise Unreachable(
                    f"The control function {self._function} of the stack {self._target.name} does not exist.",
                    "no-control-function",
                ) from None
            raise explained(error, doing) from error
        except BotoCoreError as error:
            failure = explained(error, doing)
            if self._target.is_local:
                failure.message = (
                    "The local stack does not answer. Is it still running, or was it killed? Start it: "
                    "`python -m local up`."
                )
            raise failure from error
        return _understood(payload, "FunctionError" in response, self._function)


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
        raise Unreachable(f"The control function {function} failed: {what}. Its log says more.", "function-failed")
    if "error" in answer:
        raise _refusal(answer["error"])
    return answer


def _refusal(error: Any) -> CliError:
    details = error if isinstance(error, dict) else {}
    code, message = str(details.get("code", "unknown")), str(details.get("message", "no reason given"))
    if code == "undecryptable":
        return NotAsItShouldBe(message, code)
    if code in _REFUSALS:
        return Refused(message, code)
    if code in _WRONG_REQUESTS:
        return UsageError(message, code)
    return Unreachable(message, code)
