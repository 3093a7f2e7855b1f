"""Branch keys on the whole pipeline: a tenant's first write is encrypted at once, then under the tenant's own key."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from item_crypto.forms import open_envelope
from item_crypto.keys.branch_key_id import Tenants
from local import LocalStack

ALICE = Tenants("userId", "session-encryption").branch_key_id("alice")
PATIENCE = 120.0  # Seconds, on a busy machine.


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    parameters = {"KeyringType": "hierarchical", "SettingCacheSeconds": "1"}
    with LocalStack(state_directory=tmp_path_factory.mktemp("state"), parameters=parameters) as running:
        yield running


def eventually(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return found


def test_a_tenants_first_write_when_it_arrives_then_it_comes_under_the_tenants_key_and_is_read(
    stack: LocalStack,
) -> None:
    dynamodb, table = stack.client("dynamodb"), stack.outputs["TableName"]
    key = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
    history = {"L": [{"M": {"content": {"S": "hello"}}}]}
    dynamodb.put_item(TableName=table, Item={**key, "history": history})

    def needed() -> str | None:
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        return open_envelope(item["encrypted_history"]).key if "encrypted_history" in item else None

    assert eventually(needed) in (ALICE, stack.outputs["KeyArn"])
    eventually(lambda: needed() == ALICE)
    rows = dynamodb.scan(TableName=stack.outputs["BranchKeyTableName"], ConsistentRead=True)["Items"]
    assert {row["branch-key-id"]["S"] for row in rows} == {ALICE}

    dynamodb.put_item(TableName=table, Item={**key, "sessionId": {"S": "dlg-2"}, "history": history})
    key["sessionId"] = {"S": "dlg-2"}
    assert eventually(needed) == ALICE  # At once: the key is there.
