"""The router that each function adds its routes to.

Errors leave it as they are, but for what Powertools says of a request that does not fit its route: that is translated
here, so that nothing else needs to load Powertools' event handler. ``http_api.responses`` maps them all in one place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import Match
from typing import Any, Generic, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from typing_extensions import override  # In `typing` from Python 3.12 on.

from http_api.audit import AuditLine
from http_api.errors import MAX_PLACE, BadRequest, NoSuchRoute
from http_api.json_object import parse_object
from http_api.requests import routable

P = TypeVar("P")


@dataclass(frozen=True)
class Call(Generic[P]):
    """What a route works with: the function's parts, and the audit line, which says who calls and is to be filled in.

    Attributes:
        parts: the function's parts.
        line: the audit line of this request.
    """

    parts: P
    line: AuditLine


class Router(APIGatewayHttpResolver, Generic[P]):
    """Validates requests and calls the route of each.

    Args:
        parse: reads a body, which must be a JSON object.
    """

    def __init__(self, parse: Callable[[str], dict[str, Any]] = parse_object) -> None:
        # debug=False whatever the environment says: Powertools' debug mode prints whole events.
        super().__init__(enable_validation=True, debug=False, json_body_deserializer=parse)
        self.exception_handler(Exception)(_leave_as_it_is)
        self.not_found(_no_such_route)

    @property
    def call(self) -> Call[P]:
        """The call that is being answered."""
        call: Call[P] = self.context["call"]
        return call

    def answer(self, event: Mapping[str, Any], context: Any, call: Call[P]) -> dict[str, Any]:
        """Return the response to ``event``, both of payload format 2.0; errors leave as they are.

        Raises:
            BadRequest: the request does not fit its route.
        """
        request = routable(event)
        self.context["call"] = call
        try:
            return self.resolve(request, context)
        except RequestValidationError as error:
            raise _bad_request(error) from None  # It holds the input.

    @override
    def _convert_matches_into_route_keys(self, match: Match[str]) -> dict[str, str]:
        # What matched is the route's own template, see `routable`. Powertools' BedrockAgentResolver likewise takes the
        # parameters from the event.
        return self.current_event.path_parameters


def _leave_as_it_is(error: Exception) -> Response[str]:
    raise error


def _bad_request(error: RequestValidationError) -> BadRequest:
    # Of each error only the place and the rule are taken.
    first = error.errors()[0]
    source, *steps = first["loc"]
    return BadRequest((".".join(map(str, steps)) or str(source))[:MAX_PLACE], str(first["msg"]).lower())


def _no_such_route(_: Exception) -> Response[str]:
    raise NoSuchRoute
