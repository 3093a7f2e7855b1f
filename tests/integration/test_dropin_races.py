"""The drop-in's writes when somebody else writes at the worst moment, or an answer is lost: no write is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.core.models import botocore_stubber

from item_crypto import EncryptedTable, OutcomeUnknown, Role, SystemicError, TransientError
from tests.dropin import ONCE, Call, Pair, Reconcile, everything
from tests.faults import failing, interrupting

KEY: dict[str, Any] = {"id": "a", "at": Decimal(1)}
SET: dict[str, Any] = {
    "Key": KEY,
    "UpdateExpression": "SET history = :h ADD n :one",
    "ExpressionAttributeValues": {":h": ["ours"], ":one": 1},
}


@pytest.fixture
def pair(aws: None) -> Pair:
    return Pair()


@pytest.fixture
def table(pair: Pair) -> EncryptedTable:
    """A drop-in whose client is listened to, over an item with three attributes."""
    pair.sealed.put_item(Item={**KEY, "history": ["first"], "secret": "s", "n": 0})
    return pair.table(boto3.resource("dynamodb", config=ONCE).Table(pair.stored.name))


class _Listened:
    """What ``tests.faults`` wants of a client."""

    def __init__(self, table: EncryptedTable) -> None:
        self.meta = table.meta.client.meta


def item(pair: Pair) -> dict[str, Any]:
    return pair.sealed.get_item(Key=KEY, ConsistentRead=True).get("Item", {})


def others(pair: Pair) -> dict[str, Callable[[], Any]]:
    """Return what somebody else may do between the read and the write, by its name."""
    drop_in = pair.table()

    def plain(expression: str, **values: Any) -> Callable[[], Any]:
        given = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
        return lambda: pair.stored.update_item(Key=KEY, UpdateExpression=expression, **given)

    def reconcile(role: Role, **changes: Any) -> Callable[[], Any]:
        def act() -> None:
            policy, pair.policy = pair.policy, replace(pair.policy, **changes)
            keys = [{"id": {"S": "a"}, "at": {"N": "1"}}]
            pair.reconciler.reconcile(keys, pair.policy, role)
            pair.policy = policy

        return act

    return {
        "a plain writer sets the same attribute": plain("SET history = :v", v=["theirs"]),
        "a plain writer sets another attribute": plain("SET secret = :v", v="theirs"),
        "a plain writer sets what is not encrypted": plain("SET title = :v", v="theirs"),
        "a plain writer appends": plain("SET trail = :v", v=["theirs"]),
        "a drop-in sets another attribute": lambda: drop_in.update_item(
            Key=KEY, UpdateExpression="SET secret = :v", ExpressionAttributeValues={":v": "theirs"}
        ),
        "a drop-in counts": lambda: drop_in.update_item(
            Key=KEY, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 10}
        ),
        "the migrator decrypts": reconcile(Role.MIGRATOR, enabled=False, decrypt_all=True),
        "the encryptor looks": reconcile(Role.ENCRYPTOR),
    }


NAMES = (
    "a plain writer sets the same attribute",
    "a plain writer sets another attribute",
    "a plain writer sets what is not encrypted",
    "a plain writer appends",
    "a drop-in sets another attribute",
    "a drop-in counts",
    "the migrator decrypts",
    "the encryptor looks",
)


@pytest.mark.parametrize("name", NAMES)
def test_update_when_somebody_writes_in_between_then_both_writes_stand(
    pair: Pair, table: EncryptedTable, name: str
) -> None:
    with interrupting(_Listened(table), "dynamodb.UpdateItem", others(pair)[name]):
        table.update_item(**SET)

    found = item(pair)
    assert found["history"] == ["ours"]
    assert found["n"] == (11 if name == "a drop-in counts" else 1)
    theirs = {"secret": "theirs"} if "another attribute" in name else {}
    theirs |= {"title": "theirs"} if "not encrypted" in name else {}
    theirs |= {"trail": ["theirs"]} if "appends" in name else {}
    assert {key: found[key] for key in theirs} == theirs


def test_update_when_the_item_is_deleted_in_between_then_the_item_is_made_as_by_a_plain_update(
    pair: Pair, table: EncryptedTable
) -> None:
    with interrupting(_Listened(table), "dynamodb.UpdateItem", lambda: pair.stored.delete_item(Key=KEY)):
        table.update_item(**SET)

    assert item(pair) == {**KEY, "history": ["ours"], "n": 1}


def test_update_when_an_item_is_made_in_between_then_it_is_kept(pair: Pair, table: EncryptedTable) -> None:
    pair.stored.delete_item(Key=KEY)

    with interrupting(
        _Listened(table),
        "dynamodb.UpdateItem",
        lambda: pair.stored.put_item(Item={**KEY, "title": "theirs", "secret": "plain"}),
    ):
        table.update_item(**SET)

    assert item(pair) == {**KEY, "title": "theirs", "secret": "plain", "history": ["ours"], "n": 1}


def test_condition_when_it_fails_in_the_race_then_the_caller_is_told_as_by_boto3(
    pair: Pair, table: EncryptedTable
) -> None:
    def finish() -> None:
        pair.stored.update_item(Key=KEY, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": 7})

    conditioned = SET | {"ConditionExpression": "n = :zero"}
    conditioned["ExpressionAttributeValues"] = SET["ExpressionAttributeValues"] | {":zero": 0}
    with (
        interrupting(_Listened(table), "dynamodb.UpdateItem", finish),
        pytest.raises(table.meta.client.exceptions.ConditionalCheckFailedException) as failed,
    ):
        table.update_item(**conditioned)

    assert "Item" not in failed.value.response
    assert item(pair)["history"] == ["first"]


def test_condition_when_it_holds_and_a_race_is_lost_then_the_caller_is_told_nothing(
    pair: Pair, table: EncryptedTable
) -> None:
    calls: list[str] = []
    table.meta.client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

    with interrupting(_Listened(table), "dynamodb.UpdateItem", others(pair)["a plain writer sets another attribute"]):
        table.update_item(**SET, ConditionExpression="attribute_exists(history)")

    assert calls == ["GetItem", "UpdateItem"] * 2
    assert item(pair)["secret"] == "theirs"


def test_update_when_somebody_never_pauses_then_it_is_given_up_and_nothing_is_written(
    pair: Pair, table: EncryptedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    numbers = iter(range(1000))

    def write() -> None:
        pair.stored.update_item(
            Key=KEY, UpdateExpression="SET secret = :v", ExpressionAttributeValues={":v": next(numbers)}
        )

    with (
        interrupting(_Listened(table), "dynamodb.UpdateItem", write, times=1000),
        pytest.raises(TransientError, match="TooManyConflicts"),
    ):
        table.update_item(**SET)

    assert item(pair)["history"] == ["first"]
    assert len(pauses) == 9
    assert all(0 <= pause <= 0.01 * 2 ** (place + 1) for place, pause in enumerate(pauses))


@contextmanager
def losing_the_answer(table: EncryptedTable, then: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """Lose the answer to the next UpdateItem, which takes effect; then something happens before it is sent again."""
    events = table.meta.client.meta.events
    left = iter(range(1))

    def lose(request: Any, event_name: str, **_: Any) -> Any:
        if next(left, None) is None:
            return None
        botocore_stubber(event_name, request)
        then()
        raise ReadTimeoutError(endpoint_url=request.url)

    events.register_first("before-send.dynamodb.UpdateItem", lose)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.UpdateItem", lose)


@pytest.fixture
def retrying(pair: Pair, table: EncryptedTable, monkeypatch: pytest.MonkeyPatch) -> EncryptedTable:
    """A drop-in whose client sends again by itself, as boto3's do."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    return pair.table(boto3.resource("dynamodb").Table(pair.stored.name))


