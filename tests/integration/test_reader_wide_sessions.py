"""A session of more attributes than one condition can name: If-Match is refused, and said to be what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from reader import application
from reader.handler import lambda_handler
from tests import factories
from tests.factories import World, json_lines, metrics, request, session


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


def send(world: World, method: str, body: str | None = None, **headers: str) -> Any:
    event = request(method, "dlg-1", body=body, authorizer=factories.jwt("alice"))
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return factories.Answer(lambda_handler(event, factories.CONTEXT))


def wide(world: World, attributes: int) -> None:
    world.store(session(**{f"attribute{number}": {"S": "x"} for number in range(attributes)}))


@pytest.mark.parametrize(("method", "body"), [("PUT", '{"name": "mine"}'), ("DELETE", None)])
@pytest.mark.parametrize("any_tag", [True, False], ids=["*", "its tag"])
def test_session_with_too_many_attributes_when_written_under_if_match_then_400_names_it_and_nothing_is_done(
    world: World, method: str, body: str | None, any_tag: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    wide(world, 200)
    tag = "*" if any_tag else send(world, "GET").headers["ETag"]
    before = world.stored()
    capsys.readouterr()

    answer = send(world, method, body, if_match=tag)

    assert (answer.status, json.loads(answer.text)["field"]) == (400, "If-Match")
    assert "too many attributes" in json.loads(answer.text)["message"]
    assert world.stored() == before
    output = capsys.readouterr().out
    assert "DecryptionsFailed" not in metrics(output), "nothing is wrong with what is stored"
    assert [line["status"] for line in json_lines(output) if line.get("audit")] == [400]


def test_same_session_when_written_without_a_condition_then_it_is(world: World) -> None:
    wide(world, 200)
    assert send(world, "PUT", '{"name": "mine"}').status == 200
    assert send(world, "DELETE").status == 204


def test_session_of_140_attributes_when_written_under_if_match_then_it_is(world: World) -> None:
    wide(world, 140 - len(session()))
    tag = send(world, "GET").headers["ETag"]
    changed = send(world, "PUT", '{"name": "mine"}', if_match=tag)
    assert changed.status == 200
    assert send(world, "DELETE", if_match=changed.headers["ETag"]).status == 204
