"""What a function behind the HTTP API gets from `http_api`, shown by a third one: routes, callers, errors."""

import io
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from encryptor_runtime.telemetry import Telemetry
from http_api.errors import BadRequest, NotPermitted, Refused
from http_api.function import Function
from http_api.json_object import parse_object
from http_api.routes import Router
from item_crypto.errors import (
    ConfigurationError,
    DecryptionFailed,
    ItemTooLarge,
    SystemicError,
    TransientError,
    UnknownForm,
)
from tests.factories import CONTEXT, jwt


class Gone(Refused):
    status = 410
    result = "gone"

    def __init__(self) -> None:
        super().__init__("It is gone.", since="2026-01-02")


class Library:
    """The third function: it lends books."""

    def __init__(self, error: Exception | None = None) -> None:
        self._stream = io.StringIO()
        self.error = error
        parts = self.Parts(Telemetry("library", "arn:key", self._stream), self)
        self.function = Function(
            name="library",
            compose=lambda: parts,
            routes=app,
            operations={"GET /book/{title}": "lend", "PUT /book/{title}": "return"},
            identify=_reader,
            sentences={ItemTooLarge: (413, "That is too thick a book."), TransientError: (503, "Ring again.")},
        )

    @dataclass(frozen=True)
    class Parts:
        telemetry: Telemetry
        library: "Library"

        def invocation(self, context: Any) -> AbstractContextManager[None]:
            return self.telemetry.invocation(context)

    def call(self, method: str, title: str, authorizer: Any, body: str | None = None, stage: str = "$default") -> Any:
        return self.function.serve(
            {
                "routeKey": f"{method} /book/{{title}}",
                "pathParameters": {"title": title},
                "rawPath": "/whatever/a/custom/domain/makes/of/it",
                "headers": {},
                "body": body,
                "requestContext": {
                    "authorizer": authorizer,
                    "http": {"method": method, "path": "/whatever"},
                    "stage": stage,
                },
            },
            CONTEXT,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


app: Router[Library.Parts] = Router()
_Title = Annotated[str, Path()]


def _reader(event: Mapping[str, Any], operation: str, _: Library.Parts) -> str:
    user: str = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    if operation == "return" and user == "thief":
        raise NotPermitted(user, "return books")
    return user


@app.get("/book/<title>")
def _lend(title: _Title) -> Response[str]:
    parts, line = app.call.parts, app.call.line
    line.facts = {"shelf": 7}
    if parts.library.error is not None:
        raise parts.library.error
    return Response(200, "application/json", json.dumps({"title": title, "to": line.who}))


@app.put("/book/<title>")
def _return(title: _Title, content: Annotated[dict[str, Any], Body()]) -> Response[str]:
    app.call.line.result = "returned"
    return Response(200, "application/json", json.dumps({"title": title, "content": content}))


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> str:
    # Powertools keeps one logger for each service, with the stream it was first given.
    name = f"stack-{uuid4()}"
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)
    return name


@pytest.mark.parametrize("stage", ["$default", "prod"])
@pytest.mark.parametrize("title", ["Tides", "a/b", "50%", "a%2Fb", "{title}", "é ü", "a\nb", "a,b", "?&#", ".."])
def test_given_any_character_in_a_parameter_when_routed_then_it_arrives_as_it_was_sent(title: str, stage: str) -> None:
    library = Library()

    answer = library.call("GET", title, jwt("alice"), stage=stage)

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"title": title, "to": "alice"}
    assert answer["headers"]["Cache-Control"] == "no-store"
    (line,) = library.lines()
    assert (line["who"], line["operation"], line["result"], line["shelf"]) == ("alice", "lend", "done", 7)


@pytest.mark.parametrize(
    ("error", "status", "sentence", "facts"),
    [
        pytest.param(Gone(), 410, "It is gone.", {"result": "gone", "status": 410}, id="a refusal of its own"),
        pytest.param(BadRequest("title", "is torn"), 400, "title: is torn.", {"result": "refused"}, id="a bad request"),
        pytest.param(
            ItemTooLarge("x"),
            413,
            "That is too thick a book.",
            {"reason": "item-too-large"},
            id="a sentence of its own",
        ),
        pytest.param(
            TransientError("dynamodb", "Throttling"),
            503,
            "Ring again.",
            {"reason": "transient", "failedService": "dynamodb", "code": "Throttling"},
            id="another sentence than the shared one",
        ),
        pytest.param(
            ConfigurationError("x"),
            500,
            "The service is not configured correctly; its log says why.",
            {"reason": "configuration", "failedService": "configuration"},
            id="the shared sentence",
        ),
        pytest.param(
            DecryptionFailed("not-authentic"),
            500,
            "Something went wrong; the request was not served.",
            {"reason": "decryption-failed", "detail": "not-authentic"},
            id="an item's failure",
        ),
        pytest.param(
            UnknownForm("x"),
            500,
            "Something went wrong; the request was not served.",
            {"reason": "unknown-form"},
            id="another failure of an item",
        ),
        pytest.param(
            KeyError("s3cr3t"),
            500,
            "Something went wrong; the request was not served.",
            {"reason": "unexpected"},
            id="a surprise",
        ),
    ],
)
def test_given_an_error_when_a_route_raises_it_then_the_closest_sentence_is_told_and_the_audit_line_says_why(
    error: Exception, status: int, sentence: str, facts: dict[str, Any]
) -> None:
    library = Library(error)

    answer = library.call("GET", "Tides", jwt("alice"))

    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["statusCode"], body["message"]) == (status, status, sentence)
    assert answer["headers"].get("Retry-After") == ("1" if status == 503 else None)
    assert ("since" in body) == (status == 410)
    line = library.lines()[0]
    assert {"audit": True, "who": "alice", "shelf": 7, **facts}.items() <= line.items()
    assert "s3cr3t" not in answer["body"] + json.dumps(library.lines())


def test_given_a_service_that_refuses_when_logged_then_it_and_the_stack_have_each_a_field(stack: str) -> None:
    library = Library(SystemicError("kms", "AccessDeniedException"))

    library.call("GET", "Tides", jwt("alice"))

    audit, problem = library.lines()
    assert (audit["audit"], problem["level"]) == (True, "ERROR")
    for line in (audit, problem):
        assert (line["service"], line["failedService"], line["code"]) == (stack, "kms", "AccessDeniedException")


def test_given_a_caller_who_may_not_when_they_send_an_unusable_body_then_they_learn_nothing_of_it() -> None:
    library = Library()

    answer = library.call("PUT", "Tides", jwt("thief"), "no JSON")

    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["message"] == "This identity may not return books."
    (line,) = library.lines()
    assert (line["who"], line["result"]) == ("thief", "denied")


def test_given_a_member_twice_when_parsed_then_it_is_refused_by_name_at_any_depth() -> None:
    for text in ('{"a": 1, "a": 2}', '{"b": [{"a": 1, "a": 2}]}'):
        with pytest.raises(BadRequest) as refused:
            parse_object(text)
        assert refused.value.field == "a"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"a"', "[" * 100_000, f'{{"a": {"1" * 5000}}}'])
def test_given_what_is_no_object_when_parsed_then_the_body_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_object(text)

    assert refused.value.field == "body"


def test_given_numbers_when_parsed_then_the_caller_says_what_becomes_of_them() -> None:
    text = '{"a": [1, 0.1, -1e400, NaN, Infinity]}'

    assert parse_object(text, str) == {"a": ["1", "0.1", "-1e400", "NaN", "Infinity"]}
    assert parse_object('{"a": [1, 0.5]}') == {"a": [1, 0.5]}
