"""What the admin function says where something is wrong, beside what every function behind the HTTP API says.

::

    http_api.errors.Refused
    ├── Conflict            409   somebody else changed the setting first
    └── ControlRefused      409   the control function does not do it as things are
        ├── NotThere        404   it does not know the sweep or the dead letter
        └── Unusable        400   it cannot use a field
"""

from typing import Any, Final

from http_api.errors import Refused
from http_api.responses import Sentences
from item_crypto.errors import TransientError

SENTENCES: Final[Sentences] = {
    # The setting may have been changed all the same.
    TransientError: (503, "Try again in a moment, after looking how things stand."),
    Exception: (500, "Something went wrong; look how things stand before you try again."),
}


class Conflict(Refused):
    """The setting is at another version than the caller has seen."""

    status = 409
    result = "conflict"

    def __init__(self, version: int) -> None:
        super().__init__("The setting is not, or no longer, at the version given; read it again.", version=version)


class ControlRefused(Refused):
    """The control function refuses the command; nothing was changed.

    Attributes:
        code: its fixed kebab-case word.
    """

    status = 409

    def __init__(self, message: str, code: str, **members: Any) -> None:
        super().__init__(message, code=code, **members)
        self.code = code


class NotThere(ControlRefused):
    """The control function does not know what the command names."""

    status = 404


class Unusable(ControlRefused):
    """The control function cannot use a field of the command."""

    status = 400