def test_update_when_its_answer_is_lost_then_it_is_made_once(pair: Pair, retrying: EncryptedTable) -> None:
    with losing_the_answer(retrying):
        retrying.update_item(**SET)

    assert (item(pair)["history"], item(pair)["n"]) == (["ours"], 1)


def test_update_when_its_answer_is_lost_and_values_are_asked_for_then_nobody_can_tell(
    pair: Pair, retrying: EncryptedTable
) -> None:
    with losing_the_answer(retrying), pytest.raises(OutcomeUnknown):
        retrying.update_item(**SET, ReturnValues="ALL_OLD")

    assert item(pair)["n"] == 1


def test_update_when_its_answer_is_lost_and_somebody_writes_then_it_is_not_made_again(
    pair: Pair, retrying: EncryptedTable
) -> None:
    with losing_the_answer(retrying, others(pair)["a plain writer sets the same attribute"]):
        retrying.update_item(**SET)  # Its ciphertext stands beside their newer plaintext.

    assert (item(pair)["history"], item(pair)["n"]) == (["theirs"], 1)


def test_update_when_its_answer_is_lost_and_it_is_written_over_then_nobody_can_tell(
    pair: Pair, retrying: EncryptedTable
) -> None:
    drop_in = pair.table()

    def write_over() -> None:
        drop_in.update_item(Key=KEY, UpdateExpression="SET history = :v", ExpressionAttributeValues={":v": ["theirs"]})

    with losing_the_answer(retrying, write_over), pytest.raises(OutcomeUnknown):
        retrying.update_item(**SET)

    assert (item(pair)["history"], item(pair)["n"]) == (["theirs"], 1)


