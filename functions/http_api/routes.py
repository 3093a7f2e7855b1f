"""The router that each function adds its routes to.

Errors leave it as they are; each function maps them, all in one place.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from http_api.errors import NoSuchRoute


def router(parse_object: Callable[[str], dict[str, Any]]) -> APIGatewayHttpResolver:
    """Return a router that validates requests, whose bodies ``parse_object`` reads."""
    # debug=False whatever the environment says: Powertools' debug mode prints whole events.
    app = APIGatewayHttpResolver(enable_validation=True, debug=False, json_body_deserializer=parse_object)
    app.exception_handler(Exception)(_leave_as_it_is)
    app.not_found(_no_such_route)
    return app


def _leave_as_it_is(error: Exception) -> Response[str]:
    raise error


def _no_such_route(_: Exception) -> Response[str]:
    raise NoSuchRoute
