"""An authorization request, checked: by whom, back to where, and with which challenge. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

_LOOPBACK: Final = r"http://127\.0\.0\.1:[0-9]{1,5}"
_ORIGIN: Final = re.compile(_LOOPBACK)
_REDIRECT_URI: Final = re.compile(_LOOPBACK + r"(|/|/admin)")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url without padding.
_MOST: Final = 2048


class UntrustedRequestError(Exception):
    """Not from the client, or not back to it: the user is told, and sent nowhere."""


class AuthorizationRefusedError(Exception):
    """What the client asks for is not given; it is told so.

    Attributes:
        location: where the user is sent, with the error.
    """

    def __init__(self, redirect_uri: str, state: str | None, code: str, description: str) -> None:
        """Take where the client waits, what it calls this, and OAuth's name of the error."""
        super().__init__(f"{code}: {description}")
        self.location = _with_query(redirect_uri, error=code, error_description=description, state=state)


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the client asks for.

    Attributes:
        redirect_uri: where the code is sent.
        scope: scopes, with spaces between them.
        state: goes back to the client as it came.
        nonce: goes into the ID token as it came.
        challenge: the hash of what the client has to show with the code.
        login_hint: who the client thinks it is.
    """

    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    challenge: str
    login_hint: str

    def location(self, code: str) -> str:
        """Return where the user is sent with a code."""
        return _with_query(self.redirect_uri, code=code, state=self.state)

    def denied(self) -> AuthorizationRefusedError:
        """Return the error for a user who does not want to."""
        return AuthorizationRefusedError(self.redirect_uri, self.state, "access_denied", "The user cancelled.")


def is_page(origin: str) -> bool:
    """Tell whether an origin is a page's on this machine, which may read metadata, keys and tokens."""
    return _ORIGIN.fullmatch(origin) is not None


def is_redirect_uri(uri: str) -> bool:
    """Tell whether users may be sent there: to the admin page, or to the root of a page, on any port (RFC 8252)."""
    return _REDIRECT_URI.fullmatch(uri) is not None


def read_request(parameters: MultiDict[str, str], client_id: str) -> AuthorizationRequest:
    """Return the request in the parameters of `/authorize`.

    Raise `UntrustedRequestError` where the client or the address is another, else `AuthorizationRefusedError`.
    """
    redirect_uri = parameters.get("redirect_uri", "")
    if parameters.getlist("client_id") != [client_id]:
        raise UntrustedRequestError("client_id is not the one that this issuer knows.")
    if len(parameters.getlist("redirect_uri")) != 1 or not is_redirect_uri(redirect_uri):
        raise UntrustedRequestError("redirect_uri must be http://127.0.0.1:PORT/ or http://127.0.0.1:PORT/admin.")
    state, scope = parameters.get("state"), parameters.get("scope", "")
    challenge = parameters.get("code_challenge", "")
    repeated = [name for name in parameters if len(parameters.getlist(name)) > 1]
    rules = (
        (not repeated, "invalid_request", "A parameter is given twice."),
        (all(len(value) <= _MOST for value in parameters.values()), "invalid_request", "A parameter is too long."),
        (parameters.get("response_type") == "code", "unsupported_response_type", "response_type must be code."),
        (parameters.get("response_mode", "query") == "query", "invalid_request", "response_mode must be query."),
        (parameters.get("code_challenge_method") == "S256", "invalid_request", "code_challenge_method must be S256."),
        (_CHALLENGE.fullmatch(challenge), "invalid_request", "code_challenge must be a SHA-256 hash in base64url."),
        ("openid" in scope.split(), "invalid_scope", "scope must contain openid."),
        (parameters.get("prompt") != "none", "login_required", "The user has to say who they are, each time."),
    )
    for holds, code, description in rules:
        if not holds:
            raise AuthorizationRefusedError(redirect_uri, None if "state" in repeated else state, code, description)
    return AuthorizationRequest(
        redirect_uri=redirect_uri,
        scope=scope,
        state=state,
        nonce=parameters.get("nonce"),
        challenge=challenge,
        login_hint=parameters.get("login_hint", ""),
    )


def _with_query(uri: str, **parameters: str | None) -> str:
    return f"{uri}?{urlencode({name: value for name, value in parameters.items() if value is not None})}"
