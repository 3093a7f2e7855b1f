"""The whole pipeline on the local stack: plain boto3 writes, the stream encrypts, owners read back through the API.

SESSIONS_FILE names other input (.jsonl or .jsonl.gz) than the demo's sessions.
"""

import base64
import gzip
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient

from local import LocalStack
from local.sessions import SAMPLES, load_sessions

Session = dict[str, Any]


@pytest.fixture(scope="module")
def sessions() -> list[Session]:
    path = Path(os.environ.get("SESSIONS_FILE", SAMPLES))
    return list(load_sessions(path if path.exists() else SAMPLES))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(state_directory=tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.fixture(scope="module")
def encrypted(stack: LocalStack, sessions: list[Session]) -> list[dict[str, Any]]:
    """The table after an unchanged writer put all sessions and the stream was worked off."""
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    for session in sessions:
        table.put_item(Item=session)
    stack.wait_until_idle(timeout=300)
    pages = stack.client("dynamodb").get_paginator("scan")
    return [item for page in pages.paginate(TableName=stack.outputs["TableName"]) for item in page["Items"]]


def call(stack: LocalStack, method: str, path: str, user: str | None, body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {stack.token(user)}"} if user else {}
    data = None if body is None else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(stack.api_url + path, method=method, headers=headers, data=data)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
            return response.status, json.loads(text, parse_float=Decimal, parse_int=Decimal) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def path_of(session: Session) -> str:
    return "/session/" + urllib.parse.quote(session["sessionId"], safe="")


def test_every_session_ends_encrypted_with_no_plaintext_left(
    encrypted: list[dict[str, Any]], sessions: list[Session]
) -> None:
    assert {(i["sessionId"]["S"], i["userId"]["S"]) for i in encrypted} == {
        (s["sessionId"], s["userId"]) for s in sessions
    }
    assert [i["sessionId"] for i in encrypted if "history" in i or "configuration" in i] == []
    assert all(item["is_encrypted"] == {"BOOL": True} for item in encrypted)


def test_every_session_reads_back_equal_through_the_api(
    stack: LocalStack, encrypted: list[dict[str, Any]], sessions: list[Session]
) -> None:
    for session in sessions:
        status, answer = call(stack, "GET", path_of(session), session["userId"])
        assert status == 200
        assert {name: answer[name] for name in session} == session


def test_another_users_session_is_not_found_and_no_token_is_refused(
    stack: LocalStack, encrypted: list[dict[str, Any]], sessions: list[Session]
) -> None:
    missing = call(stack, "GET", "/session/there-is-none", "eve")
    assert call(stack, "GET", path_of(sessions[0]), "eve") == missing
    assert missing[0] == 404
    assert call(stack, "GET", path_of(sessions[0]), None)[0] == 401


def test_a_message_decrypts_with_the_aws_encryption_sdk_alone(
    stack: LocalStack, encrypted: list[dict[str, Any]], sessions: list[Session]
) -> None:
    item = next(i for i in encrypted if "encrypted_history" in i)
    keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_keyring(
        CreateAwsKmsKeyringInput(
            kms_key_id=stack.outputs["KeyArn"],
            kms_client=boto3.client(
                "kms",
                endpoint_url=stack.endpoint_url,
                region_name=stack.region,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            ),
        )
    )
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    text, _ = client.decrypt(
        source=base64.b64decode(item["encrypted_history"]["S"]),
        keyring=keyring,
        encryption_context={
            "userId": item["userId"]["S"],
            "sessionId": item["sessionId"]["S"],
            "purpose": "session-encryption",
        },
    )
    document = json.loads(gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text)
    written = next(s for s in sessions if s["sessionId"] == item["sessionId"]["S"])
    assert list(document) == ["history"]
    assert len(document["history"]["L"]) == len(written["history"])


def test_a_session_put_through_the_api_is_stored_encrypted_at_once_and_listed_and_deleted(
    stack: LocalStack,
) -> None:
    status, created = call(stack, "PUT", "/session/by-api", "grace", {"name": "n", "history": [{"content": "sesame"}]})
    assert status == 201
    key = {"sessionId": {"S": "by-api"}, "userId": {"S": "grace"}}
    stored = stack.client("dynamodb").get_item(TableName=stack.outputs["TableName"], Key=key)["Item"]
    assert "history" not in stored
    assert stored["is_encrypted"] == {"BOOL": True}

    status, changed = call(stack, "PUT", "/session/by-api", "grace", {"configuration": {"model": "m"}})
    assert (status, changed["history"]) == (200, created["history"])
    assert changed["createTime"] == created["createTime"]

    status, listed = call(stack, "GET", "/session", "grace")
    assert (status, [s["sessionId"] for s in listed["sessions"]]) == (200, ["by-api"])
    assert call(stack, "GET", "/session", "heidi") == (200, {"sessions": []})
    assert call(stack, "DELETE", "/session/by-api", "heidi")[0] == 404
    assert call(stack, "DELETE", "/session/by-api", "grace")[0] == 204
    assert call(stack, "GET", "/session/by-api", "grace")[0] == 404


def test_a_service_reads_an_item_by_its_key(
    stack: LocalStack, encrypted: list[dict[str, Any]], sessions: list[Session]
) -> None:
    session = next(s for s in sessions if s.get("history"))
    key = {"sessionId": {"S": session["sessionId"]}, "userId": {"S": session["userId"]}}
    answer = stack.client("lambda").invoke(
        FunctionName=stack.outputs["ItemReaderFunctionName"], Payload=json.dumps({"Key": key})
    )
    item = json.load(answer["Payload"])["Item"]
    assert len(item["history"]["L"]) == len(session["history"])
    assert "encrypted_history" not in item


def test_what_was_written_while_the_mapping_was_disabled_is_encrypted_when_it_is_enabled(stack: LocalStack) -> None:
    lambda_client, dynamodb = stack.client("lambda"), stack.client("dynamodb")
    mappings = lambda_client.list_event_source_mappings()["EventSourceMappings"]
    (mapping,) = (m for m in mappings if ":dynamodb:" in m["EventSourceArn"])
    lambda_client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        for number in range(20):  # What is read of the stream when it is disabled is still delivered, as in AWS.
            key = {"sessionId": {"S": f"late-{number}"}, "userId": {"S": "ivan"}}
            dynamodb.put_item(TableName=stack.outputs["TableName"], Item={**key, "history": {"L": [{"S": "secret"}]}})
            stack.wait_until_idle()
            if "history" in dynamodb.get_item(TableName=stack.outputs["TableName"], Key=key)["Item"]:
                break
        else:
            raise AssertionError("the mapping is never disabled")
    finally:
        lambda_client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    stack.wait_until_idle()
    for _ in range(100):
        item = dynamodb.get_item(TableName=stack.outputs["TableName"], Key=key)["Item"]
        if "history" not in item:
            break
        time.sleep(0.1)
    assert "history" not in item


def test_nothing_that_was_written_stands_in_a_log(stack: LocalStack, encrypted: list[dict[str, Any]]) -> None:
    logs = "".join(path.read_text() for path in stack.log_files.values() if path.exists())
    assert '"audit":true' in logs
    for item in encrypted[:50]:
        assert (
            item["encrypted_configuration" if "encrypted_configuration" in item else "encrypted_history"]["S"]
            not in logs
        )
    assert "sesame" not in logs
