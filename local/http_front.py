"""The HTTP API on this machine: routes, authorizer, CORS, and functions behind them. Bound to 127.0.0.1."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.errors import FunctionStopped
from local.function_process import Invocation
from local.http_event import HttpRequest, HttpResponse, to_event, to_response
from local.routes import Api, Cors, Route
from local.tokens import TokenKey, TokenRefusedError
from local.wsgi_server import listening_socket

BODY_LIMIT = 10 * 1024 * 1024
"""Largest request body in bytes (API Gateway quota)."""

HEAD_LIMIT = 10_240
"""Most bytes of request line and header values together (API Gateway quota)."""

EVENT_LIMIT = 6 * 1024 * 1024
"""Largest payload of a synchronous invocation, in bytes (Lambda quota); a body grows on its way into the event."""

Invoke = Callable[[str, Any], Invocation]


class Gateway:
    """What API Gateway does with a request, without the sockets."""

    def __init__(self, api: Api, key: TokenKey, invoke: Invoke) -> None:
        """Take the API, the key that signs its tokens, and what invokes a function by name."""
        self._api = api
        self._key = key
        self._invoke = invoke

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; every answer has the id that the function's event and API Gateway's access log have."""
        request_id = uuid.uuid4().hex[:16]
        response = self._handle(request, request_id)
        return replace(response, headers=(*response.headers, ("apigw-requestid", request_id)))

    def _handle(self, request: HttpRequest, request_id: str) -> HttpResponse:
        if _head_size(request) > HEAD_LIMIT:
            return HttpResponse.message(431, "Request Header Fields Too Large")
        origin = next((value for name, value in request.headers if name.lower() == "origin"), None)
        cors = self._api.cors
        if cors is None:
            return self._respond(request, request_id)
        if request.method == "OPTIONS" and origin is not None:
            return HttpResponse(204, _preflight_headers(cors, origin), b"")
        response = self._respond(request, request_id)
        kept = tuple(header for header in response.headers if not header[0].startswith("access-control-"))
        return replace(response, headers=(*kept, *_cors_headers(cors, origin)))

    def _respond(self, request: HttpRequest, request_id: str) -> HttpResponse:
        prefix = "" if self._api.stage == "$default" else f"/{self._api.stage}"
        below_stage = request.path.startswith(f"{prefix}/")
        match = self._api.match(request.method, request.path.removeprefix(prefix)) if below_stage else None
        if match is None:
            return HttpResponse.message(404, "Not Found")
        route, parameters = match
        if route.authorization not in ("NONE", "JWT"):
            return HttpResponse.message(403, "Forbidden")
        try:
            claims = self._authorize(request, route)
        except TokenRefusedError:
            refusal = HttpResponse.message(401, "Unauthorized")
            return replace(refusal, headers=(*refusal.headers, ("www-authenticate", "Bearer")))
        event = to_event(
            request, route, parameters, claims, api_id=self._api.id or "", stage=self._api.stage, request_id=request_id
        )
        if len(json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")) > EVENT_LIMIT:
            return HttpResponse.message(413, "Request Entity Too Large")
        try:
            invocation = self._invoke(route.function, event)
        except FunctionStopped:
            return HttpResponse.message(503, "Service Unavailable")
        if invocation.failed:
            return HttpResponse.message(500, "Internal Server Error")
        return to_response(invocation.payload)

    def _authorize(self, request: HttpRequest, route: Route) -> dict[str, Any] | None:
        """Return the claims, None where the route is open; raise `TokenRefusedError`."""
        if route.authorization == "NONE":
            return None
        given = [value for name, value in request.headers if name.lower() == "authorization"]
        if route.authorizer is None or len(given) != 1:
            raise TokenRefusedError("no single token")
        token = given[0].partition(" ")[2] if given[0].lower().startswith("bearer ") else given[0]
        return self._key.verify(token.strip(), issuer=route.authorizer.issuer, audience=list(route.authorizer.audience))


def _head_size(request: HttpRequest) -> int:
    target = f"{request.path}?{request.query}" if request.query else request.path
    line = f"{request.method} {target} HTTP/1.1"
    return len(line.encode()) + sum(len(value.encode("latin-1", "replace")) for _, value in request.headers)


def _cors_headers(cors: Cors, origin: str | None) -> tuple[tuple[str, str], ...]:
    if origin is None or not ("*" in cors.origins or origin in cors.origins):
        return ()
    headers = [("access-control-allow-origin", "*" if "*" in cors.origins else origin), ("vary", "origin")]
    if cors.credentials:
        headers.append(("access-control-allow-credentials", "true"))
    if cors.exposed:
        headers.append(("access-control-expose-headers", ",".join(cors.exposed)))
    return tuple(headers)


def _preflight_headers(cors: Cors, origin: str) -> tuple[tuple[str, str], ...]:
    headers = [*_cors_headers(cors, origin)]
    if headers:
        headers.append(("access-control-allow-methods", ",".join(cors.methods)))
        headers.append(("access-control-allow-headers", ",".join(cors.headers)))
        if cors.max_age is not None:
            headers.append(("access-control-max-age", str(cors.max_age)))
    return tuple(headers)


class HttpFront:
    """The running server; answers 503 until it is given a `gateway`."""

    def __init__(self, port: int) -> None:
        """Bind to the port, 0 for any free one, so that the address is known before the API is."""
        self.gateway: Gateway | None = None
        with listening_socket(port) as listener:
            self._server = ThreadingHTTPServer(
                ("127.0.0.1", listener.getsockname()[1]), self._handler(), bind_and_activate=False
            )
            self._server.socket.close()
            self._server.socket = listener.dup()
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="api", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: HttpRequest) -> HttpResponse:
        hosts = [value for name, value in request.headers if name.lower() == "host"]
        if hosts not in ([f"127.0.0.1:{self.port}"], [f"localhost:{self.port}"]):
            return HttpResponse.message(403, "Forbidden")  # another name for this address: DNS rebinding
        if self.gateway is None:
            return HttpResponse.message(503, "Service Unavailable")
        return self.gateway.handle(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "local"
            sys_version = ""
            disable_nagle_algorithm = True

            def respond(self) -> None:
                try:
                    length = int(self.headers.get("Content-Length") or 0)
                except ValueError:
                    length = -1
                if length < 0 or "Transfer-Encoding" in self.headers:
                    self._send(HttpResponse.message(400, "Bad Request"), close=True)
                elif length > BODY_LIMIT:
                    self._discard(length)
                    self._send(HttpResponse.message(413, "Request Entity Too Large"), close=True)
                else:
                    self._send(answer(self._request(self.rfile.read(length))))

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = respond  # noqa: N815

            def _request(self, body: bytes) -> HttpRequest:
                path, _, query = self.path.partition("?")
                headers = list(self.headers.items())
                return HttpRequest(self.command, path, query, headers, body, self.client_address[0])

            def _discard(self, length: int) -> None:
                """Read a refused body, within reason: most clients look at the answer only after sending it
                all.
                """
                for start in range(0, min(length, 10 * BODY_LIMIT), 1 << 16):
                    self.rfile.read(min(1 << 16, length - start))

            def _send(self, response: HttpResponse, *, close: bool = False) -> None:
                self.send_response(response.status)
                for name, value in response.headers:
                    if name not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(response.body)))
                if close:
                    self.send_header("connection", "close")
                    self.close_connection = True
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(response.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Print no access log."""

        return Handler
