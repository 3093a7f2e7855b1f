"""The API's OpenAPI document."""

import json
from pathlib import Path

from local.openapi import api_document as document

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_given_the_routes_when_the_document_is_made_again_then_it_is_the_one_in_docs() -> None:
    assert json.loads(DOCUMENT.read_text()) == document(), "run: python -m local.openapi > docs/openapi.json"


def test_given_the_document_when_read_then_it_has_every_route_and_status() -> None:
    content = document()
    statuses = {
        operation["operationId"]: set(operation["responses"])
        for path, operations in content["paths"].items()
        for operation in operations.values()
        if not path.startswith("/admin/")
    }

    common = {"400", "401", "403", "413", "429", "431", "500", "503"}
    assert statuses == {
        "getSession": common | {"200", "404", "409"},
        "putSession": common | {"200", "201", "409", "412", "415"},
        "listSessions": common | {"200"},
        "deleteSession": common | {"204", "404", "412"},
        "getEncryptionConfig": common | {"200"},
        "putEncryptionConfig": common | {"200", "409", "415"},
        "generateSessionKey": common | {"200", "409", "415"},
        "decryptSessionKey": common | {"200", "409", "415"},
    }
    assert content["security"] == [{"token": []}, {"signature": []}]


def test_given_the_document_when_its_references_are_followed_then_each_leads_somewhere() -> None:
    content = document()
    references = {
        part["$ref"] for part in _parts(content) if isinstance(part, dict) and isinstance(part.get("$ref"), str)
    }

    assert references == {f"#/components/schemas/{name}" for name in content["components"]["schemas"]}


def _parts(content: object) -> list[object]:
    members = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return [content, *(part for member in members for part in _parts(member))]
