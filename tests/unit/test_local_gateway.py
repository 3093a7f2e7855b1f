import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.function_process import Invocation
from local.http_event import HttpRequest, to_response
from local.http_front import Gateway
from local.routes import Api, Cors, JwtAuthorizer, Route
from local.tokens import TokenKey

ISSUER, AUDIENCE = "https://issuer.example", "app"


def a_key():
    return TokenKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))


KEY = a_key()


def a_token(key=KEY, **changes):
    return key.issue("alice", **{"issuer": ISSUER, "audience": AUDIENCE, **changes})


def a_request(method="GET", path="/thing/1", query="", body=b"", **headers):
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpRequest(method, path, query, [("Host", "127.0.0.1:1"), *pairs], body, "127.0.0.1")


def a_gateway(invoke=None, cors=None, authorization="JWT", stage="$default"):
    route = Route("ANY /thing/{id}", "reader", authorization, JwtAuthorizer(ISSUER, (AUDIENCE,)))

    def echo(function, event):
        return Invocation({"statusCode": 200, "body": json.dumps({"function": function, **event})})

    return Gateway(Api("Api", stage, (route,), cors), KEY, invoke or echo)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_valid_token_reaches_the_function_with_its_claims():
    response = a_gateway().handle(a_request(**bearer(a_token(admin=True))))
    assert response.status == 200
    event = json.loads(response.body)
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (event["function"], event["routeKey"]) == ("reader", "ANY /thing/{id}")
    assert claims["sub"] == "alice"
    assert claims["cognito:groups"] == "[admin]"  # API Gateway makes strings of all claims
    assert claims["exp"].isdigit()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer "}, id="empty"),
        pytest.param(bearer("not.a.token"), id="malformed"),
        pytest.param(bearer(a_token(lifetime=-1)), id="expired"),
        pytest.param(bearer(a_token(issuer="https://other.example")), id="another issuer"),
        pytest.param(bearer(a_token(audience="other")), id="another audience"),
        pytest.param(bearer(a_token(a_key())), id="another key"),
        pytest.param(bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."), id="unsigned"),
    ],
)
def test_any_other_token_is_refused_before_the_function(headers):
    def never(function, event):
        raise AssertionError("invoked")

    response = a_gateway(never).handle(a_request(**headers))
    assert response.status == 401
    assert json.loads(response.body) == {"message": "Unauthorized"}


def test_two_authorization_headers_are_refused():
    request = a_request(**bearer(a_token()))
    doubled = HttpRequest("GET", "/thing/1", "", [*request.headers, request.headers[-1]], b"", "127.0.0.1")
    assert a_gateway().handle(doubled).status == 401


def test_a_route_under_iam_is_closed():
    assert a_gateway(authorization="AWS_IAM").handle(a_request(**bearer(a_token()))).status == 403


def test_an_open_route_has_no_authorizer_in_its_event():
    event = json.loads(a_gateway(authorization="NONE").handle(a_request()).body)
    assert "authorizer" not in event["requestContext"]


def test_the_event_has_payload_format_2():
    request = a_request(
        "PUT",
        "/thing/a%2520b%20c",
        "x=1&x=2&y=%26",
        b'{"a": 1}',
        Content_Type="application/json; charset=utf-8",
        Cookie="one=1; two=2",
        X_Many="a",
        **bearer(a_token()),
    )
    event = json.loads(a_gateway().handle(request).body)
    assert event["version"] == "2.0"
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/thing/a%20b c"
    assert event["pathParameters"] == {"id": "a%20b c"}
    assert event["rawQueryString"] == "x=1&x=2&y=%26"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["cookies"] == ["one=1", "two=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-many"] == "a"
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["requestContext"]["http"]["method"] == "PUT"


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_text_is_base64(content_type):
    request = a_request("PUT", body=b"\xff\x00", Content_Type=content_type, **bearer(a_token()))
    event = json.loads(a_gateway().handle(request).body)
    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_a_path_without_route_is_not_found():
    response = a_gateway().handle(a_request(path="/other"))
    assert (response.status, json.loads(response.body)) == (404, {"message": "Not Found"})


def test_a_named_stage_is_part_of_the_path():
    gateway = a_gateway(stage="prod", authorization="NONE")
    assert gateway.handle(a_request(path="/prod/thing/1")).status == 200
    assert gateway.handle(a_request(path="/thing/1")).status == 404


def test_a_failed_function_is_an_internal_error():
    failed = Invocation({"errorType": "ValueError", "errorMessage": "secret"}, failed=True)
    response = a_gateway(lambda function, event: failed).handle(a_request(**bearer(a_token())))
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        pytest.param({"statusCode": 204}, 204, b"", id="no body"),
        pytest.param({"statusCode": "201", "body": "x"}, 201, b"x", id="status as a string"),
        pytest.param({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff", id="base64"),
        pytest.param({"a": 1}, 200, b'{"a": 1}', id="inferred"),
        pytest.param("text", 200, b'"text"', id="inferred from a string"),
        pytest.param({"statusCode": "x"}, 500, b'{"message": "Internal Server Error"}', id="bad status"),
        pytest.param({"statusCode": 200, "body": {}, "headers": []}, 200, b"", id="empty"),
        pytest.param(
            {"statusCode": 200, "body": {"a": 1}},
            500,
            b'{"message": "Internal Server Error"}',
            id="body not a string",
        ),
    ],
)
def test_an_answer_becomes_a_response(answer, status, body):
    response = to_response(answer)
    assert (response.status, response.body) == (status, body)


def test_headers_and_cookies_are_passed_on():
    response = to_response({"statusCode": 200, "headers": {"X-A": 1}, "cookies": ["a=1", "b=2"]})
    assert ("x-a", "1") in response.headers
    assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1", "b=2"]


CORS = Cors(("https://app.example",), ("GET", "PUT"), ("authorization",), max_age=600)


def test_a_preflight_of_an_allowed_origin_is_answered_without_token():
    request = a_request("OPTIONS", Origin="https://app.example", Access_Control_Request_Method="PUT")
    response = a_gateway(cors=CORS).handle(request)
    assert response.status == 204
    headers = dict(response.headers)
    assert headers.pop("apigw-requestid")
    assert headers == {
        "access-control-allow-origin": "https://app.example",
        "vary": "origin",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "600",
    }


def test_another_origin_gets_no_permission():
    for method in ("OPTIONS", "GET"):
        response = a_gateway(cors=CORS).handle(a_request(method, Origin="https://evil.example", **bearer(a_token())))
        assert "access-control-allow-origin" not in dict(response.headers)


def test_responses_and_refusals_carry_the_allowed_origin():
    for headers in ({}, bearer(a_token())):
        response = a_gateway(cors=CORS).handle(a_request(Origin="https://app.example", **headers))
        assert dict(response.headers)["access-control-allow-origin"] == "https://app.example"


def test_responses_and_refusals_name_the_headers_that_a_page_may_read():
    cors = replace(CORS, exposed=("etag", "retry-after"))
    for headers in ({}, bearer(a_token())):
        response = a_gateway(cors=cors).handle(a_request(Origin="https://app.example", **headers))
        assert dict(response.headers)["access-control-expose-headers"] == "etag,retry-after"


def test_without_cors_a_preflight_is_a_request_like_any_other():
    assert a_gateway().handle(a_request("OPTIONS", path="/other", Origin="https://app.example")).status == 404
