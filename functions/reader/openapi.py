"""Prints the OpenAPI document of the HTTP API: ``python -m reader.openapi > docs/openapi.json``."""

import json
import sys
from typing import Any, Final

from reader.api import app

_VERSION: Final = "1.0.0"
_POWERTOOLS_OWN: Final = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    description = (
        "Each user's own chat sessions, in the clear. The caller is the token's user, or the identity that signed "
        "the request with AWS Signature Version 4; another user's session is as absent as a missing one."
    )
    content: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(title="Sessions", version=_VERSION, description=description)
    )
    # Powertools adds its own answer to invalid requests, which http_api.responses replaces.
    for operations in content["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in _POWERTOOLS_OWN:
        content["components"]["schemas"].pop(name, None)
    content["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "signature": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "AWS Signature V4."},
    }
    content["security"] = [{"token": []}, {"signature": []}]
    return content


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2)
    sys.stdout.write("\n")
