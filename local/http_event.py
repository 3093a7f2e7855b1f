"""HTTP requests as events of payload format 2.0, and functions' answers as HTTP responses. Pure.

The format is described under "AWS Lambda proxy integrations for HTTP APIs" in the API Gateway Developer
Guide.
"""

import base64
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.routes import Route

_TEXT = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class HttpRequest:
    """A request as received: header names as sent, the path still percent-encoded and without the query."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str


@dataclass(frozen=True)
class HttpResponse:
    """A response to send."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def message(cls, status: int, text: str) -> "HttpResponse":
        """Return a response of API Gateway's own."""
        body = json.dumps({"message": text}).encode()
        return cls(status, (("content-type", "application/json"),), body)


def to_event(
    request: HttpRequest,
    route: Route,
    path_parameters: Mapping[str, str],
    claims: Mapping[str, Any] | None,
    *,
    api_id: str,
    stage: str,
    request_id: str | None = None,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the event for a request that the authorizer let in, with the claims of its token.

    As in API Gateway, `rawPath` and path parameters are percent-decoded once, and claims are strings.
    """
    now = time.time() if now is None else now
    headers = _joined(request.headers)
    cookies = headers.pop("cookie", None)
    path = unquote(request.path)
    body, is_base64 = _event_body(request.body, headers.get("content-type", ""))
    domain = headers.get("host", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": api_id,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id or uuid.uuid4().hex[:16],
            "routeKey": route.key,
            "stage": stage,
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": is_base64,
    }
    if cookies is not None:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True), lower=False)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    if claims is not None:
        event["requestContext"]["authorizer"] = {
            "jwt": {
                "claims": {name: _claim(value) for name, value in claims.items()},
                "scopes": str(claims["scope"]).split() if "scope" in claims else None,
            }
        }
    if body is not None:
        event["body"] = body
    return event


def to_response(answer: Any) -> HttpResponse:
    """Return the response for what a function returned; 500 for what API Gateway would refuse."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return HttpResponse(200, (("content-type", "application/json"),), json.dumps(answer).encode())
    try:
        status = int(answer["statusCode"])
        body = answer.get("body") or ""
        content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else str.encode(body)
        headers = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    except (TypeError, ValueError, AttributeError):
        return HttpResponse.message(500, "Internal Server Error")
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    cookies = tuple(("set-cookie", str(cookie)) for cookie in answer.get("cookies") or ())
    return HttpResponse(status, (*headers.items(), *cookies), content)


def _joined(pairs: Sequence[tuple[str, str]], *, lower: bool = True) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower() if lower else name
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _event_body(body: bytes, content_type: str) -> tuple[str | None, bool]:
    """Return the body as API Gateway hands it over: text for textual types, base64 for all others."""
    if not body:
        return None, False
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _claim(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return json.dumps(value)
