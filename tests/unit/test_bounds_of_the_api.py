"""What the functions behind the HTTP API share, at its edges: users, bodies, metrics by route, retries."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from encryptor_runtime.clients import longest_call
from encryptor_runtime.telemetry import Telemetry
from http_api.errors import BadRequest, BodyTooLarge, NotIdentified, NotJson
from http_api.identity import usable
from http_api.requests import MAX_BODY, routable
from tests.factories import json_lines, jwt
from tests.unit.test_http_api import Library

EVENT: dict[str, Any] = {"routeKey": "PUT /book/{title}", "requestContext": {"stage": "$default"}}


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    # Powertools keeps one logger for each service, with the stream it was first given.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"stack-{uuid4()}")


@pytest.mark.parametrize("user", ["a", "a" * 1024, "é" * 512])
def test_user_when_up_to_1024_bytes_long_then_usable(user: str) -> None:
    assert usable(user) == user


@pytest.mark.parametrize("user", ["", None, 7, "a" * 1025, "é" * 513, "\ud800"], ids=lambda user: repr(user)[:9])
def test_user_when_it_is_none_or_too_long_then_not_identified(user: Any) -> None:
    with pytest.raises(NotIdentified):
        usable(user)


# Bodies


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_body_when_it_comes_as_base64_then_it_is_read() -> None:
    event = routable({**EVENT, "body": base64_text(b'{"a": "\xc3\xa9"}'), "isBase64Encoded": True})

    assert (event["body"], event["isBase64Encoded"]) == ('{"a": "é"}', False)
    assert (event["rawPath"], event["headers"]) == ("/book/{title}", {"content-type": "application/json"})


@pytest.mark.parametrize("body", ["%", "e30", base64_text(b"\xff{}")])
def test_body_when_it_is_no_text_then_that_is_said(body: str) -> None:
    with pytest.raises(BadRequest) as told:
        routable({**EVENT, "body": body, "isBase64Encoded": True})

    assert str(told.value) == "body: must be UTF-8 text."


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [("x" * MAX_BODY, False), ("é" * (MAX_BODY // 2), False), (base64_text(b"x" * MAX_BODY), True)],
    ids=["text", "bytes", "base64"],
)
def test_body_when_it_is_as_large_as_may_be_then_it_is_taken_and_one_byte_more_is_not(
    body: str, is_base64: bool
) -> None:
    event = {**EVENT, "body": body, "isBase64Encoded": is_base64}
    larger = base64_text(b"x" * (MAX_BODY + 1)) if is_base64 else body + "x"

    assert routable(event)["body"] is not None
    with pytest.raises(BodyTooLarge):
        routable({**event, "body": larger})


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [("application/json", True), ("Application/JSON ; charset=utf-8", True), ("text/plain", False), ("", False)],
)
def test_body_when_it_is_announced_as_something_else_then_it_is_not_looked_into(
    content_type: str, is_json: bool
) -> None:
    event = {**EVENT, "headers": {"content-type": content_type}}

    assert routable(event)["body"] is None  # Without a body, its type is nothing.
    if is_json:
        assert routable({**event, "body": "{}"})["body"] == "{}"
    else:
        with pytest.raises(NotJson):
            routable({**event, "body": "{}"})


# Metrics by route


def counted(output: str, dimension: str) -> list[tuple[str, float]]:
    lines = [line for line in json_lines(output) if dimension in line]
    return [(line[dimension], line.get("Requests", line.get("Errors"))) for line in lines]


def test_request_when_it_is_served_then_it_is_counted_once_by_its_route(capsys: pytest.CaptureFixture[str]) -> None:
    library = Library()
    library.call("GET", "Tides", jwt("alice"))
    library.call("GET", "Moons", jwt("alice"))

    assert counted(capsys.readouterr().out, "route") == [("GET /book/{title}", [1.0])] * 2


def test_request_when_it_comes_by_no_route_then_what_it_made_up_is_no_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = Library().call("BREW", "Tides", jwt("alice"))

    assert answer["statusCode"] == 404
    output = capsys.readouterr().out
    assert counted(output, "route") == [("none", [1.0])]
    assert counted(output, "class") == [("NoSuchRoute", [1.0])]


def test_counter_when_it_is_written_then_it_begins_anew(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = Telemetry("library", "arn:key")
    telemetry.count_by("Requests", "route", "GET /")
    telemetry.count_by("Requests", "route", "GET /", 2)
    telemetry.flush()
    telemetry.flush()

    assert counted(capsys.readouterr().out, "route") == [("GET /", [3.0])]


# How long a call lasts


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 3), (2, 3 * 2 + 1 + 5), (3, 3 * 3 + 1 + 2 + 10), (7, 3 * 7 + 1 + 2 + 4 + 8 + 16 + 20 + 30)],
)
def test_call_when_every_attempt_takes_its_time_then_waits_are_added_up(attempts: int, seconds: float) -> None:
    assert longest_call(1, 2, attempts) == seconds


def test_admins_change_when_a_member_has_another_type_then_it_is_refused() -> None:
    from pydantic import ValidationError

    from admin.api import Change

    assert Change.model_validate({"enabled": True, "version": 0}).confirm is None
    for odd in (
        {"enabled": "true"},
        {"enabled": 1},
        {"version": "0"},
        {"version": -1},
        {"confirm": "no"},
        {"other": 1},
    ):
        with pytest.raises(ValidationError):
            Change.model_validate_json(json.dumps({"enabled": True, "version": 0, **odd}))
