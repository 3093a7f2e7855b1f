"""Why the reader refuses a request, beside what every function behind the HTTP API refuses.

::

    http_api.errors.Refused
    ├── NotPermitted        403   somebody stands behind the request, but must not use this API
    └── NoSuchSession       404   there is none, or it is somebody else's
"""

from http_api.errors import Refused


class NotPermitted(Refused):
    """The request carries an identity that must not use this API.

    Attributes:
        who: the identity, for the audit line.
    """

    status = 403
    result = "denied"

    def __init__(self, who: str) -> None:
        super().__init__("This identity may not use sessions.")
        self.who = who


class NoSuchSession(Refused):
    """The caller has no session of that id."""

    status = 404
    result = "not-found"

    def __init__(self) -> None:
        super().__init__("There is no such session.")
