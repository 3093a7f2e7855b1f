"""The AWS endpoint: moto's server in a thread, bound to 127.0.0.1, with what moto leaves out put in front of
it.

- Requests to DynamoDB go to DynamoDB Local where the stack runs one.
- moto's requests to DynamoDB, and to SQS, run one at a time. moto checks a condition and writes in two steps
  without a lock, so concurrent conditional writes could both succeed; in DynamoDB they cannot.
- A long poll of SQS is answered by short polls, so that it does not hold the others up.
- `lambda.invoke` runs the function here instead of in Docker.
- CloudWatch is given what the functions wrote of metrics right before it is asked.
- An update of the stack with other parameters is asked for here, since another process may reach nothing else of it.
- Browsers are kept out: a request with an `Origin`, or for another host name (DNS rebinding), gets 403.
"""

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from dynamodb_stream_encryptor.local_stack import STOPPED
from local.dynamodb_front import DynamoDBFront
from local.errors import FunctionStopped, LocalStackError
from local.function_process import Invocation
from local.running import UPDATE_PATH
from local.wsgi_server import WsgiServer

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Lookup = Callable[[str], Callable[[Any], Invocation]]
"""Returns what invokes the function of a name; raises KeyError for one that does not exist."""

Update = Callable[[Mapping[str, str]], None]
"""Updates the stack with some parameters; raises LocalStackError."""

_INVOCATION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")
_HOST = re.compile(r"[0-9.]+|localhost|.+\.localhost|host\.docker\.internal")
"""Of these a web page cannot lend its own name to this machine: addresses, which containers use, and local names."""
_CALLER = re.compile(r" app/(\S+)")
"""In a user agent: the application id, which a function's process has from its environment."""
_SIGNED = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
_REQUEST_LIMIT = 6 * 1024 * 1024
_POLL_INTERVAL = 0.1


@dataclass(frozen=True)
class Call:
    """A request to a service, as it arrived.

    Attributes:
        caller: the name of the function that sent it; empty where no function did.
        service: AWS's name of the service, by the signature: `dynamodb`, `kms`, `sqs`, `lambda`, `monitoring`.
        operation: the operation, by the header X-Amz-Target or a form's Action; else the method and the path.
        document: the parameters, where they are JSON or a form.
    """

    caller: str
    service: str
    operation: str
    document: Any


