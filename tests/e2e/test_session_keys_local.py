"""Data keys on the local stack: the function, its routes and its rights come from the template alone."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import LocalStack

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    parameters = {"SettingCacheSeconds": "0", "AllowedOrigins": ORIGIN}
    with LocalStack(state_directory=tmp_path_factory.mktemp("keys"), parameters=parameters) as stack:
        yield stack


def send(stack: LocalStack, route: str, body: Any, user: str | None) -> tuple[int, Any, Any]:
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    if user is not None:
        headers["Authorization"] = f"Bearer {stack.token(user)}"
    url = f"{stack.api_url}/session/encryption/{route}"
    asked = urllib.request.Request(url, method="POST", headers=headers, data=json.dumps(body).encode())
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def test_given_the_stack_when_users_ask_for_keys_then_each_gets_those_of_their_own_sessions(stack: LocalStack) -> None:
    status, headers, made = send(stack, "generate-key", {"sessionId": "new/1"}, "alice")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert headers["access-control-allow-origin"] == ORIGIN
    assert made["encryptionContext"] == {"userId": "alice", "sessionId": "new/1", "purpose": "session-encryption"}
    assert made["keyArn"] == stack.outputs["KeyArn"]
    assert len(base64.b64decode(made["plaintextKey"])) == 32
    wanted = {"sessionId": "new/1", "encryptedKey": made["encryptedKey"]}

    assert send(stack, "decrypt-key", wanted, "alice")[::2] == (200, {"plaintextKey": made["plaintextKey"]})
    assert send(stack, "decrypt-key", wanted, "bob")[0] == 400
    assert send(stack, "decrypt-key", wanted | {"sessionId": "new/2"}, "alice")[0] == 400
    assert send(stack, "decrypt-key", wanted, None)[0] == 401

    off = {"command": "set-config", "by": "root", "enabled": False, "version": 0, "confirm": "switch-off"}
    assert "error" not in stack.invoke("ControlFunction", off)
    assert send(stack, "generate-key", {"sessionId": "new/1"}, "alice")[0] == 409
    assert send(stack, "decrypt-key", wanted, "alice")[0] == 200

    logged = "".join(path.read_text() for path in map(Path, stack.log_files.values()) if path.exists())
    assert '"operation":"decrypt-key"' in logged
    assert made["plaintextKey"] not in logged
    assert made["encryptedKey"] not in logged


def test_given_a_page_of_an_allowed_origin_when_it_asks_first_then_post_is_allowed(stack: LocalStack) -> None:
    asked = urllib.request.Request(f"{stack.api_url}/session/encryption/generate-key", method="OPTIONS")
    asked.add_header("Origin", ORIGIN)
    asked.add_header("Access-Control-Request-Method", "POST")
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert "POST" in answer.headers["access-control-allow-methods"]
