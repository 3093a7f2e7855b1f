"""The drill of docs/recovery.md for a Region that is gone: the same items, under a replica of their key, elsewhere."""

import pytest

from item_crypto.errors import ConfigurationError
from tests.migration import Migration
from tests.replicas import replicated_key


def test_items_when_their_region_is_gone_then_a_stack_elsewhere_with_the_replica_reads_and_goes_on(
    world: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world.kms.meta.region_name
    primary, replica = replicated_key(monkeypatch, here, "eu-west-1")
    world.set(SESSION_ENCRYPTION_KEY_ARN=primary)
    for number in range(5):
        world.plain(f"s{number}", number)
    assert world.run("encrypt")["counts"]["encrypted"] == 5
    written = world.all()

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    elsewhere = Migration(monkeypatch)
    elsewhere.set(SESSION_ENCRYPTION_KEY_ARN=replica)
    for item in written.values():
        elsewhere.dynamodb.put_item(TableName="sessions", Item=item)
    elsewhere.plain("s5", 5)

    assert elsewhere.run("encrypt")["counts"] == {"encrypted": 1, "nothing": 5}
    verified = elsewhere.run("verify", deep=True)
    assert verified["counts"]["encrypted"] == 6
    assert "undecryptable" not in verified["counts"]
    assert elsewhere.run("re-encrypt", before="2000-01-01T00:00:00Z")["counts"] == {"nothing": 6}
    assert elsewhere.all() == written | {"s5": elsewhere.get("s5")}


def test_key_of_another_region_when_it_is_listed_in_the_replicas_place_then_the_start_is_refused(
    world: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    primary, _ = replicated_key(monkeypatch, world.kms.meta.region_name, "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    elsewhere = Migration(monkeypatch)
    elsewhere.set(SESSION_ENCRYPTION_KEY_ARN=primary)

    with pytest.raises(ConfigurationError, match="the key is in"):
        _ = elsewhere.parts
