"""An event in, a response out, whatever goes wrong on the way."""

from collections.abc import Mapping
from typing import Any

from http_api.requests import routable
from http_api.responses import secured
from reader.api import Call, app
from reader.application import Reader
from reader.audit import audited
from reader.errors import NotPermitted
from reader.identity import caller
from reader.requests import operation
from reader.responses import error_response


def answer(event: Mapping[str, Any], context: Any, reader: Reader) -> dict[str, Any]:
    """Return the response to ``event``, both of payload format 2.0."""
    try:
        with audited(reader.runtime.telemetry, operation(event)) as line:
            try:
                line.who = caller(event, reader.settings)
            except NotPermitted as error:
                line.who = error.who
                raise
            request = routable(event)
            app.context["call"] = Call(line.who, reader.sessions, line, reader.settings.common.attributes)
            response = app.resolve(request, context)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong has an answer, and is logged without its text
        return error_response(error)
    return secured(response)
