"""What the reader says where something is wrong, beside what every function behind the HTTP API says.

::

    http_api.errors.Refused
    ├── BeyondComparison    400   it has more attributes than If-Match can compare in one write
    ├── NoSuchSession       404   there is none, or it is somebody else's
    ├── NotShownEncrypted   409   no client can decrypt what is stored
    ├── NotTakenEncrypted   409   values are to be sent in the clear, for now
    └── PreconditionFailed  412   it is not, or not any more, what the request names
"""

from typing import Final

from http_api.errors import BadRequest, Refused
from http_api.responses import UNEXPECTED, Sentences
from item_crypto.errors import InvalidRequest, ItemTooLarge, PermanentError, TenantShredded

SENTENCES: Final[Sentences] = {
    ItemTooLarge: (413, "The session would be larger than 400 KB."),
    # All that a caller learns of a failed decryption; the audit line has the detail.
    PermanentError: (500, "The session could not be decrypted."),
    InvalidRequest: UNEXPECTED,
    TenantShredded: (409, "The key of this user was destroyed on purpose: nothing is stored any more."),
}


class BeyondComparison(BadRequest):
    """The session has more attributes than one condition of DynamoDB's can name, so no write can rest on all of them.

    A condition on some of them would let a change of the others pass: that is what If-Match is there to prevent.
    """

    def __init__(self) -> None:
        super().__init__(
            "If-Match",
            "the session has too many attributes (about 150) to be compared; without it the last writer wins",
        )


class NoSuchSession(Refused):
    """The caller has no session of that id."""

    status = 404
    result = "not-found"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class NotShownEncrypted(Refused):
    """A session is asked for as it is stored where each tenant has a key of its own: no client could decrypt it."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Sessions are not shown encrypted: each tenant has a key of its own.")


class NotTakenEncrypted(Refused):
    """A ciphertext is sent where none is stored that a client made: encryption is off, messages are signed, or keys are
    the tenants' own.
    """

    status = 409

    def __init__(self) -> None:
        super().__init__("Values are not taken encrypted at present: send them in the clear.")


class PreconditionFailed(Refused):
    """The session is not what the request's condition names, or there is none, or there is one already."""

    status = 412
    result = "precondition-failed"

    def __init__(self) -> None:
        super().__init__("The session is not what If-Match or If-None-Match says.")
