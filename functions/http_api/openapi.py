"""What requests and answers look like in the OpenAPI document, beside the models of each function.

An answer comes from a function or from API Gateway, before or instead of one: so each status that both give has two
shapes, ``Problem`` and ``GatewayMessage``.
"""

import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from http_api.requests import JSON
from http_api.routes import Router

_VERSION: Final = "1.0.0"
_POWERTOOLS_OWN: Final = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
_GATEWAY: Final = {
    "400": "The request is malformed.",
    "401": "There is no valid token.",
    "403": "There is no valid signature, or IAM does not allow the call.",
    "413": "The request is over 10 MB, or over the 6 MB that a function takes.",
    "429": "Too many requests: try again later.",
    "431": "Request line and headers are over 10,240 bytes.",
    "500": "The function could not be invoked, or ended without an answer.",
    "503": "The function did not answer within 30 seconds: look before you try a PUT or DELETE again.",
}
_MESSAGE: Final = {
    "type": "object",
    "title": "GatewayMessage",
    "description": "What API Gateway itself answers.",
    "properties": {"message": {"type": ["string", "null"]}},
    "required": ["message"],
    "additionalProperties": False,
}
_ALWAYS: Final = {
    "apigw-requestid": "The request's id: `requestId` in the access log and in the audit line.",
}


class Answer(BaseModel):
    """A body of an answer, its members in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Problem(Answer):
    """Why a request was not served."""

    status_code: int
    message: str
    field: Annotated[str, Field(description="The field that is wrong.")] = ""
    reason: Annotated[str, Field(description="A fixed word for what is wrong with it, where there are several.")] = ""
    outcome: Annotated[
        str, Field(description="`unknown` where a write was sent and may have taken effect: look before you try again.")
    ] = ""


def shows(description: str, model: type | UnionType | None = None, **headers: str) -> Any:
    """Return an answer for a route's ``responses``: its description, model and headers (``_`` for ``-``)."""
    shown: dict[str, Any] = {"description": description, "content": {JSON: {"model": model}} if model else {}}
    if headers:
        shown["headers"] = {name.replace("_", "-"): _header(text) for name, text in headers.items()}
    return shown


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


REFUSALS: Final = {
    400: shows("The request is malformed; `field` says where.", Problem),
    401: shows("The request carries no usable identity.", Problem),
    403: shows("The identity may not use this API.", Problem),
    500: shows("Something went wrong.", Problem),
    503: shows(
        "Not served: try again after the seconds in `Retry-After`. Without that header, and with `outcome: unknown`, "
        "the write may have taken effect.",
        Problem,
        Retry_After="Seconds; absent where it is unknown whether the request took effect.",
    ),
}
"""What every route may answer, by status."""


def document(
    title: str, description: str, routers: tuple[Router[Any], ...], parameters: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the OpenAPI document of the routes of ``routers``.

    Args:
        title: the API's name.
        description: what it is.
        routers: the functions' routers.
        parameters: the request headers that an operation honours, and what they do, by ``operationId``.
    """
    first, *others = [
        json.loads(router.get_openapi_json_schema(title=title, version=_VERSION, description=description))
        for router in routers
    ]
    content: dict[str, Any] = first
    for other in others:
        content["paths"] |= other["paths"]
        content["components"]["schemas"] |= other["components"]["schemas"]
    for name in _POWERTOOLS_OWN:
        content["components"]["schemas"].pop(name, None)
    content["components"]["schemas"]["GatewayMessage"] = _MESSAGE
    for operations in content["paths"].values():
        for operation in operations.values():
            _complete(operation, parameters.get(operation["operationId"], {}))
    content["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "signature": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature V4."},
    }
    content["security"] = [{"token": []}, {"signature": []}]
    return content


def _complete(operation: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """Add what Powertools does not know, and take out its own answer to invalid requests, which is never given."""
    responses = operation["responses"]
    responses.pop("422", None)
    for status, text in _GATEWAY.items():
        message = {"$ref": "#/components/schemas/GatewayMessage"}
        ours = responses.get(status)
        if ours is None:
            responses[status] = {"description": text, "content": {JSON: {"schema": message}}}
        else:
            ours["description"] = f"{ours['description']} From API Gateway: {text}"
            ours["content"][JSON]["schema"] = {"anyOf": [ours["content"][JSON]["schema"], message]}
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | {name: _header(text) for name, text in _ALWAYS.items()}
    operation["responses"] = dict(sorted(responses.items()))
    for name, text in parameters.items():
        operation.setdefault("parameters", []).append(
            {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        )
