"""A request of the page in, its answer out, both of payload format 2.0. Pure, save for reading a file once.

==============================  ====================  =====================================
route                           answer                may be kept
==============================  ====================  =====================================
``GET /admin``                  the document          never: it names the current assets
``GET /admin/config.json``      the settings          never
``GET /admin/assets/{file}``    a file by its name    for ever: another content has another
anything else, or no such file  404                   never
==============================  ====================  =====================================
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin_page.files import PageFiles, StaticFile
from admin_page.headers import security_headers
from admin_page.settings import PageSettings

Answer = dict[str, Any]

_NEVER: Final = "no-store"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class AdminPage:
    """The page: its files and its settings."""

    files: PageFiles
    settings: PageSettings

    def answer(self, event: Mapping[str, Any]) -> Answer:
        """Return the answer to a request.

        API Gateway has matched the route and decoded its parameter. So a file's name may hold anything, ``..`` and
        slashes too; it is looked up among the names that there are.
        """
        match event.get("routeKey"):
            case "GET /admin":
                return self._file(self.files.index, event, _NEVER)
            case "GET /admin/config.json":
                return self._document(200, self.settings.document())
            case "GET /admin/assets/{file}":
                file = self.files.assets.get((event.get("pathParameters") or {}).get("file", ""))
                if file is not None:
                    return self._file(file, event, _FOR_EVER)
        return self._document(404, {"statusCode": 404, "message": "There is no such file."})

    def _file(self, file: StaticFile, event: Mapping[str, Any], caching: str) -> Answer:
        headers = event.get("headers") or {}
        zipped = file.zipped if _takes_gzip(headers.get("accept-encoding", "")) else None
        # Strong, so each encoding has one of its own (RFC 9110, section 8.8.3).
        tag = f'"{file.digest}"' if zipped is None else f'"{file.digest}-gzip"'
        described = {"Cache-Control": caching, "ETag": tag, "Vary": "Accept-Encoding"}
        if caching != _NEVER and tag in _listed(headers.get("if-none-match", "")):
            return self._answer(304, described, b"")
        if zipped is not None:
            described["Content-Encoding"] = "gzip"
        return self._answer(200, described | {"Content-Type": file.content_type}, zipped or file.content)

    def _document(self, status: int, document: Mapping[str, Any]) -> Answer:
        described = {"Content-Type": "application/json", "Cache-Control": _NEVER}
        return self._answer(status, described, json.dumps(document).encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        return {
            "statusCode": status,
            "headers": {**headers, **security_headers(self.settings.reachable)},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }


def _listed(header: str) -> list[str]:
    return [element.strip() for element in header.split(",")]


def _takes_gzip(accepted: str) -> bool:
    """Tell whether ``Accept-Encoding`` asks for gzip (RFC 9110, section 12.5.3); a wildcard is not taken for that."""
    for element in _listed(accepted.lower()):
        coding, _, weight = element.partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0") not in ("q=", "q=0.")
    return False
