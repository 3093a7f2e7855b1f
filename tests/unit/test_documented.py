"""What holds answers against the OpenAPI document does find what is wrong with one."""

import json
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.documented import fits, undocumented

PROBLEM: dict[str, Any] = {"statusCode": 400, "message": "No.", "field": "name"}


def put(status: int, body: Any, **headers: str) -> None:
    fits("/session/{sessionId}", "PUT", status, json.dumps(body), headers)


def test_given_an_answer_as_it_is_documented_when_checked_then_it_fits() -> None:
    put(400, PROBLEM)
    put(400, {"message": "From API Gateway"})
    put(200, {"form": "encrypted", "session": {"sessionId": "s", "userId": "u"}}, ETag="x")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        pytest.param(418, PROBLEM, {}, id="a status"),
        pytest.param(400, PROBLEM, {"X-More": "1"}, id="a header"),
        pytest.param(400, {**PROBLEM, "cause": "x"}, {}, id="a member"),
        pytest.param(409, {**PROBLEM, "statusCode": "409"}, {}, id="a type"),
        pytest.param(200, {"form": "encrypted", "session": {"sessionId": 1}}, {}, id="a type further in"),
    ],
)
def test_given_what_the_document_does_not_name_when_checked_then_it_does_not_fit(
    status: int, body: Any, headers: dict[str, str]
) -> None:
    with pytest.raises((AssertionError, KeyError, ValidationError)):
        put(status, body, **headers)


def test_given_a_member_further_in_when_looked_for_then_it_is_found() -> None:
    schema = {"properties": {"rows": {"items": {"properties": {"known": {}}}}, "more": {"additionalProperties": True}}}

    assert undocumented({"rows": [{"known": 1}, {"unknown": 2}], "more": {"any": 3}}, schema) == {"unknown"}
