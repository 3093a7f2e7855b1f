"""Every answer of the data keys' routes fits the OpenAPI document: status, body and headers."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator

from session_keys import application
from tests import documented
from tests.documented import DOCUMENT
from tests.factories import iam, jwt
from tests.key_requests import KeyAnswer, KeyWorld


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[KeyWorld]:
    yield KeyWorld(monkeypatch)
    application.session_keys.cache_clear()
    boto3.setup_default_session()


def fits(route: str, answer: KeyAnswer) -> int:
    """Return the status of an answer, checked against what the document says of it."""
    documented.fits(f"/session/encryption/{route}", "post", answer.status, answer.text, answer.headers)
    return answer.status


def request_schema(route: str) -> Draft202012Validator:
    body = DOCUMENT["paths"][f"/session/encryption/{route}"]["post"]["requestBody"]
    assert body["required"]
    schema = body["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_answers_when_given_then_each_fits_the_document(world: KeyWorld) -> None:
    made = world.generate()
    encrypted = made.body["encryptedKey"]
    assert fits("generate-key", made) == 200
    assert fits("decrypt-key", world.decrypt(encrypted)) == 200
    assert fits("decrypt-key", world.decrypt(encrypted, user="bob")) == 400
    assert fits("decrypt-key", world.decrypt("%")) == 400
    for route in ("generate-key", "decrypt-key"):

        def send(body: Any = "{}", route: str = route, **options: Any) -> int:
            return fits(route, world.send(route, body, **options))

        assert send("[]") == 400
        assert send(authorizer=jwt("")) == 401
        assert send(authorizer=iam("AROASTRANGER:alice")) == 403
        assert send("x" * 3_200_000) == 413
        assert send(content_type="text/plain") == 415
        body = {"sessionId": "dlg-1"} | ({"encryptedKey": encrypted} if route == "decrypt-key" else {})
        with world.faults.failing("kms", "ThrottlingException"):
            assert send(body) == 503
        with world.faults.failing("kms", "DisabledException"):
            assert send(body) == 500
    world.switch_off()
    assert fits("generate-key", world.generate()) == 409


@pytest.mark.parametrize(
    ("route", "body", "valid"),
    [
        ("generate-key", {"sessionId": "dlg-1"}, True),
        ("generate-key", {"sessionId": "dlg-1", "userId": "bob"}, False),
        ("generate-key", {}, False),
        ("decrypt-key", {"sessionId": "dlg-1", "encryptedKey": "AAAA"}, True),
        ("decrypt-key", {"sessionId": "dlg-1", "encryptedKey": ""}, False),
        ("decrypt-key", {"sessionId": "dlg-1", "encryptedKey": "A" * 8196}, False),
        ("decrypt-key", {"sessionId": "dlg-1"}, False),
    ],
)
def test_requests_when_described_then_the_document_takes_those_that_the_function_takes(
    route: str, body: Any, valid: bool
) -> None:
    assert request_schema(route).is_valid(body) is valid
