"""The wheel, built and installed into an empty environment, as somebody without this checkout uses it.

It needs a package index, as pip is configured to find it.
"""

import importlib.metadata
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from tests.alone import run_alone

VERSION = importlib.metadata.version("dynamodb-stream-encryptor")

USES_A_TABLE = """
import json, os
import boto3
from item_crypto import EncryptedTable, Encryption, Keyrings, Policy, ValueCipher

kms = boto3.client("kms")
key_arn = kms.create_key()["KeyMetadata"]["Arn"]
policy = Policy(
    attributes=("history",), appended=frozenset(), context_attributes=("id",), purpose="orders", enabled=True
)
dynamodb = boto3.resource("dynamodb")
plain = dynamodb.create_table(
    TableName="orders",
    BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
)
table = EncryptedTable(plain, Encryption(ValueCipher(Keyrings(kms, key_arn)), policy))
table.put_item(Item={"id": "1", "history": ["a secret"]})
stored = plain.get_item(Key={"id": "1"})["Item"]
print(json.dumps({"stored": sorted(stored), "read": table.get_item(Key={"id": "1"})["Item"]}))
"""


@pytest.fixture
def moto_server() -> Iterator[str]:
    """The address of an AWS by moto."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_wheel_when_looked_into_then_it_has_two_packages_typed_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"item_crypto", "dynamodb_stream_encryptor"}
    assert {"item_crypto/py.typed", "dynamodb_stream_encryptor/py.typed"} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".pem", ".env"))]


def test_command_when_installed_then_it_tells_its_version_and_its_help(environment: Path) -> None:
    command = environment / "stream-encryptor"
    assert run_alone(command, "--version") == f"stream-encryptor {VERSION}\n"
    assert "migrate" in run_alone(command, "--help")
    assert "--stack" in run_alone(command, "status", "--help")


def test_command_when_installed_then_it_completes_in_a_shell(environment: Path) -> None:
    command = environment / "stream-encryptor"
    assert "_STREAM_ENCRYPTOR_COMPLETE" in run_alone(command, "--show-completion", "bash")
    words = run_alone(
        command, _STREAM_ENCRYPTOR_COMPLETE="complete_bash", COMP_WORDS="stream-encryptor mig", COMP_CWORD="1"
    )
    assert words.split() == ["migrate"]


def test_library_when_installed_then_a_table_is_encrypted_and_read(environment: Path, moto_server: str) -> None:
    output = run_alone(
        environment / "python",
        "-c",
        USES_A_TABLE,
        AWS_ENDPOINT_URL=moto_server,
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION="eu-central-1",
    )
    assert json.loads(output) == {
        "stored": ["encrypted_at", "encrypted_history", "encryption_version", "id", "is_encrypted"],
        "read": {"id": "1", "history": ["a secret"]},
    }


def test_library_when_installed_then_it_brings_nothing_of_lambda(environment: Path) -> None:
    listed = json.loads(run_alone(environment / "python", "-m", "pip", "list", "--format", "json"))
    names = {package["name"].lower() for package in listed}
    assert {"boto3", "aws-encryption-sdk", "typer"} <= names
    assert "aws-lambda-powertools" not in names