class _QuietHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print no access log."""


class _Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service for a request, remembered: moto lists its source folder for each."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]


class Endpoint:
    """The running server. `stop` it, or leave it to a `with` statement of its owner."""

    def __init__(self, port: int, lookup: Lookup) -> None:
        """Serve on the port, 0 for any free one."""
        self._application = EndpointApplication(_Dispatcher(), lookup)
        self._server = WsgiServer(port, self._application, "endpoint", _QuietHandler)
        self.port, self.url = self._server.port, self._server.url

    def observe(self, observer: Callable[[Call], None]) -> None:
        """Have `observer` told of every request from here on, by the thread that serves it."""
        self._application.observer = observer

    def before_cloudwatch(self, bring: Callable[[], None]) -> None:
        """From here on call `bring` before each request to CloudWatch."""
        self._application.bring_metrics = bring

    def lead_dynamodb_to(self, front: DynamoDBFront) -> None:
        """From here on have DynamoDB Local answer what it can."""
        self._application.dynamodb = front

    def on_update(self, update: Update) -> None:
        """From here on call `update` where an update of the stack is asked for."""
        self._application.update = update

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.stop()


class EndpointApplication:
    """The WSGI application: guards, invocations, and moto for the rest."""

    def __init__(self, moto: Callable[[Environ, StartResponse], Iterable[bytes]], lookup: Lookup) -> None:
        """Wrap moto's application."""
        self.dynamodb: DynamoDBFront | None = None
        self.observer: Callable[[Call], None] | None = None
        self.bring_metrics: Callable[[], None] | None = None
        self.update: Update | None = None
        self._moto = moto
        self._lookup = lookup
        self._locks = {"dynamodb": threading.Lock(), "sqs": threading.Lock()}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        host = environ.get("HTTP_HOST", "").partition(":")[0]
        if "HTTP_ORIGIN" in environ or not _HOST.fullmatch(host):
            return _json(start_response, "403 Forbidden", {"message": "Forbidden"})
        if self.observer is not None:
            environ["wsgi.input"] = io.BytesIO(_body(environ))
            self.observer(_call(environ))
            environ["wsgi.input"].seek(0)
        if environ.get("PATH_INFO") == UPDATE_PATH and environ["REQUEST_METHOD"] == "POST" and self.update is not None:
            return self._update(self.update, environ, start_response)
        invocation = _INVOCATION.fullmatch(environ.get("PATH_INFO", ""))
        if invocation and environ["REQUEST_METHOD"] == "POST":
            return self._invocation(unquote(invocation["name"]), environ, start_response)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if self.dynamodb is not None and self.dynamodb.serves(target):
            return self._dynamodb_local(self.dynamodb, target, environ, start_response)
        service = _service(environ)
        if service == "sqs":
            return self._short_polls(environ, start_response)
        if service == "monitoring" and self.bring_metrics is not None:
            self.bring_metrics()
        return self._forward(service, environ, start_response)

    def _forward(self, service: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "CONTENT_LENGTH" in environ:  # read before locking: a slow client holds nobody up
            environ["wsgi.input"] = io.BytesIO(_body(environ))
        lock: AbstractContextManager[Any] = self._locks.get(service, nullcontext())
        with lock:
            return self._moto(environ, start_response)

    def _dynamodb_local(
        self, front: DynamoDBFront, target: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        status, headers, content = front.answer(target, _body(environ))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [content]

    def _short_polls(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = _body(environ)
        short, seconds = short_poll(body, environ.get("HTTP_X_AMZ_TARGET", ""))
        deadline = time.monotonic() + seconds
        while True:
            heads: list[tuple[Any, ...]] = []
            attempt = environ | {"wsgi.input": io.BytesIO(short), "CONTENT_LENGTH": str(len(short))}
            chunks = list(self._forward("sqs", attempt, _collector(heads)))
            found = b"ReceiptHandle" in b"".join(chunks) or not heads[0][0].startswith("200")
            if found or time.monotonic() >= deadline:
                start_response(*heads[0])
                return chunks
            time.sleep(_POLL_INTERVAL)

    def _update(self, update: Update, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            parameters = json.loads(_body(environ))
            if not isinstance(parameters, dict) or not all(isinstance(value, str) for value in parameters.values()):
                raise LocalStackError("parameters are a JSON object of texts")
            update(parameters)
        except ValueError:
            return _json(start_response, "400 Bad Request", {"message": "not JSON"})
        except LocalStackError as error:
            return _json(start_response, "409 Conflict", {"message": str(error)})
        return _json(start_response, "200 OK", {})

    def _invocation(self, name: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            invoke = self._lookup(function_name(name))
        except KeyError:
            message = f"Function not found: {name}"
            return _error(start_response, "404 Not Found", "ResourceNotFoundException", message)
        body = _body(environ)
        if len(body) > _REQUEST_LIMIT:
            return _error(start_response, "413 Content Too Large", "RequestTooLargeException", "Payload too large")
        try:
            event = json.loads(body) if body else {}
        except ValueError:
            return _error(
                start_response,
                "400 Bad Request",
                "InvalidRequestContentException",
                "Could not parse request body into json",
            )
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        if kind != "RequestResponse":
            if kind == "Event":
                threading.Thread(target=_in_background, args=(invoke, event), daemon=True).start()
            status = "202 Accepted" if kind == "Event" else "204 No Content"
            start_response(status, [("X-Amz-Executed-Version", "$LATEST"), ("Content-Length", "0")])
            return []
        try:
            invocation = invoke(event)
        except FunctionStopped:
            return _error(start_response, "503 Service Unavailable", STOPPED, "The local stack stops.")
        extra = [("X-Amz-Executed-Version", "$LATEST"), ("x-amzn-RequestId", invocation.request_id)]
        if invocation.failed:
            extra.append(("X-Amz-Function-Error", "Unhandled"))
        return _json(start_response, "200 OK", invocation.payload, extra)


def _in_background(invoke: Callable[[Any], Invocation], event: Any) -> None:
    with suppress(FunctionStopped):
        invoke(event)


def function_name(name_or_arn: str) -> str:
    """Return the name in a function's name, ARN or partial ARN, with or without a qualifier."""
    _, separator, rest = name_or_arn.rpartition("function:")
    return (rest if separator else name_or_arn).partition(":")[0]


def short_poll(body: bytes, target: str) -> tuple[bytes, float]:
    """Return the body with WaitTimeSeconds 0, and the seconds that it had, for a ReceiveMessage request.

    Any other request comes back as it is, with 0 seconds.
    """
    if target == "AmazonSQS.ReceiveMessage":
        request = json.loads(body)
        seconds = float(request.get("WaitTimeSeconds") or 0)
        return json.dumps(request | {"WaitTimeSeconds": 0}).encode(), seconds
    if not target and b"Action=ReceiveMessage" in body:
        form = dict(parse_qsl(body.decode()))
        seconds = float(form.get("WaitTimeSeconds") or 0)
        return urlencode(form | {"WaitTimeSeconds": "0"}).encode(), seconds
    return body, 0.0


def _collector(heads: list[tuple[Any, ...]]) -> StartResponse:
    def start_response(*head: Any) -> None:
        heads.append(head)

    return start_response


def _service(environ: Environ) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target.startswith("DynamoDB"):
        return "dynamodb"
    if target.startswith("AmazonSQS") or "/sqs/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return "sqs"
    if "/monitoring/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return "monitoring"
    return ""


def _call(environ: Environ) -> Call:
    caller = _CALLER.search(environ.get("HTTP_USER_AGENT", ""))
    signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    body = _body(environ)
    try:
        document = json.loads(body or b"null")
    except ValueError:
        document = None
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        document = dict(parse_qsl(body.decode()))
        operation = document.get("Action", operation)
    return Call(
        caller[1] if caller else "",
        signed[1] if signed else "",
        operation or f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}",
        document,
    )


def _body(environ: Environ) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _error(start_response: StartResponse, status: str, kind: str, message: str) -> Iterable[bytes]:
    return _json(start_response, status, {"Type": "User", "Message": message}, [("x-amzn-ErrorType", kind)])


def _json(
    start_response: StartResponse, status: str, document: Any, extra: Iterable[tuple[str, str]] = ()
) -> Iterable[bytes]:
    body = json.dumps(document).encode()
    head = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, [*head, *extra])
    return [body]
