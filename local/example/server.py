"""The example's files and its configuration, bound to 127.0.0.1."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from local.errors import LocalStackError
from local.wsgi_server import WsgiServer

STATIC: Final = Path(__file__).with_name("static")

_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Example:
    """The running page.

    Attributes:
        url: its origin, which the API has to allow.
        config: what the page is told, once the stack is there: the API's address (`api`), and the issuer
            (`issuer`, `clientId`, `scope`, `metadataUrl`).
    """

    def __init__(self, port: int = 0, *, folder: Path = STATIC) -> None:
        """Start serving on a port, 0 for any free one; raise `LocalStackError` where that is impossible."""
        self._files = _files(folder)
        self.config: Mapping[str, str] = {}
        self._server = WsgiServer(port, self._application, "example")
        self.url = self._server.url

    def __enter__(self) -> "Example":
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving and free the port."""
        self._server.stop()

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response = self._answer(Request(environ))
        response.headers.update(self._security_headers())
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.host != urlsplit(self.url).netloc:
            return Response("This address was called by another name.", 403)  # DNS rebinding
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        if request.path == "/config.json":
            return Response(json.dumps(dict(self.config)), 200 if self.config else 503, content_type="application/json")
        if file := self._files.get(request.path):
            return Response(file.read_bytes(), content_type=_CONTENT_TYPES[file.suffix])
        return Response("There is no such file.", 404)

    def _security_headers(self) -> dict[str, str]:
        """Return the headers of every answer: the page runs under the policy that it is meant to run under."""
        addresses = (self.config.get("api", ""), self.config.get("metadataUrl", ""))
        origins = (f"{address.scheme}://{address.netloc}" for address in map(urlsplit, addresses) if address.netloc)
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "connect-src": " ".join(("'self'", *origins)),
            "form-action": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }


def _files(folder: Path) -> dict[str, Path]:
    """Return the build's files by the paths that they are asked for by: what is asked for never becomes a path."""
    found = {f"/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*.*") if file.is_file()}
    index = found.get("/index.html")
    if index is None:
        raise LocalStackError(f"the example is not built: {folder} has no index.html (npm run build -w example in web)")
    if unknown := sorted(path for path, file in found.items() if file.suffix not in _CONTENT_TYPES):
        raise LocalStackError(f"the example has files of a type that is unknown here: {', '.join(unknown)}")
    return {"/": index, **found}
