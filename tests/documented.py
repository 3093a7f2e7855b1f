"""Answers held against the OpenAPI document: status, body and headers."""

import json
from typing import Any, Final

from jsonschema import Draft202012Validator

from local.openapi import api_document

DOCUMENT: Final = api_document()
_OF_ALL: Final = {"content-type", "cache-control", "x-content-type-options"}


def fits(path: str, method: str, status: int, body: str, headers: Any) -> None:
    """Check an answer against what the document says of it; a member that the document does not name is wrong too."""
    response = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
    assert {name.lower() for name in headers} - _OF_ALL <= {name.lower() for name in response["headers"]}
    if not response.get("content"):
        assert body == ""
        return
    schema = response["content"]["application/json"]["schema"]
    document = json.loads(body)
    _validator(schema).validate(document)
    assert undocumented(document, schema) == set()


def undocumented(document: Any, schema: dict[str, Any]) -> set[str]:
    """Return the members of a valid document that its schema does not name."""
    if "$ref" in schema:
        return undocumented(document, DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        valid = [one for one in schema["anyOf"] if _validator(one).is_valid(document)]
        return min((undocumented(document, one) for one in valid), key=len)
    found: set[str] = set()
    if isinstance(document, list) and "items" in schema:
        for member in document:
            found |= undocumented(member, schema["items"])
    elif isinstance(document, dict) and "properties" in schema:
        if not schema.get("additionalProperties"):
            found |= document.keys() - schema["properties"].keys()
        for name in document.keys() & schema["properties"].keys():
            found |= undocumented(document[name], schema["properties"][name])
    return found


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})
