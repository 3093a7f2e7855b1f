"""Asks the control function: one JSON event, one JSON answer, sent once.

::

    invoke ─┬─ an answer ─────────────────────────────────────▶ it
            ├─ {"error": {"code", "message"}} ────────────────▶ a refusal: ControlRefused, NotThere, Unusable
            ├─ not done: throttled, never sent ───────────────▶ TransientError
            ├─ nobody knows: time-out, a failure within ──────▶ OutcomeUnknown where the command changes something
            └─ it raised ─────────────────────────────────────▶ by the name of the class alone, never by its text

What is allowed is the control function's to say. This end has the closed list of what may be asked for at all.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from admin.errors import ControlRefused, NotThere, Unusable
from encryptor_runtime.clients import longest_call
from item_crypto.errors import ItemCryptoError, OutcomeUnknown, SystemicError, TransientError
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_CONNECT: Final = 2  # Seconds.
_READ: Final = 16

CALL_SECONDS: Final = longest_call(_CONNECT, _READ, attempts=1)
"""For how long a command is waited for at most: API Gateway ends a request after 30 seconds."""

WORK_SECONDS: Final = 10
"""For how long a command may begin work that it can leave for the next time."""

CONTROL_CONFIG: Final = Config(
    connect_timeout=_CONNECT,
    read_timeout=_READ,
    # Once: an invocation whose answer is lost may have done its work.
    retries={"mode": "standard", "total_max_attempts": 1},
)

VIA: Final = "admin-api"
"""By which way the commands came, for the control function's audit lines."""

_NOT_DONE: Final = (
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "ProxyConnectionError",
    "ThrottlingException",
    "TooManyRequestsException",
)
_PASSING: Final = ("TransientError", "OutcomeUnknown", "KeyNotReady", "Sandbox.Timedout")
"""What the control function raises, or Lambda in its place, that may pass."""

_MAX_MESSAGE: Final = 300


class Command(Enum):
    """What can be asked for: no item, and no value of one."""

    STATUS = "status"
    CONFIG = "config"
    SET_CONFIG = "set-config"
    START = "start"
    SWEEP = "sweep"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SET_RATE = "set-rate"
    FAILURES = "failures"
    REDRIVE = "redrive"
    DISCARD = "discard"
    ACTIONS = "actions"
    REPORT = "report"
    BRANCH_KEYS = "branch-keys"
    MAKE_BRANCH_KEY = "make-branch-key"
    ROTATE_BRANCH_KEY = "rotate-branch-key"
    SHRED_TENANT = "shred-tenant"

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that one without an answer may have been carried out."""
        return self not in _SHOWING


_SHOWING: Final = (
    Command.STATUS,
    Command.CONFIG,
    Command.SWEEP,
    Command.FAILURES,
    Command.ACTIONS,
    Command.REPORT,
    Command.BRANCH_KEYS,
)


@dataclass(frozen=True)
class Control:
    """The control function.

    Attributes:
        functions: a boto3 Lambda client that sends each request once (``CONTROL_CONFIG``).
        name: the function's name or ARN.
    """

    functions: "LambdaClient"
    name: str

    def ask(self, command: Command, by: str, **fields: Any) -> dict[str, Any]:
        """Have a command carried out for the user ``by`` and return the answer; fields that are None are left out.

        Raises:
            ControlRefused: the control function refuses it; nothing was changed.
            OutcomeUnknown: it changes something, and may have done so.
            TransientError, SystemicError: there is no answer, and nothing was changed.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        event = {**given, "command": command.value, "by": by, "via": VIA}
        try:
            with translated("lambda"):
                response = self.functions.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
                payload = response["Payload"].read()
        except TransientError as error:
            if command.changes and error.code not in _NOT_DONE:
                raise OutcomeUnknown("lambda", error.code) from None
            raise
        answer = _document(payload)
        if "FunctionError" in response:
            raise _failure(command, answer)
        if "error" in answer:
            raise _refusal(answer["error"])
        return answer


def _document(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise SystemicError("control", "unexpected-answer")
    return answer


def _failure(command: Command, document: Mapping[str, Any]) -> ItemCryptoError:
    """Return the error for what the function raised. Its text may quote anything, so only the class's name is used."""
    kind = str(document.get("errorType"))
    kind = kind if re.fullmatch(r"[A-Za-z.]{1,60}", kind) else "unknown"
    if kind not in _PASSING:
        return SystemicError("control", kind)
    return OutcomeUnknown("control", kind) if command.changes else TransientError("control", kind)


def _refusal(error: Mapping[str, Any]) -> ControlRefused:
    """Return the refusal; its sentence is one that the control function has for operators, and quotes no item."""
    code, message = str(error["code"]), str(error["message"])[:_MAX_MESSAGE]
    members = {name: error[name] for name in ("field", "sweep", "version") if name in error}
    kind = {"not-found": NotThere, "invalid-request": Unusable}.get(code, ControlRefused)
    return kind(message, code, **members)
