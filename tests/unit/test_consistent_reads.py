"""Every read that a decision rests on is consistent: an older image would undo what came in between."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from item_crypto import EncryptedClient, Encryption
from item_crypto.core.key import distinct
from tests.scene import HISTORY, TABLE, Scene


@pytest.fixture
def reads(scene: Scene) -> Iterator[list[dict[str, Any]]]:
    """The parameters of the reads that DynamoDB gets."""
    seen: list[dict[str, Any]] = []

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.name in ("GetItem", "BatchGetItem", "Scan", "Query"):
            seen.append(json.loads(params["body"]))

    scene.dynamodb.meta.events.register("before-call.dynamodb", note)
    yield seen
    scene.dynamodb.meta.events.unregister("before-call.dynamodb", note)


READS: dict[str, Callable[[Scene, Any], object]] = {
    "one item": lambda scene, key: scene.table.get(key),
    "many items": lambda scene, key: scene.table.read(distinct([key])),
    "a page": lambda scene, _: scene.table.scan(Limit=1),
    "an access": lambda scene, key: scene.reconciler.access(key, scene.policy),
    "a put": lambda scene, key: scene.reconciler.put(key, scene.policy, {"history": HISTORY}, {}),
    "a hint": lambda scene, key: scene.reconcile(key),
    "an update through the drop-in": lambda scene, key: EncryptedClient(
        scene.dynamodb, {TABLE: Encryption(scene.cipher, scene.policy)}
    ).update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET history = :h", ExpressionAttributeValues={":h": HISTORY}
    ),
}


@pytest.mark.parametrize("read", READS)
def test_read_when_it_is_made_then_it_is_consistent(scene: Scene, reads: list[dict[str, Any]], read: str) -> None:
    key = scene.new_key()
    scene.store(key | {"history": HISTORY})

    READS[read](scene, key)

    assert reads
    for asked in reads:
        tables = asked.get("RequestItems", {"": asked}).values()
        assert all(table["ConsistentRead"] is True for table in tables)
