"""What the control function refuses, in the command's words: an exit code, and options as they are typed.

The control function answers whoever asks, the admin page and the API too, so its sentence names no option of a command.
What helps here is added here::

    {"code": "conflict", "message": "Another sweep runs: S (encrypt, running).", "sweep": "S"}     the answer
    Another sweep runs: S (encrypt, running). `stream-encryptor watch S --local` follows it, …     what is shown
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from dynamodb_stream_encryptor.errors import CliError, NotAsItShouldBe, NotFound, Refused, Unreachable, UsageError

_KINDS: Final[Mapping[str, type[CliError]]] = {
    "undecryptable": NotAsItShouldBe,
    "conflict": Refused,
    "forbidden-by-setting": Refused,
    "mapping-not-enabled": Refused,
    "no-branch-keys": Refused,
    "no-tenants": Refused,
    "still-readable": Refused,
    "tenant-shredded": Refused,
    "under-earlier-key": Refused,
    "stopped": Refused,
    "ambiguous": UsageError,
    "invalid-request": UsageError,
    "not-found": NotFound,
}

OPTIONS: Final[Mapping[str, str]] = {
    "backups": "--backup",
    "id": "ID",
    "key": "KEY",
    "max": "--max",
    "mayBeAbsent": "--may-be-absent",
    "name": "--output",
    "olderThanDays": "--older-than",
    "part": "--keys",
    "rate": "--rate",
    "reason": "--reason",
    "segments": "--segments",
    "sweep": "SWEEP",
    "tenant": "TENANT",
}
"""How what the request calls a field is typed. Those that are missing are none of the operator's making."""


def refusal(error: Any, command: str, options: str) -> CliError:
    """Return the error for a refusal of the control function.

    Args:
        error: the member `error` of its answer.
        command: the command that it was asked to carry out.
        options: what names the stack, as typed.
    """
    details = dict(error) if isinstance(error, dict) else {}
    code, message = str(details.pop("code", "unknown")), str(details.pop("message", "no reason given"))
    shown = " ".join([_as_typed(message, details), *_what_helps(code, details, command, options)])
    return _KINDS.get(code, Unreachable)(message, code, details=details, shown=shown)


def _as_typed(message: str, details: Mapping[str, Any]) -> str:
    """Return the sentence with the option in the place of the field that it begins with."""
    field = str(details.get("field", ""))
    option = OPTIONS.get(re.split(r"[\[.]", field)[0])
    return option + message.removeprefix(field) if option and message.startswith(f"{field} ") else message


def _what_helps(code: str, details: Mapping[str, Any], command: str, options: str) -> list[str]:
    forcible = command == "start"
    match code:
        case "conflict" if other := details.get("sweep"):
            beside = "; --force starts beside it" if forcible else ""
            return [
                f"`stream-encryptor watch {other} {options}` follows it, `stream-encryptor cancel {other} {options}` "
                f"ends it{beside}."
            ]
        case "still-readable":
            return [
                f"`stream-encryptor migrate {options}`, and then `stream-encryptor re-encrypt {options}`, bring them "
                "under the branch key."
            ]
        case "mapping-not-enabled" if forcible:
            return ["--force starts all the same."]
    return []
