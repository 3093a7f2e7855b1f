"""Why a request is refused, as classes that each stand for one answer.

::

    Refused
    ├── BadRequest          400   a field of the request is unusable
    ├── NotIdentified       401   nobody, or nobody usable, stands behind the request
    ├── NoSuchRoute         404   the API has no such method and path
    └── NotJson             415   the body is no JSON document

Each function adds what only it refuses. What goes wrong behind a request is an ``item_crypto.ItemCryptoError``. No
message of these classes quotes a value.
"""

from typing import ClassVar, Final

MAX_PLACE: Final = 200
"""Characters of a field's place that an answer names: member names are the caller's and have no bound."""


class Refused(Exception):
    """A request that is answered with an error of its own.

    Attributes:
        message: a sentence for the caller.
        field: the name of the field that is wrong, or None.
    """

    status: ClassVar[int]
    result: ClassVar[str] = "refused"
    """What an audit line calls it."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadRequest(Refused):
    """A field of the request is missing, malformed, unknown or out of its range."""

    status = 400

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}.", field)


class NotIdentified(Refused):
    """The request carries no identity, or one that cannot name a user."""

    status = 401
    result = "denied"

    def __init__(self) -> None:
        super().__init__("The request carries no usable identity.")


class NoSuchRoute(Refused):
    """The API has no such method and path."""

    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such route.")


class NotJson(Refused):
    """The body is announced as something else than JSON."""

    status = 415

    def __init__(self) -> None:
        super().__init__("The body must be application/json.")
