"""The local front has API Gateway's and Lambda's limits, and takes the tokens that API Gateway takes."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.function_process import Invocation
from local.http_event import HttpRequest, HttpResponse
from local.http_front import BODY_LIMIT, EVENT_LIMIT, HEAD_LIMIT, Gateway
from local.routes import Api, Cors, Route
from local.tokens import TokenKey, TokenRefusedError

ISSUER, AUDIENCE = "https://issuer.example", "app"
KEY = TokenKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def send(
    path: str = "/thing", query: str = "", body: bytes = b"", cors: Cors | None = None, **headers: str
) -> tuple[HttpResponse, list[Any]]:
    """Send a request to a gateway with one open route; return the response and the events that the function got."""
    events: list[Any] = []

    def invoke(_: str, event: Any) -> Invocation:
        events.append(event)
        return Invocation({"statusCode": 200, "body": "{}"})

    gateway = Gateway(Api("Api", "$default", (Route("PUT /thing", "f"),), cors), KEY, invoke)
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return gateway.handle(HttpRequest("PUT", path, query, pairs, body, "127.0.0.1")), events


LINE = len("PUT /thing HTTP/1.1")


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
def test_request_line_and_header_values_when_they_have_over_10_kb_then_431(more: int, status: int) -> None:
    headers, _ = send(X_Long="a" * (HEAD_LIMIT - LINE + more))
    query, events = send(query="q=" + "a" * (HEAD_LIMIT - LINE - 3 + more))

    assert (headers.status, query.status) == (status, status)
    assert len(events) == (status == 200)


def test_body_when_its_event_is_over_6_mb_then_413_before_the_function() -> None:
    fits, events = send(body=b"x" * (EVENT_LIMIT - 2000), content_type="text/plain")
    assert (fits.status, len(events)) == (200, 1)

    escaped = b'"' * 3_200_000  # Each takes two bytes in the event.
    for body, kind in (
        (b"x" * EVENT_LIMIT, "text/plain"),
        (b"x" * (5 * 1024 * 1024), "image/png"),
        (escaped, "text/plain"),
    ):
        refused, events = send(body=body, content_type=kind)
        assert len(body) < BODY_LIMIT
        assert (refused.status, events) == (413, [])
        assert json.loads(refused.body) == {"message": "Request Entity Too Large"}


def test_answer_when_it_is_given_then_it_carries_the_id_of_the_event() -> None:
    response, (event,) = send(cors=Cors(("*",)), origin="https://app.example")

    assert dict(response.headers)["apigw-requestid"] == event["requestContext"]["requestId"]
    assert "apigw-requestid" in dict(send("/other")[0].headers)


def verified(token: str) -> Any:
    return KEY.verify(token, issuer=ISSUER, audience=[AUDIENCE])


def test_access_token_of_cognito_when_it_names_the_client_then_it_is_taken() -> None:
    claims = verified(KEY.issue("alice", issuer=ISSUER, audience=AUDIENCE, access=True))

    assert (claims["client_id"], "aud" in claims) == (AUDIENCE, False)


@pytest.mark.parametrize("access", [True, False])
def test_token_when_it_is_meant_for_another_client_then_it_is_refused(access: bool) -> None:
    with pytest.raises(TokenRefusedError):
        verified(KEY.issue("alice", issuer=ISSUER, audience="other", access=access))


@pytest.mark.parametrize(
    ("claims", "taken"),
    [
        ({"aud": ["other", AUDIENCE]}, True),
        ({"aud": "other", "client_id": AUDIENCE}, False),
        ({}, False),
        ({"client_id": None}, False),
    ],
)
def test_token_when_it_names_its_audience_then_aud_goes_before_client_id(
    tmp_path: Any, claims: dict[str, Any], taken: bool
) -> None:
    key = TokenKey.in_directory(tmp_path)
    token = signed(tmp_path, {"sub": "alice", "iss": ISSUER, "exp": 4_000_000_000, **claims})

    if taken:
        assert key.verify(token, issuer=ISSUER, audience=[AUDIENCE])["sub"] == "alice"
    else:
        with pytest.raises(TokenRefusedError):
            key.verify(token, issuer=ISSUER, audience=[AUDIENCE])


def signed(directory: Any, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, (directory / "token-key.pem").read_bytes(), algorithm="RS256")