def test_removal_when_its_answer_is_lost_then_nobody_can_tell_and_it_is_not_made_again(
    pair: Pair, retrying: EncryptedTable
) -> None:
    with losing_the_answer(retrying), pytest.raises(OutcomeUnknown):
        retrying.update_item(
            Key=KEY, UpdateExpression="REMOVE history ADD n :one", ExpressionAttributeValues={":one": 1}
        )

    assert item(pair) == {**KEY, "secret": "s", "n": 1}


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_put_when_somebody_writes_before_then_the_put_stands_alone(
    pair: Pair, table: EncryptedTable, name: str, enabled: bool
) -> None:
    pair.policy = replace(pair.policy, enabled=enabled)

    with interrupting(_Listened(table), "dynamodb.PutItem", others(pair)[name]):
        table.put_item(Item={**KEY, "history": ["ours"]})

    assert item(pair) == {**KEY, "history": ["ours"]}
    stored = pair.stored.get_item(Key=KEY)["Item"]
    assert ("encrypted_history" in stored, "history" in stored) == (enabled, not enabled)


@pytest.mark.parametrize("role", list(Role))
def test_put_when_a_reconciler_has_read_before_then_the_put_is_not_undone(pair: Pair, role: Role) -> None:
    pair.stored.put_item(Item={**KEY, "history": ["first"]})
    dynamodb = pair.reconciler._table._dynamodb  # The package's own client.

    with interrupting(dynamodb, "dynamodb.UpdateItem", lambda: pair.sealed.put_item(Item={**KEY, "history": ["ours"]})):
        pair.reconciler.reconcile([{"id": {"S": "a"}, "at": {"N": "1"}}], pair.policy, role)

    assert item(pair) == {**KEY, "history": ["ours"]}


def test_deletion_when_a_reconciler_has_read_before_then_the_item_stays_deleted(pair: Pair) -> None:
    pair.stored.put_item(Item={**KEY, "history": ["first"]})
    dynamodb = pair.reconciler._table._dynamodb

    with interrupting(dynamodb, "dynamodb.UpdateItem", lambda: pair.sealed.delete_item(Key=KEY)):
        pair.reconciler.reconcile([{"id": {"S": "a"}, "at": {"N": "1"}}], pair.policy, Role.MIGRATOR)

    assert everything(pair.sealed) == []


@pytest.mark.parametrize("call", ["put", "update"])
def test_setting_when_it_changes_while_kms_is_asked_then_it_is_decided_again(
    pair: Pair, table: EncryptedTable, call: str
) -> None:
    def switch_off() -> None:
        pair.policy = replace(pair.policy, enabled=False)

    with interrupting(pair.kms, "kms.GenerateDataKey", switch_off):
        if call == "put":
            table.put_item(Item={**KEY, "history": ["ours"]})
        else:
            table.update_item(**SET)

    stored = pair.stored.get_item(Key=KEY)["Item"]
    assert stored["history"] == ["ours"]
    assert "encrypted_history" not in stored


