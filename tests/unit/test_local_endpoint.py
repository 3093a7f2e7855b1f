import io
import json
import queue

import pytest

from local.endpoint import EndpointApplication, function_name, short_poll
from local.function_process import Invocation


def call(application, path="/", body=b"", **environ):
    answers = []
    chunks = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "HTTP_HOST": "127.0.0.1:4566",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **environ,
        },
        lambda status, headers: answers.append((status, dict(headers))),
    )
    return answers[0][0], answers[0][1], b"".join(chunks)


def moto(environ, start_response):
    start_response("200 OK", [])
    return [b"moto:" + environ["wsgi.input"].read()]


def invoke(event):
    return Invocation({"errorType": "E"} if event.get("fail") else {"got": event}, failed=bool(event.get("fail")))


APPLICATION = EndpointApplication(moto, {"reader": invoke}.__getitem__)


def test_requests_of_aws_clients_reach_moto():
    assert call(APPLICATION, body=b"x")[2] == b"moto:x"
    assert call(APPLICATION, body=b"x", HTTP_X_AMZ_TARGET="DynamoDB_20120810.PutItem")[2] == b"moto:x"


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HTTP_ORIGIN": "https://evil.example"}, id="a web page"),
        pytest.param({"HTTP_HOST": "evil.example:4566"}, id="another name for this address"),
        pytest.param({"HTTP_HOST": "127.0.0.1.evil.example"}, id="a name that starts like the address"),
    ],
)
def test_browsers_are_kept_out(environ):
    assert call(APPLICATION, **environ)[0] == "403 Forbidden"


def test_an_invocation_runs_the_function():
    status, headers, body = call(APPLICATION, "/2015-03-31/functions/reader/invocations", b'{"a": 1}')
    assert (status, json.loads(body)) == ("200 OK", {"got": {"a": 1}})
    assert headers["X-Amz-Executed-Version"] == "$LATEST"


def test_a_failed_invocation_is_marked():
    status, headers, _ = call(APPLICATION, "/2015-03-31/functions/reader/invocations", b'{"fail": 1}')
    assert (status, headers["X-Amz-Function-Error"]) == ("200 OK", "Unhandled")


def test_an_asynchronous_invocation_is_accepted_and_a_dry_run_runs_nothing():
    got = queue.SimpleQueue()
    application = EndpointApplication(moto, lambda name: got.put)
    path = "/2015-03-31/functions/reader/invocations"
    assert call(application, path, b"1", HTTP_X_AMZ_INVOCATION_TYPE="DryRun")[0] == "204 No Content"
    assert call(application, path, b"2", HTTP_X_AMZ_INVOCATION_TYPE="Event")[0] == "202 Accepted"
    assert got.get(timeout=10) == 2


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("other", b"{}", "404 Not Found"),
        ("reader", b"{", "400 Bad Request"),
        ("reader", b" " * 6291457, "413 Content Too Large"),
    ],
)
def test_an_invocation_that_lambda_refuses_is_refused(name, body, status):
    assert call(APPLICATION, f"/2015-03-31/functions/{name}/invocations", body)[0] == status


@pytest.mark.parametrize(
    "name",
    [
        "reader",
        "reader:$LATEST",
        "123456789012:function:reader",
        "arn:aws:lambda:us-east-1:123456789012:function:reader",
        "arn:aws:lambda:us-east-1:123456789012:function:reader:live",
    ],
)
def test_a_function_has_many_names(name):
    assert function_name(name) == "reader"


def test_a_long_poll_becomes_a_short_one():
    body, seconds = short_poll(b'{"QueueUrl": "u", "WaitTimeSeconds": 20}', "AmazonSQS.ReceiveMessage")
    assert (json.loads(body), seconds) == ({"QueueUrl": "u", "WaitTimeSeconds": 0}, 20)
    body, seconds = short_poll(b"Action=ReceiveMessage&WaitTimeSeconds=3&QueueUrl=a%26b", "")
    assert (body, seconds) == (b"Action=ReceiveMessage&WaitTimeSeconds=0&QueueUrl=a%26b", 3)


def test_other_requests_are_left_alone():
    assert short_poll(b'{"WaitTimeSeconds": 20}', "AmazonSQS.SendMessage") == (b'{"WaitTimeSeconds": 20}', 0)
