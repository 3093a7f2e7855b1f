"""Prints the OpenAPI document of the HTTP API: ``python -m local.openapi > docs/openapi.json``."""

import json
import sys
from typing import Any

from admin.commands import app as admin
from http_api.openapi import document
from reader.api import CONDITIONS
from reader.api import app as reader
from session_keys.api import app as session_keys


def api_document() -> dict[str, Any]:
    """Return the document: the routes of every function behind the API."""
    content = document(
        "Sessions",
        "Each user's own chat sessions, in the clear, the setting that says whether they are encrypted, and data "
        "keys for clients that encrypt and decrypt by themselves; for administrators, where an issuer of tokens is "
        "configured, what operates encryption (/admin/api). The caller is the token's user, or the identity that "
        "signed the request with AWS Signature Version 4; another user's session is as absent as a missing one. "
        "Without If-Match and If-None-Match the last writer wins, field by field: a field that a body leaves out stays "
        "as it was.",
        (reader, admin, session_keys),
        CONDITIONS,
    )
    for path, operations in content["paths"].items():
        if path.startswith("/admin/api/"):
            for operation in operations.values():
                operation["security"] = [{"token": []}]  # A signature knows no groups.
    return content


if __name__ == "__main__":
    json.dump(api_document(), sys.stdout, indent=2)
    sys.stdout.write("\n")
