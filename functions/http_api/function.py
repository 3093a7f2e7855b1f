"""An event in, a response out, whatever goes wrong on the way.

::

    event ── compose ──▶ audited ──▶ identify ──▶ routes ──▶ response
                │           │            │           │
                └───────────┴── error ───┴───────────┴─────▶ error_response
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from encryptor_runtime.telemetry import Telemetry, log_failed_start
from http_api.audit import NO_ROUTE, audit_failed_start, audited, told_in_time
from http_api.errors import NotPermitted
from http_api.responses import Sentences, error_response, secured
from http_api.routes import Call, Router
from item_crypto.errors import ItemCryptoError


class Parts(Protocol):
    """What a function is put together from, as far as every one of them needs it."""

    @property
    def telemetry(self) -> Telemetry:
        """Where the function logs, counts and audits."""

    def invocation(self, context: Any) -> AbstractContextManager[None]:
        """Name the invocation in every line within, and write its metrics at the end, whatever happens."""


P = TypeVar("P", bound=Parts)


@dataclass(frozen=True)
class Function(Generic[P]):
    """A function behind the HTTP API.

    Attributes:
        name: the function's name in logs, where it cannot start.
        compose: returns the parts, put together once a process; an ItemCryptoError says why they cannot be.
        routes: the router with the function's routes.
        operations: what audit lines call the operation of each route (``"GET /session"``).
        identify: takes the event, the operation and the parts; returns the user's id, or raises NotIdentified or
            NotPermitted.
        sentences: what callers are told of errors, where it is not what all functions tell.
    """

    name: str
    compose: Callable[[], P]
    routes: Router[P]
    operations: Mapping[str, str]
    identify: Callable[[Mapping[str, Any], str, P], str]
    sentences: Sentences = field(default_factory=dict)

    def serve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Return the response to ``event``, both of payload format 2.0; every error has a response of its own."""
        try:
            with told_in_time(_seconds_left(context), lambda: self._audit_failed_start(event, context, None)):
                parts = self.compose()
        except ItemCryptoError as error:
            log_failed_start(self.name, error)
            self._audit_failed_start(event, context, error)
            return error_response(error, self.sentences)
        with parts.invocation(context):
            try:
                return secured(self._answer(event, context, parts))
            except Exception as error:  # noqa: BLE001 - whatever it is has a response, and is logged without its text
                return error_response(error, self.sentences)

    def _answer(self, event: Mapping[str, Any], context: Any, parts: P) -> dict[str, Any]:
        route = event.get("routeKey", "")
        route = route if route in self.operations else NO_ROUTE
        left = _seconds_left(context)
        with audited(parts.telemetry, self._operation(event), left, route, _request_id(event)) as line:
            try:
                # Before the body is looked at: whoever may not do this learns nothing of what it takes.
                line.who = self.identify(event, line.operation, parts)
            except NotPermitted as error:
                line.who = error.who
                raise
            return self.routes.answer(event, context, Call(parts, line))

    def _audit_failed_start(self, event: Mapping[str, Any], context: Any, error: ItemCryptoError | None) -> None:
        telemetry = Telemetry(self.name, key_arn="")
        telemetry.begin(context)
        audit_failed_start(telemetry, self._operation(event), _request_id(event), error)

    def _operation(self, event: Mapping[str, Any]) -> str:
        return self.operations.get(event.get("routeKey", ""), "unknown")


def _seconds_left(context: Any) -> float:
    return float(context.get_remaining_time_in_millis()) / 1000


def _request_id(event: Mapping[str, Any]) -> str | None:
    """Return API Gateway's id of the request, which the answer's header ``apigw-requestid`` and its access log have."""
    request_id: str | None = event["requestContext"].get("requestId")
    return request_id
