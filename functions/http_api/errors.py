"""Why a request is refused, as classes that each stand for one answer.

::

    Refused
    ├── BadRequest          400   a field of the request is unusable
    ├── NotIdentified       401   nobody, or nobody usable, stands behind the request
    ├── NotPermitted        403   somebody stands behind the request, but must not do this
    ├── NoSuchRoute         404   the API has no such method and path
    ├── BodyTooLarge        413   the body is over 3 MB
    └── NotJson             415   the body is no JSON document

Each function adds what only it refuses. What goes wrong behind a request is an ``item_crypto.ItemCryptoError``. No
message of these classes quotes a value.
"""

from typing import Any, ClassVar, Final

MAX_PLACE: Final = 200
"""Characters of a field's place that an answer names: member names are the caller's and have no bound."""


class Refused(Exception):
    """A request that is answered with an error of its own.

    Attributes:
        message: a sentence for the caller.
        members: more members of the answer's body.
    """

    status: ClassVar[int]
    result: ClassVar[str] = "refused"
    """What an audit line calls it."""

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members = members


class BadRequest(Refused):
    """A field of the request is missing, malformed, unknown or out of its range.

    Attributes:
        field: the field's name.
    """

    status = 400

    def __init__(self, field: str, rule: str, **members: Any) -> None:
        super().__init__(f"{field}: {rule}.", field=field, **members)
        self.field = field


class NotIdentified(Refused):
    """The request carries no identity, or one that cannot name a user."""

    status = 401
    result = "denied"

    def __init__(self) -> None:
        super().__init__("The request carries no usable identity.")


class NotPermitted(Refused):
    """The request carries an identity that must not do what it asks for.

    Attributes:
        who: the identity, for the audit line.
    """

    status = 403
    result = "denied"

    def __init__(self, who: str, what: str) -> None:
        super().__init__(f"This identity may not {what}.")
        self.who = who


class NoSuchRoute(Refused):
    """The API has no such method and path."""

    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such route.")


class BodyTooLarge(Refused):
    """The body is larger than any request of use."""

    status = 413

    def __init__(self) -> None:
        super().__init__("The body is larger than 3 MB.")


class NotJson(Refused):
    """The body is announced as something else than JSON."""

    status = 415

    def __init__(self) -> None:
        super().__init__("The body must be application/json.")
