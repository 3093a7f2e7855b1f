"""An event in, a response out, whatever goes wrong on the way."""

from collections.abc import Mapping
from typing import Any

from admin.api import Call, app
from admin.application import Application
from admin.audit import audited
from admin.errors import NotPermitted
from admin.identity import caller
from admin.requests import READ, operation
from admin.responses import error_response
from http_api.requests import routable
from http_api.responses import secured


def answer(event: Mapping[str, Any], context: Any, parts: Application) -> dict[str, Any]:
    """Return the response to ``event``, both of payload format 2.0."""
    try:
        with audited(parts.telemetry, operation(event)) as line:
            identity = caller(event, parts.settings)
            line.who = identity.user
            # Before the body is looked at: whoever may not change the setting learns nothing of what it takes.
            if not (identity.may_read if line.operation == READ else identity.may_change):
                raise NotPermitted
            request = routable(event)
            app.context["call"] = Call(parts, line)
            response = app.resolve(request, context)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong has an answer, and is logged without its text
        return error_response(error)
    return secured(response)
