"""What users have granted, and what stands for it on the way: requests, codes and refresh tokens, each good once."""

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from local.issuer.requests import AuthorizationRequest

REQUEST_LIFETIME: Final = 600
"""Seconds that a user may take to say who they are."""

CODE_LIFETIME: Final = 60
"""Seconds within which a client has to redeem its code."""

REFRESH_LIFETIME: Final = 12 * 3600
"""Seconds that a refresh token lives."""

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, section 4.1.

Clock = Callable[[], float]
T = TypeVar("T")


class InvalidGrantError(Exception):
    """A code or refresh token that is unknown, used, expired, revoked, or somebody else's; or an unknown request."""


class UsedTwiceError(InvalidGrantError):
    """A code or refresh token that was good once: one of the two who used it is not the client."""

    def __init__(self, value: object) -> None:
        """Take what it stood for."""
        super().__init__("used before")
        self.value = value


@dataclass(frozen=True)
class Grant:
    """Who somebody said to be, to which request.

    Attributes:
        id: names it in tokens (`sid`); everything that was issued for it ends with it.
        user: the user.
        admin: whether the user is an administrator.
        time: when they said so, in epoch seconds.
        request: what the client asked for.
    """

    id: str
    user: str
    admin: bool
    time: int
    request: AuthorizationRequest


class Tickets(Generic[T]):
    """Values behind names that nobody can guess, each good once and for a while."""

    def __init__(self, lifetime: float, clock: Clock) -> None:
        """Take the lifetime in seconds."""
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, T]] = {}
        self._used: set[str] = set()

    def issue(self, value: T) -> str:
        """Return a name for a value."""
        name, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            for expired in [old for old, (end, _) in self._values.items() if end <= now]:
                del self._values[expired]
                self._used.discard(expired)
            self._values[name] = (now + self._lifetime, value)
        return name

    def take(self, name: str) -> T:
        """Return the value; raise `UsedTwiceError` the second time, `InvalidGrantError` where there is none."""
        with self._lock:
            end, value = self._values.get(name, (0.0, None))
            if value is None or end <= self._clock():
                raise InvalidGrantError("unknown or expired")
            if name in self._used:
                raise UsedTwiceError(value)
            self._used.add(name)
            return value


class Grants:
    """All that this issuer remembers, in memory."""

    def __init__(self, clock: Clock = time.time) -> None:
        """Take what tells the time, in epoch seconds."""
        self._clock = clock
        self._requests = Tickets[AuthorizationRequest](REQUEST_LIFETIME, clock)
        self._codes = Tickets[Grant](CODE_LIFETIME, clock)
        self._refresh_tokens = Tickets[Grant](REFRESH_LIFETIME, clock)
        self._ended: set[str] = set()

    def ask(self, request: AuthorizationRequest) -> str:
        """Return what the user's answer has to name: no other page can answer for them."""
        return self._requests.issue(request)

    def asked(self, name: str) -> AuthorizationRequest:
        """Return the request that the user answers."""
        return self._requests.take(name)

    def grant(self, request: AuthorizationRequest, user: str, *, admin: bool) -> str:
        """Return the code that stands for what the user granted."""
        return self._codes.issue(Grant(uuid.uuid4().hex, user, admin, int(self._clock()), request))

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> Grant:
        """Return what a code stands for. It is good no more, whether that succeeds or not."""
        grant = self._once(self._codes, code)
        if redirect_uri != grant.request.redirect_uri or not _matches(verifier, grant.request.challenge):
            raise InvalidGrantError("another redirect_uri or code_verifier")
        return grant

    def refresh_token(self, grant: Grant) -> str:
        """Return a refresh token."""
        return self._refresh_tokens.issue(grant)

    def refresh(self, token: str) -> Grant:
        """Return what a refresh token stands for. It is good no more."""
        return self._once(self._refresh_tokens, token)

    def end(self, grant_id: str) -> None:
        """Have no refresh token be good any more that was issued for a grant."""
        self._ended.add(grant_id)

    def _once(self, tickets: Tickets[Grant], name: str) -> Grant:
        try:
            grant = tickets.take(name)
        except UsedTwiceError as error:
            if isinstance(error.value, Grant):
                self.end(error.value.id)
            raise
        if grant.id in self._ended:
            raise InvalidGrantError("revoked")
        return grant


def _matches(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
