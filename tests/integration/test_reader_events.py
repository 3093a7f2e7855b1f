"""The ready events for the reader, run as they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from reader import application, handler, item
from tests.factories import CONTEXT, World, session

EVENTS = Path(__file__).parents[2] / "events"
SESSION_ID = "dlg-harbour-1"
USER = "user-24"


def event(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return content


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    application.item_reader.cache_clear()
    boto3.setup_default_session()


@pytest.mark.parametrize(
    ("name", "status"),
    [("api-get-session", 200), ("api-put-session", 200), ("api-list-sessions", 200), ("api-delete-session", 204)],
)
def test_given_a_session_when_an_api_event_is_run_then_it_is_served(world: World, name: str, status: int) -> None:
    world.store(session(SESSION_ID, USER))

    assert handler.lambda_handler(event(name), CONTEXT)["statusCode"] == status


def test_given_the_put_event_when_run_then_the_get_event_returns_what_it_put(world: World) -> None:
    assert handler.lambda_handler(event("api-put-session"), CONTEXT)["statusCode"] == 201

    answer = handler.lambda_handler(event("api-get-session"), CONTEXT)

    put = json.loads(event("api-put-session")["body"])
    assert {name: json.loads(answer["body"])[name] for name in put} == put
    assert "history" not in world.stored(SESSION_ID, USER)


def test_given_the_item_reader_event_when_run_then_the_item_comes_in_the_clear(world: World) -> None:
    world.store(session(SESSION_ID, USER))

    assert item.lambda_handler(event("item-reader"), CONTEXT) == {"Item": session(SESSION_ID, USER)}
