"""Binary ciphertexts on DynamoDB Local, which counts their bytes as DynamoDB does."""

import json
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer

from dynamodb_stream_encryptor.planning.local_kms import LocalKms, stand_in_arn
from item_crypto import Encoding, Keyrings, Reconciler, Role, Status, Table, ValueCipher
from item_crypto.core.codec import item_size
from tests.scene import POLICY, REGION
from tests.tables import create_table

SESSIONS = Path(__file__).parents[2] / "local" / "demo_sessions.jsonl"
KEYS = ("sessionId", "userId")


@pytest.fixture
def dynamodb(database: None) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "sessions", "sessionId", "userId")
    return client


@pytest.fixture
def reconciler(dynamodb: Any) -> Reconciler:
    # Encrypted data keys are as long as those of KMS; moto's are shorter.
    keyrings = Keyrings(LocalKms(REGION), stand_in_arn(REGION))  # type: ignore[arg-type]
    return Reconciler(Table(dynamodb, "sessions"), ValueCipher(keyrings))


def key_of(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in KEYS}


def bytes_stored(dynamodb: Any) -> int:
    return int(dynamodb.describe_table(TableName="sessions")["Table"]["TableSizeBytes"])


def test_sessions_when_stored_in_each_encoding_then_dynamodb_counts_a_quarter_less_of_their_messages(
    dynamodb: Any, reconciler: Reconciler
) -> None:
    """GIVEN real sessions WHEN encrypted THEN as text they take less than in plaintext, and as binary far less."""
    sessions = [json.loads(line, parse_float=Decimal) for line in SESSIONS.read_text().splitlines()]
    items = [{name: TypeSerializer().serialize(value) for name, value in session.items()} for session in sessions]
    for item in items:
        dynamodb.put_item(TableName="sessions", Item=item)
    sizes = {None: bytes_stored(dynamodb)}
    assert sizes[None] == sum(map(item_size, items))
    saved = 0
    for encoding, role in ((Encoding.BASE64, Role.ENCRYPTOR), (Encoding.BINARY, Role.MIGRATOR)):
        outcomes = reconciler.reconcile(map(key_of, items), replace(POLICY, encoding=encoding), role)
        assert {outcome.status for outcome in outcomes.values()} == {Status.ENCRYPTED}
        sizes[encoding] = bytes_stored(dynamodb)
        for item in dynamodb.scan(TableName="sessions")["Items"]:
            for name in ("encrypted_history", "encrypted_configuration"):
                if "B" in item.get(name, {}):
                    length = len(item[name]["B"])
                    saved += -(-length // 3) * 4 - length

    assert sizes[Encoding.BASE64] - sizes[Encoding.BINARY] == saved
    assert sizes[Encoding.BINARY] < 0.79 * sizes[Encoding.BASE64] < 0.79 * 0.86 * sizes[None]


def test_item_that_fits_as_binary_alone_when_swept_to_base64_then_it_fails_stays_and_is_read(
    dynamodb: Any,
) -> None:
    kms = boto3.client("kms")
    keyrings = Keyrings(kms, kms.create_key()["KeyMetadata"]["Arn"])
    reconciler = Reconciler(Table(dynamodb, "sessions"), ValueCipher(keyrings))
    key = {"sessionId": {"S": "s"}, "userId": {"S": "u"}}
    clear = key | {"history": {"B": random.Random(1).randbytes(320_000)}}
    dynamodb.put_item(TableName="sessions", Item=clear)
    (too_large,) = reconciler.reconcile([key], POLICY, Role.ENCRYPTOR).values()
    assert (too_large.status, too_large.reason) == (Status.FAILED, "item-too-large")

    (fits,) = reconciler.reconcile([key], replace(POLICY, encoding=Encoding.BINARY), Role.ENCRYPTOR).values()
    before = dynamodb.get_item(TableName="sessions", Key=key)["Item"]
    (swept,) = reconciler.reconcile([key], POLICY, Role.MIGRATOR).values()

    assert fits.status is Status.ENCRYPTED
    assert (swept.status, swept.reason) == (Status.FAILED, "item-too-large")
    assert dynamodb.get_item(TableName="sessions", Key=key)["Item"] == before
    assert reconciler.access(key, POLICY).item == clear