@pytest.mark.parametrize("call", ["put_item", "update_item", "batch_write_item"])
def test_setting_when_it_cannot_be_read_then_nothing_is_written(pair: Pair, table: EncryptedTable, call: str) -> None:
    def unreadable(_: Any) -> Any:
        raise SystemicError("control-table", "unreadable-setting")

    table.meta.client._tables[pair.stored.name]._current = unreadable
    writes: dict[str, Callable[[], Any]] = {
        "put_item": lambda: table.put_item(Item={**KEY, "history": ["ours"]}),
        "update_item": lambda: table.update_item(**SET),
        "batch_write_item": lambda: table.meta.client.batch_write_item(
            RequestItems={pair.stored.name: [{"PutRequest": {"Item": {**KEY, "history": ["ours"]}}}]}
        ),
    }
    with pytest.raises(SystemicError):
        writes[call]()

    assert item(pair)["history"] == ["first"]


def test_kms_when_it_refuses_then_nothing_is_written(pair: Pair, table: EncryptedTable) -> None:
    with failing(pair.kms, "kms.GenerateDataKey", "DisabledException"), pytest.raises(SystemicError):
        table.put_item(Item={**KEY, "history": ["ours"]})

    assert item(pair)["history"] == ["first"]
    assert (pair.uses[-2].operation, pair.uses[-2].outcome) == ("put_item", "systemic")


def test_dynamodb_when_it_refuses_then_its_own_error_is_raised(pair: Pair, table: EncryptedTable) -> None:
    with (
        failing(_Listened(table), "dynamodb.PutItem", "ProvisionedThroughputExceededException"),
        pytest.raises(ClientError) as raised,
    ):
        table.put_item(Item={**KEY, "history": ["ours"]})

    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert pair.uses[-1].outcome == "failed"


@pytest.mark.parametrize("error", ["InternalServerError", ReadTimeoutError(endpoint_url="https://dynamodb")])
def test_write_when_nobody_knows_what_became_of_it_then_the_hook_is_told_all_the_same(
    pair: Pair, table: EncryptedTable, error: Any
) -> None:
    batch: Any = {pair.stored.name: [{"PutRequest": {"Item": {**KEY, "history": ["ours"]}}}]}
    pair.uses.clear()

    with failing(_Listened(table), "dynamodb.UpdateItem", error), pytest.raises((ClientError, ReadTimeoutError)):
        table.update_item(**SET)
    with failing(_Listened(table), "dynamodb.BatchWriteItem", error), pytest.raises((ClientError, ReadTimeoutError)):
        table.meta.client.batch_write_item(RequestItems=batch)

    told = [(use.operation, use.encrypted, use.outcome) for use in pair.uses]
    assert told == [("update_item", ("history",), "failed"), ("batch_write_item", ("history",), "failed")]


def test_update_when_its_condition_fails_or_its_answer_is_lost_then_the_hook_is_told_that(
    pair: Pair, retrying: EncryptedTable
) -> None:
    pair.uses.clear()

    with pytest.raises(ClientError):
        retrying.update_item(**SET, ConditionExpression="attribute_exists(title)")
    with losing_the_answer(retrying), pytest.raises(OutcomeUnknown):
        retrying.update_item(**SET, ReturnValues="ALL_NEW")

    assert [use.outcome for use in pair.uses] == ["condition-failed", "outcome-unknown"]


def test_series_of_calls_on_both_when_made_on_moto_too_then_answers_are_the_same(pair: Pair) -> None:
    for step in (
        Call("put_item", {"Item": {**KEY, "history": [{"type": "human"}], "trail": ["a"]}}),
        Call("get_item", {"Key": KEY, "ProjectionExpression": "history[0]"}),
        Reconcile(Role.ENCRYPTOR),
        Call("delete_item", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
    ):
        pair.do(step)
