"""The evidence as two files that belong together: its JSON text, and a page that carries that text's SHA-256."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from evidence.page import page

# What `json` leaves as it is and a terminal acts on: controls, line separators, marks of direction. And halves of a
# pair, which have no place in UTF-8.
_NOT_SHOWN: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Files:
    """The evidence, written.

    Attributes:
        name: what both files are called, without `.json` and `.html`.
        json: the evidence as JSON text, which ends with a line feed.
        sha256: the SHA-256 of that text in UTF-8, in hexadecimal.
        html: the same as a page, which names the JSON file and its SHA-256.
    """

    name: str
    json: str
    sha256: str
    html: str


def files(evidence: Mapping[str, Any], name: str | None = None) -> Files:
    """Return the files for an evidence document, named after the table and the time unless `name` is given."""
    name = name or _name(evidence)
    text = f"{_json_text(evidence)}\n"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Files(name, text, sha256, page(evidence, f"{name}.json", sha256))


def _name(evidence: Mapping[str, Any]) -> str:
    # A table's name holds letters, digits, dots, hyphens and underscores only, so it is safe in a file's.
    moment = datetime.fromisoformat(evidence["generatedAt"])
    return f"evidence-{evidence['table']['name']}-{moment:%Y%m%dT%H%M%SZ}"


def _json_text(document: Mapping[str, Any]) -> str:
    """Return JSON that is safe on a terminal too; equal, when parsed, to `document`."""
    return _NOT_SHOWN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(document, indent=2, ensure_ascii=False))
