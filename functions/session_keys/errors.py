"""What the function refuses, beside what every function behind the HTTP API does.

::

    http_api.errors.Refused
    ├── NoClientEncryption  409   a client is to encrypt nothing now
    └── BadRequest
        └── KeyRefused      400   the encrypted key is not for this user and session
"""

from http_api.errors import BadRequest, Refused


class NoClientEncryption(Refused):
    """What a client encrypted would not be stored: encryption is off, messages are signed, keys are the tenants'."""

    status = 409

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}: send the session in the clear.")


class KeyRefused(BadRequest):
    """The encrypted key is not one that was made for this user and session: no more is said, whatever is wrong."""

    def __init__(self) -> None:
        super().__init__("encryptedKey", "not a key of this user and session")
