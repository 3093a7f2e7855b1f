"""The evidence, as an answer of the control function."""

import json
import platform
from collections.abc import Mapping
from typing import Any, Final

import boto3

from evidence.files import files
from evidence.report import Findings, evidence
from migrator.requests import Refused, ReportRequest

MOST_FAILURES: Final = 50
"""How many open failures the evidence lists; it has the number of all."""

LARGEST: Final = 5_500_000
"""The most bytes of an answer: Lambda passes on 6 MB."""


def report(found: Findings, request: ReportRequest) -> dict[str, Any]:
    """Return the evidence as a document, and as the text of the two files that it is kept as.

    ::

        {"report": {…}, "name": "evidence-TABLE-TIME", "json": "{…}\\n", "sha256": "…", "html": "<!doctype html>…"}

    `html` is None where it is not asked for.

    Raises:
        Refused: it would be larger than an answer can be.
    """
    document = evidence(found)
    written = files(document, request.name)
    answer = {
        "report": document,
        "name": written.name,
        "json": written.json,
        "sha256": written.sha256,
        "html": written.html if request.html else None,
    }
    # As long as it can get, whatever is escaped on the way.
    if len(json.dumps(answer)) > LARGEST:
        raise Refused("invalid-request", "The report would be larger than an answer can be (6 MB): list fewer backups.")
    return answer


def versions() -> Mapping[str, str]:
    """Return the versions of the software that makes the evidence, for who does not tell its own."""
    return {"boto3": boto3.__version__, "python": platform.python_version()}
