"""What an item costs may not grow unnoticed: calls, requests and bytes exactly, processor time as a ratio.

Times are never compared with those of another run: a ratio is of one run, and only a large fall fails.
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from types import SimpleNamespace
from typing import Any, Final

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from benchmarks.contenders import Parts
from benchmarks.contenders.lisa import Lisa
from dynamodb_stream_encryptor.planning.local_kms import LocalKms, stand_in_arn
from item_crypto import ItemCipher, Keyrings, Role, Status, ValueCipher
from item_crypto.core.codec import Item, item_size
from tests.scene import CLIENT, POLICY, REGION, Scene

RECORDED: Final = 0.93
"""Our processor time against LISA's, for the same two values with their calls to KMS, as it was when last looked at."""

FALL: Final = 2.0
"""So many times the recorded ratio is a fall that no machine explains."""

ITEM: Final[Item] = {
    "sessionId": {"S": "dlg-1"},
    "userId": {"S": "user-24"},
    "history": {"L": [{"M": {"type": {"S": "human"}, "content": {"S": "tide?"}}}]},
    "configuration": {"M": {"model": {"S": "small"}}},
}


class Asked:
    """Counts what clients send, by service and operation."""

    def __init__(self, *clients: Any) -> None:
        self.calls: Counter[str] = Counter()
        for client in clients:
            client.meta.events.register("before-send", self._sent)

    def _sent(self, event_name: str, **_: Any) -> None:
        self.calls[event_name.removeprefix("before-send.")] += 1


@pytest.fixture
def world() -> Iterator[tuple[Scene, Asked]]:
    with mock_aws():
        scene = Scene()
        yield scene, Asked(scene.kms, scene.dynamodb)


def items(scene: Scene, count: int) -> list[Item]:
    """Store items with two attributes to encrypt, and return them."""
    made: list[Item] = [{**ITEM, **scene.new_key()} for _ in range(count)]
    for item in made:
        scene.store(item)
    return made


def key(item: Item) -> Item:
    return {name: item[name] for name in ("sessionId", "userId")}


# Calls


def test_encrypting_keys_takes_one_read_for_all_and_a_data_key_and_a_write_each(world: tuple[Scene, Asked]) -> None:
    scene, asked = world
    keys = [key(item) for item in items(scene, 5)]
    asked.calls.clear()

    outcomes = scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)

    assert {outcome.status for outcome in outcomes.values()} == {Status.ENCRYPTED}
    assert asked.calls == {"dynamodb.BatchGetItem": 1, "dynamodb.UpdateItem": 5, "kms.GenerateDataKey": 5}


def test_a_page_of_a_sweep_takes_a_data_key_and_a_write_an_item(world: tuple[Scene, Asked]) -> None:
    scene, asked = world
    page = [(key(item), item) for item in items(scene, 5)]
    asked.calls.clear()

    scene.reconciler.reconcile_read(page, scene.policy, Role.MIGRATOR)
    assert asked.calls == {"dynamodb.UpdateItem": 5, "kms.GenerateDataKey": 5}


def test_our_own_write_that_comes_back_takes_its_share_of_a_read(world: tuple[Scene, Asked]) -> None:
    scene, asked = world
    keys = [key(item) for item in items(scene, 3)]
    scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)
    asked.calls.clear()

    scene.reconciler.reconcile(keys, scene.policy, Role.ENCRYPTOR)
    assert asked.calls == {"dynamodb.BatchGetItem": 1}


def test_reading_an_item_of_two_encrypted_attributes_takes_a_read_and_one_decryption(
    world: tuple[Scene, Asked],
) -> None:
    scene, asked = world
    (item,) = items(scene, 1)
    scene.reconcile(key(item))
    asked.calls.clear()

    access = scene.reconciler.access(key(item), scene.policy)
    assert access.item == item
    assert asked.calls == {"dynamodb.GetItem": 1, "kms.Decrypt": 1}


# Bytes


def test_a_small_item_takes_so_many_bytes_and_no_more() -> None:
    keys = Keyrings(LocalKms(REGION), stand_in_arn(REGION))  # type: ignore[arg-type]  # As much of a client as is used.
    cipher = ItemCipher(ValueCipher(keys), POLICY, now=lambda: datetime(2026, 1, 2, 8, 30, tzinfo=UTC))
    stored = cipher.encrypt_item(ITEM)

    # Too short to be compressed, so that nothing depends on a version of zlib. A data key of KMS takes 184 bytes.
    assert {name: item_size({name: value}) for name, value in stored.items() if name not in ITEM} == {
        "encrypted_history": 745,
        "encrypted_configuration": 719,
        "encryption_version": 21,
        "is_encrypted": 13,
        "encrypted_at": 32,
    }


# Processor time


def answering_kms() -> Any:
    """Return a KMS client that does all that a client does, save that no byte leaves it: calls cost what they cost."""
    stand_in = LocalKms(REGION)

    def answer(request: Any, **_: Any) -> AWSResponse:
        made = stand_in.generate_data_key(**json.loads(request.body))
        content = {name: value if name == "KeyId" else base64.b64encode(value).decode() for name, value in made.items()}
        body = json.dumps(content).encode()
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda **_: iter([body])))

    client = boto3.client("kms", **CLIENT)
    client.meta.events.register("before-send.kms", answer)
    return client


def milliseconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1000


def test_our_processor_time_against_lisas_has_not_fallen_far_behind() -> None:
    message = {"M": {"type": {"S": "human"}, "content": {"S": " ".join(map(str, range(100)))}}}
    values: dict[str, Any] = {"history": {"L": [message] * 10}, "configuration": ITEM["configuration"]}
    plain = {name: TypeDeserializer().deserialize(value) for name, value in values.items()}
    context = {"userId": "user-24", "sessionId": "dlg-1", "purpose": "session-encryption"}
    kms = answering_kms()
    lisa = Lisa(Parts(None, None, kms, None, stand_in_arn(REGION), "sessions"))
    cipher = ValueCipher(Keyrings(kms, stand_in_arn(REGION)))

    def by_us() -> None:
        cipher.encrypt(values, context)

    def by_lisa() -> None:
        for value in plain.values():
            lisa.seal(value, context)

    rounds = [(milliseconds(by_us), milliseconds(by_lisa)) for _ in range(250)][50:]
    ratio = median(mine for mine, _ in rounds) / median(theirs for _, theirs in rounds)
    assert ratio < FALL * RECORDED
