"""What the admin function says where something is wrong, beside what every function behind the HTTP API says.

::

    http_api.errors.Refused
    └── Conflict            409   somebody else changed the setting first
"""

from typing import Final

from http_api.errors import Refused
from http_api.responses import Sentences
from item_crypto.errors import TransientError

SENTENCES: Final[Sentences] = {
    # The setting may have been changed all the same.
    TransientError: (503, "Try again in a moment, after reading the setting."),
    Exception: (500, "Something went wrong; read the setting to see how it is."),
}


class Conflict(Refused):
    """The setting is at another version than the caller has seen."""

    status = 409
    result = "conflict"

    def __init__(self, version: int) -> None:
        super().__init__("The setting is not, or no longer, at the version given; read it again.", version=version)
