"""Every answer fits the OpenAPI document: its status is there, its body has the schema, its headers are described."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from openapi_spec_validator import validate

from local.http_event import HttpResponse
from reader import application
from reader.handler import lambda_handler
from tests import factories
from tests.documented import DOCUMENT, fits
from tests.factories import Answer, World, request, session


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


def call(
    world: World,
    method: str,
    body: Any = None,
    session_id: str | None = "dlg-1",
    query: str = "",
    authorizer: Any = None,
    content_type: str = "application/json",
    **headers: str,
) -> int:
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    event = request(
        method, session_id, text, authorizer or factories.jwt("alice"), query=query, content_type=content_type
    )
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Answer(lambda_handler(event, factories.CONTEXT))
    path = "/session" if session_id is None else "/session/{sessionId}"
    fits(path, method, answer.status, answer.text, answer.headers)
    return answer.status


def test_document_when_it_is_checked_then_it_is_openapi() -> None:
    validate(DOCUMENT)


def test_answers_of_the_reader_when_given_then_each_fits_the_document(world: World) -> None:
    assert call(world, "PUT", {"name": "a", "history": [1, None, {"a": 1e100}]}) == 201
    assert call(world, "PUT", {"configuration": {}}) == 200
    assert call(world, "GET") == 200
    assert call(world, "GET", session_id=None) == 200
    world.store(session("odd", name={"N": "7"}, history={"S": "text"}, configuration={"NULL": True}, more={"B": b"x"}))
    assert call(world, "GET", session_id="odd") == 200
    assert call(world, "GET", session_id=None, query="limit=1") == 200
    assert call(world, "GET", session_id=None, query="limit=0") == 400
    assert call(world, "GET", session_id=None, query="nextToken=x") == 400
    assert call(world, "GET", session_id="none") == 404
    assert call(world, "PUT", {"name": 1}) == 400
    assert call(world, "PUT", {"name": "x" * 500_000}) == 413
    assert call(world, "PUT", "x" * 3_200_000) == 413
    assert call(world, "PUT", "a", content_type="text/plain") == 415
    assert call(world, "PUT", {"name": "b"}, if_match='"other"') == 412
    assert call(world, "DELETE", if_match='"other"') == 412
    assert call(world, "GET", authorizer=factories.jwt("")) == 401
    assert call(world, "GET", authorizer=factories.iam("AROASTRANGER:alice")) == 403
    world.store(session(history=None, encrypted_history={"S": "garbage"}))
    assert call(world, "GET") == 500
    assert call(world, "DELETE") == 204
    assert call(world, "DELETE") == 404


def test_answers_when_services_fail_then_each_fits_the_document(world: World) -> None:
    world.faults.lasting.begin(world.faults.failing("dynamodb.UpdateItem", "InternalServerError", status=500))
    assert call(world, "PUT", {"name": "a"}) == 503
    world.faults.lasting.begin(world.faults.failing("dynamodb.GetItem", "ThrottlingException"))
    assert call(world, "GET") == 503
    world.set(CONTEXT_ATTRIBUTES="userId")
    assert call(world, "GET") == 500


@pytest.mark.parametrize("status", [400, 401, 403, 413, 429, 431, 500, 503])
def test_answers_of_api_gateway_when_given_then_each_fits_every_operation(status: int) -> None:
    body = HttpResponse.message(status, "What API Gateway says").body.decode()
    for path, operations in DOCUMENT["paths"].items():
        for method in operations:
            fits(path, method, status, body, {"apigw-requestid": "x"})
            fits(path, method, status, '{"message": null}', {})
