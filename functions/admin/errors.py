"""Why the admin function refuses a request, beside what every function behind the HTTP API refuses.

::

    http_api.errors.Refused
    └── NotPermitted        403   somebody stands behind the request, but must not do this

A setting that somebody else changed first is ``encryptor_runtime.switch.VersionConflict``, 409.
"""

from http_api.errors import Refused


class NotPermitted(Refused):
    """The request carries an identity that must not do this."""

    status = 403
    result = "denied"

    def __init__(self) -> None:
        super().__init__("This identity may not do this.")
