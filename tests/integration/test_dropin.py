"""The drop-in for boto3: every stored form is read, and what it cannot make safely is refused."""

import itertools
import multiprocessing
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeSerializer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from item_crypto import (
    CallRefused,
    ConfigurationError,
    ContextUnusable,
    DecryptionFailed,
    EncryptedClient,
    EncryptedTable,
    Encryption,
    ExpressionRefused,
    OutcomeUnknown,
    Role,
    SystemicError,
    UnsupportedValue,
    Use,
    key_digest,
)
from item_crypto.dropin.reads import check_arguments
from tests.dropin import Pair, moto_answers, steps
from tests.faults import failing, interrupting
from tests.scene import CONFIGURATION, HISTORY, TABLE, Scene
from tests.tables import create_table

PLAIN: dict[str, Any] = {
    "history": [{"type": "human", "content": "what is the tide in Porto?"}],
    "configuration": {"model": "small", "temperature": Decimal("0.7")},
}


@pytest.fixture
def uses() -> list[Use]:
    return []


@pytest.fixture
def encryption(scene: Scene, uses: list[Use]) -> Encryption:
    return Encryption(scene.cipher, scene.policy, on_access=uses.append)


@pytest.fixture
def table(scene: Scene, encryption: Encryption) -> EncryptedTable:
    return EncryptedTable(boto3.resource("dynamodb").Table(TABLE), encryption)


@pytest.fixture
def client(scene: Scene, encryption: Encryption) -> EncryptedClient:
    return EncryptedClient(scene.plain, {TABLE: encryption})


def python(key: Any) -> dict[str, Any]:
    return {name: value["S"] for name, value in key.items()}


@pytest.fixture(
    params=[
        "plaintext",
        "current",
        "binary",
        "half binary",
        "earlier key",
        "old form",
        "old form beside plaintext",
        "mixed",
    ]
)
def stored(request: pytest.FixtureRequest, scene: Scene) -> dict[str, Any]:
    """The key of an item in each stored form, with the same content."""
    key = scene.new_key()
    values: dict[str, Any] = {"history": HISTORY, "configuration": CONFIGURATION}
    marked: dict[str, Any] = {
        "is_encrypted": {"BOOL": True},
        "encryption_version": {"S": "1.0"},
        "encrypted_at": {"S": "2026-01-02T08:30:00Z"},
    }
    match request.param:
        case "plaintext":
            scene.store({**key, **values})
        case "current":
            scene.store({**key, **marked, **scene.encrypted(key, **values)})
        case "binary":
            scene.store({**key, **marked, **_binary(scene, key, values)})
        case "half binary":
            text = scene.encrypted(key, history=HISTORY)
            scene.store({**key, **marked, **text, **_binary(scene, key, {"configuration": CONFIGURATION})})
        case "earlier key":
            scene.store({**key, **marked, **scene.encrypted_earlier(key, **values)})
        case "old form":
            scene.store({**key, **marked, **_old(scene, key, values)})
        case "old form beside plaintext":
            scene.store({**key, **values, **marked, **_old(scene, key, values)})
        case "mixed":
            older = scene.encrypted(key, history={"S": "older"}, configuration=CONFIGURATION)
            scene.store({**key, "history": HISTORY, **marked, **older})
    return key


def _binary(scene: Scene, key: Any, values: dict[str, Any]) -> dict[str, Any]:
    messages = scene.cipher.messages(values, scene.context(key))
    return {f"encrypted_{name}": {"B": message} for name, message in messages.items()}


def _old(scene: Scene, key: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return ciphertexts as LISA made them; its numbers are text."""
    return scene.lisa(key, **{name: value for name, value in values.items() if name == "history"}) | scene.encrypted(
        key, configuration=values["configuration"]
    )


def test_item_when_read_by_any_call_then_it_is_in_the_clear_whatever_its_form(
    table: EncryptedTable, client: EncryptedClient, stored: dict[str, Any]
) -> None:
    key = python(stored)
    whole = {**key, **PLAIN}
    typed = {**stored, "history": HISTORY, "configuration": CONFIGURATION}
    by_key = {"KeyConditionExpression": Key("sessionId").eq(key["sessionId"])}

    assert table.get_item(Key=key)["Item"] == whole
    assert table.query(**by_key)["Items"] == [whole]
    assert whole in table.scan()["Items"]
    assert client.get_item(TableName=TABLE, Key=stored)["Item"] == typed
    assert client.batch_get_item(RequestItems={TABLE: {"Keys": [stored]}})["Responses"][TABLE] == [typed]
    gets: Any = [{"Get": {"TableName": TABLE, "Key": stored}}]
    assert client.transact_get_items(TransactItems=gets)["Responses"][0]["Item"] == typed
    pages = client.get_paginator("query").paginate(
        TableName=TABLE,
        KeyConditionExpression="sessionId = :id",
        ExpressionAttributeValues={":id": stored["sessionId"]},
    )
    assert list(pages.search("Items[]")) == [typed]


def test_projection_when_it_names_an_encrypted_attribute_then_nothing_more_comes_back(
    table: EncryptedTable, stored: dict[str, Any]
) -> None:
    key = python(stored)

    assert table.get_item(
        Key=key, ProjectionExpression="configuration.model, history[0].#t", ExpressionAttributeNames={"#t": "type"}
    )["Item"] == {"configuration": {"model": "small"}, "history": [{"type": "human"}]}
    assert table.get_item(Key=key, ProjectionExpression="history, userId")["Item"] == {
        "history": PLAIN["history"],
        "userId": key["userId"],
    }


def test_existence_when_asked_in_a_filter_then_both_forms_count(table: EncryptedTable, stored: dict[str, Any]) -> None:
    by_key = Key("sessionId").eq(stored["sessionId"]["S"])

    assert table.query(KeyConditionExpression=by_key, FilterExpression=Attr("history").exists())["Count"] == 1
    assert table.query(KeyConditionExpression=by_key, FilterExpression=Attr("history").not_exists())["Count"] == 0


def test_update_when_made_of_any_form_then_the_item_is_in_the_current_one(
    scene: Scene, table: EncryptedTable, stored: dict[str, Any]
) -> None:
    key = python(stored)

    answer = table.update_item(
        Key=key,
        UpdateExpression="SET history = :h",
        ExpressionAttributeValues={":h": ["new"]},
        ReturnValues="ALL_OLD",
    )

    assert answer["Attributes"] == {**key, **PLAIN}
    assert table.get_item(Key=key)["Item"] == {**key, "history": ["new"], "configuration": PLAIN["configuration"]}
    now = scene.stored(stored) or {}
    assert sorted(now) == [
        *("encrypted_at", "encrypted_configuration", "encrypted_history", "encryption_version", "is_encrypted"),
        *("sessionId", "userId"),
    ]


def test_update_when_it_sets_what_is_absent_then_what_is_there_stays_in_whatever_form(
    scene: Scene, table: EncryptedTable, stored: dict[str, Any]
) -> None:
    key = python(stored)
    expression = "SET history = if_not_exists(history, :new), configuration = if_not_exists(#c, :new)"
    table.update_item(Key=key, UpdateExpression="REMOVE configuration")

    table.update_item(
        Key=key,
        UpdateExpression=expression,
        ExpressionAttributeNames={"#c": "configuration"},
        ExpressionAttributeValues={":new": ["new"]},
    )

    assert table.get_item(Key=key)["Item"] == {**key, "history": PLAIN["history"], "configuration": ["new"]}
    now = scene.stored(stored) or {}
    assert {"encrypted_history", "encrypted_configuration"} < now.keys()
    assert not {"history", "configuration"} & now.keys()


def test_index_when_it_holds_keys_only_then_its_items_stay_as_they_come(encryption: Encryption) -> None:
    with mock_aws():
        pair = Pair()
        pair.sealed.put_item(Item={"id": "a", "at": 1, "kind": "x", "history": ["secret"]})
        assert pair.sealed.query(IndexName="keys", KeyConditionExpression=Key("kind").eq("x"))["Items"] == [
            {"id": "a", "at": Decimal(1), "kind": "x"}
        ]


def test_batch_writer_when_it_writes_then_each_item_has_a_data_key_of_its_own(
    scene: Scene, table: EncryptedTable
) -> None:
    keys = [scene.new_key() for _ in range(30)]
    scene.meter.drain()

    with table.batch_writer(overwrite_by_pkeys=["sessionId", "userId"]) as batch:
        for key in [keys[0], *keys]:
            batch.put_item(Item={**python(key), **PLAIN})
        batch.delete_item(Key=python(keys[-1]))

    assert len(scene.meter.drain()) == 29
    assert table.get_item(Key=python(keys[0]))["Item"] == {**python(keys[0]), **PLAIN}
    assert scene.stored(keys[-1]) is None
    assert "history" not in (scene.stored(keys[0]) or {})


def test_batch_when_some_of_it_is_not_processed_then_that_comes_back_in_the_clear(
    scene: Scene, client: EncryptedClient, uses: list[Use]
) -> None:
    first, second = scene.new_key(), scene.new_key()
    sent: list[Any] = []

    def leave_one(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        parsed["UnprocessedItems"] = {TABLE: [sent[0][TABLE][1]]}

    def note(params: Any, **_: Any) -> None:
        sent.append(params["RequestItems"])

    events = scene.plain.meta.events
    events.register("before-parameter-build.dynamodb.BatchWriteItem", note)
    events.register("after-call.dynamodb.BatchWriteItem", leave_one)
    requests: Any = [{"PutRequest": {"Item": {**key, "history": HISTORY}}} for key in (first, second)]
    try:
        answer = client.batch_write_item(RequestItems={TABLE: requests})
    finally:
        events.unregister("before-parameter-build.dynamodb.BatchWriteItem", note)
        events.unregister("after-call.dynamodb.BatchWriteItem", leave_one)

    assert answer["UnprocessedItems"] == {TABLE: [requests[1]]}
    assert [use.outcome for use in uses] == ["done", "unprocessed"]
    assert "history" not in sent[0][TABLE][1]["PutRequest"]["Item"]


def test_batch_when_what_is_not_processed_is_none_of_it_then_nobody_is_told_that_it_was_done(
    scene: Scene, client: EncryptedClient
) -> None:
    key, other = scene.new_key(), scene.new_key()

    def leave_another(parsed: Any, **_: Any) -> None:
        parsed["UnprocessedItems"] = {TABLE: [{"PutRequest": {"Item": other}}]}

    events = scene.plain.meta.events
    events.register("after-call.dynamodb.BatchWriteItem", leave_another)
    try:
        with pytest.raises(OutcomeUnknown, match="UnprocessedItems"):
            client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": {**key, "history": HISTORY}}}]})
    finally:
        events.unregister("after-call.dynamodb.BatchWriteItem", leave_another)


def test_batch_when_keys_are_not_processed_then_they_come_back_as_they_were_asked_for(
    scene: Scene, client: EncryptedClient
) -> None:
    key = scene.new_key()
    asked: Any = {"Keys": [key], "ProjectionExpression": "history"}

    def leave_all(parsed: Any, **_: Any) -> None:
        parsed["UnprocessedKeys"] = {TABLE: {"Keys": [key], "ProjectionExpression": "#item_crypto_0"}}

    scene.plain.meta.events.register("after-call.dynamodb.BatchGetItem", leave_all)
    try:
        answer = client.batch_get_item(RequestItems={TABLE: asked})
    finally:
        scene.plain.meta.events.unregister("after-call.dynamodb.BatchGetItem", leave_all)

    assert answer["UnprocessedKeys"] == {TABLE: asked}


def test_value_when_it_is_encrypted_then_it_is_sent_nowhere_in_the_clear(scene: Scene, client: EncryptedClient) -> None:
    sent: list[str] = []

    def note(params: Any, **_: Any) -> None:
        sent.append(params["body"].decode() if isinstance(params["body"], bytes) else params["body"])

    key = scene.new_key()
    scene.plain.meta.events.register("before-call.dynamodb", note)
    try:
        client.put_item(TableName=TABLE, Item={**key, "history": {"S": "CANARY"}})
        client.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="SET #h = :v, configuration = :v",
            ExpressionAttributeNames={"#h": "history"},
            ExpressionAttributeValues={":v": {"S": "CANARY"}},
        )
    finally:
        scene.plain.meta.events.unregister("before-call.dynamodb", note)

    assert len(sent) == 3
    assert [body for body in sent if "CANARY" in body] == []


@pytest.mark.parametrize(
    "operation",
    [
        *("execute_statement", "batch_execute_statement", "execute_transaction", "transact_write_items"),
        *("import_table", "export_table_to_point_in_time", "delete_table", "generate_presigned_url", "create_backup"),
    ],
)
def test_call_when_it_would_carry_items_past_encryption_then_it_is_refused(
    client: EncryptedClient, table: EncryptedTable, operation: str
) -> None:
    for whose in (client, table.meta.client):
        with pytest.raises(CallRefused, match=operation):
            getattr(whose, operation)


def test_calls_of_boto3_when_they_are_all_asked_for_then_only_these_are_passed(client: EncryptedClient) -> None:
    """A call that boto3 learns one day is refused until somebody has looked at it."""
    own = {name for name in vars(EncryptedClient) if not name.startswith("_")}
    passed = set()
    for name in boto3.client("dynamodb").meta.method_to_api_mapping:
        try:
            getattr(client, name)
        except CallRefused:
            continue
        passed.add(name)
    assert passed - own == {
        "describe_continuous_backups",
        "describe_endpoints",
        "describe_limits",
        "describe_table",
        "describe_time_to_live",
        "list_tables",
        "list_tags_of_resource",
    }


@pytest.mark.parametrize("name", ["delete", "update", "get_available_subresources"])
def test_method_of_the_table_when_it_is_none_for_items_then_it_is_refused(table: EncryptedTable, name: str) -> None:
    with pytest.raises(CallRefused):
        getattr(table, name)


def test_drop_in_when_asked_for_what_describes_the_table_then_it_is_boto3s(
    table: EncryptedTable, client: EncryptedClient
) -> None:
    assert table.name == table.table_name == TABLE
    assert table.key_schema[0]["AttributeName"] == "sessionId"
    assert client.describe_table(TableName=TABLE)["Table"]["TableName"] == TABLE
    assert client.meta.region_name == table.meta.client.meta.region_name
    assert not hasattr(table, "no_such_method")
    assert client.get_paginator("list_tables").paginate().build_full_result()["TableNames"][0] == TABLE
    with pytest.raises(CallRefused):
        client.get_paginator("list_backups")


def test_table_when_nobody_named_it_then_it_is_refused_and_when_it_is_plain_it_is_passed(
    scene: Scene, encryption: Encryption
) -> None:
    create_table(scene.plain, "users", "id")
    client = EncryptedClient(scene.plain, {TABLE: encryption, "users": None})
    item: Any = {"id": {"S": "alice"}, "history": {"S": "in the clear"}}

    client.put_item(TableName="users", Item=item)
    assert client.get_item(TableName="users", Key={"id": {"S": "alice"}})["Item"] == item
    assert client.scan(TableName="arn:aws:dynamodb:eu-central-1:123456789012:table/users")["Items"] == [item]
    key = scene.new_key()
    client.batch_write_item(
        RequestItems={"users": [{"PutRequest": {"Item": item}}], TABLE: [{"PutRequest": {"Item": {**key, **item}}}]}
    )
    assert "encrypted_history" in (scene.stored(key) or {})
    with pytest.raises(CallRefused, match="not named"):
        client.get_item(TableName="others", Key={"id": {"S": "alice"}})
    scene.plain.delete_table(TableName="users")


def test_table_when_it_is_named_by_its_arn_then_it_is_the_same_table(scene: Scene, encryption: Encryption) -> None:
    arn = scene.plain.describe_table(TableName=TABLE)["Table"]["TableArn"]
    table = EncryptedTable(boto3.resource("dynamodb").Table(arn), encryption)
    key = scene.new_key()

    table.put_item(Item={**python(key), **PLAIN})

    assert "encrypted_history" in (scene.stored(key) or {})
    assert table.get_item(Key=python(key))["Item"] == {**python(key), **PLAIN}
    client = EncryptedClient(scene.plain, {arn: encryption})
    for name in (arn, TABLE):
        assert client.get_item(TableName=name, Key=key)["Item"]["history"] == HISTORY


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_item", {"AttributesToGet": ["history"]}),
        ("scan", {"ScanFilter": {"n": {"ComparisonOperator": "NOT_NULL"}}}),
        ("put_item", {"Expected": {"n": {"Exists": False}}}),
        ("update_item", {"AttributeUpdates": {"n": {"Value": 1}}}),
        ("query", {"KeyConditions": {}}),
        ("scan", {"SomeNewExpression": "history = :v"}),
    ],
)
def test_argument_when_it_is_older_than_expressions_or_not_known_then_it_is_refused(
    scene: Scene, table: EncryptedTable, operation: str, arguments: Any
) -> None:
    key = python(scene.new_key())
    needed: Any = {"get_item": {"Key": key}, "update_item": {"Key": key}, "put_item": {"Item": key}}

    with pytest.raises(CallRefused, match=next(iter(arguments))):
        getattr(table, operation)(**needed.get(operation, {}), **arguments)


@pytest.mark.parametrize("part", [{}, {"UpdateRequest": {}}, {"PutRequest": {}}, {"PutRequest": {"Item": {}, "X": 1}}])
def test_part_of_a_batch_when_it_is_not_known_then_it_is_refused(client: EncryptedClient, part: Any) -> None:
    with pytest.raises(CallRefused):
        client.batch_write_item(RequestItems={TABLE: [part]})


def test_arguments_of_boto3_when_they_are_all_asked_for_then_each_is_known_or_refused_as_legacy(
    client: EncryptedClient,
) -> None:
    """Where boto3 learns another one, somebody has to look at it."""
    refusals: dict[str, str] = {}
    for name in ("get_item", "put_item", "update_item", "delete_item", "query", "scan"):
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[name])
        for argument in operation.input_shape.members:
            refusals[argument] = ""
            try:
                check_arguments(name, {argument: None})
            except CallRefused as refused:
                refusals[argument] = str(refused)
    assert len([argument for argument, refusal in refusals.items() if not refusal]) > 15
    assert [refusal for refusal in refusals.values() if refusal and "is a legacy argument" not in refusal] == []


@pytest.mark.parametrize("name", ["is_encrypted", "encrypted_history", "encrypted_configuration_conflict"])
def test_item_when_it_has_a_name_of_the_stored_form_then_it_is_refused(
    scene: Scene, table: EncryptedTable, name: str
) -> None:
    key = scene.new_key()

    with pytest.raises(CallRefused, match=name):
        table.put_item(Item={**python(key), name: True})

    assert scene.stored(key) is None


@pytest.mark.parametrize("name", ["at", "is_encrypted", "encrypted_history", "history_conflict", "userId"])
def test_attribute_when_its_stored_form_would_collide_then_the_configuration_is_refused(
    scene: Scene, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Encryption(scene.cipher, replace(scene.policy, attributes=("history", name)))


def test_attribute_when_its_ciphertext_would_be_written_over_by_a_marker_then_nothing_is_written(scene: Scene) -> None:
    key = scene.new_key()
    scene.store({**key, "at": {"S": "precious"}})

    outcome = scene.reconcile(key, Role.ENCRYPTOR, attributes=("at",))

    assert outcome.reason == "configuration-refused"
    assert scene.stored(key) == {**key, "at": {"S": "precious"}}


@pytest.mark.parametrize("value", [{"": 1}, [{"a": {"": 1}}]])
def test_item_when_dynamodb_would_not_take_its_value_in_the_clear_then_it_is_not_encrypted(
    scene: Scene, table: EncryptedTable, value: Any
) -> None:
    key = scene.new_key()

    with pytest.raises(UnsupportedValue):
        table.put_item(Item={**python(key), "history": value})
    with pytest.raises(UnsupportedValue):
        table.update_item(Key=python(key), UpdateExpression="SET history = :h", ExpressionAttributeValues={":h": value})

    assert scene.stored(key) is None


def test_item_when_it_lacks_a_key_then_it_is_refused_before_kms_is_asked(scene: Scene, table: EncryptedTable) -> None:
    scene.meter.drain()
    with pytest.raises(ContextUnusable):
        table.put_item(Item={"sessionId": "x", "history": 1})
    assert scene.meter.drain() == []


@pytest.mark.parametrize("expression", ["REMOVE history title", "REMOVE history = :v", "REMOVE title, history :v"])
def test_update_when_dynamodb_would_refuse_what_follows_a_removal_then_nothing_is_removed(
    scene: Scene, table: EncryptedTable, expression: str
) -> None:
    key = python(scene.new_key())
    table.put_item(Item={**key, "history": "x", "title": "t"})
    values: Any = {"ExpressionAttributeValues": {":v": 1}} if ":v" in expression else {}

    with pytest.raises(ExpressionRefused):
        table.update_item(Key=key, UpdateExpression=expression, **values)

    assert table.get_item(Key=key)["Item"] == {**key, "history": "x", "title": "t"}


@pytest.mark.parametrize("condition", ["n = :n) OR (n = :n", "(n = :n", "n = :n))", "n ! :n", "§"])
def test_condition_when_it_could_be_taken_for_another_then_it_is_refused(
    scene: Scene, table: EncryptedTable, condition: str
) -> None:
    key = scene.new_key()
    with pytest.raises(ExpressionRefused):
        table.update_item(
            Key=python(key),
            UpdateExpression="SET history = :n",
            ConditionExpression=condition,
            ExpressionAttributeValues={":n": 1},
        )
    assert scene.stored(key) is None


def test_refusal_when_it_is_shown_then_it_names_the_attribute_and_no_value(scene: Scene, table: EncryptedTable) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        table.update_item(
            Key=python(scene.new_key()),
            UpdateExpression="SET history = list_append(history, :secret)",
            ExpressionAttributeValues={":secret": ["CANARY"]},
        )

    assert refused.value.attribute == "history"
    assert "CANARY" not in str(refused.value)
    assert str(refused.value) == (
        "the expression with history is refused: the attribute is encrypted, and DynamoDB sees no value; read the "
        "item, change the value and SET the whole attribute, or append by a plain client to a list in "
        "AppendedAttributes"
    )


def test_page_when_one_item_is_not_authentic_then_none_of_it_is_released(
    scene: Scene, table: EncryptedTable, uses: list[Use]
) -> None:
    key, other = scene.new_key(), scene.new_key()
    scene.store({**key, **scene.encrypted(other, history=HISTORY), "is_encrypted": {"BOOL": True}})
    try:
        with pytest.raises(DecryptionFailed):
            table.scan()
        failed = [use for use in uses if use.outcome == "decryption-failed"]
        assert [use.key_digest for use in failed] == [key_digest(key, ("sessionId", "userId"))]
    finally:
        scene.delete(key)


def test_old_values_when_they_cannot_be_decrypted_then_an_update_has_done_nothing(
    scene: Scene, table: EncryptedTable
) -> None:
    key = python(scene.new_key())
    table.put_item(Item={**key, "history": "first"})

    with failing(scene.kms, "kms.Decrypt", "DisabledException"), pytest.raises(SystemicError):
        table.update_item(
            Key=key,
            UpdateExpression="SET history = :h",
            ExpressionAttributeValues={":h": "new"},
            ReturnValues="UPDATED_OLD",
        )

    assert table.get_item(Key=key)["Item"]["history"] == "first"


def test_old_item_when_it_cannot_be_decrypted_then_the_error_says_that_the_deletion_took_effect(
    scene: Scene, table: EncryptedTable
) -> None:
    key = scene.new_key()
    table.put_item(Item={**python(key), "history": "first"})

    with failing(scene.kms, "kms.Decrypt", "DisabledException"), pytest.raises(SystemicError) as raised:
        table.delete_item(Key=python(key), ReturnValues="ALL_OLD")

    assert raised.value.__notes__ == ["The write took effect; what it returns cannot be decrypted."]
    assert scene.stored(key) is None


@pytest.mark.parametrize("call", ["ADD", "put", "delete"])
def test_write_when_it_took_effect_and_kms_is_throttled_then_nobody_is_told_to_try_again(
    scene: Scene, table: EncryptedTable, call: str
) -> None:
    key = python(scene.new_key())
    table.put_item(Item={**key, "history": "first", "n": 1})
    calls: dict[str, Any] = {
        "ADD": lambda: table.update_item(
            Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1}, ReturnValues="ALL_NEW"
        ),
        "put": lambda: table.put_item(Item={**key, "history": "new"}, ReturnValues="ALL_OLD"),
        "delete": lambda: table.delete_item(Key=key, ReturnValues="ALL_OLD"),
    }

    with failing(scene.kms, "kms.Decrypt", "ThrottlingException"), pytest.raises(OutcomeUnknown) as raised:
        calls[call]()

    assert (raised.value.service, raised.value.code) == ("kms", "ThrottlingException")
    assert raised.value.__notes__ == ["The write took effect; what it returns cannot be decrypted."]


@pytest.mark.parametrize("wanted", ["ALL_OLD", "NONE"])
@pytest.mark.parametrize("call", ["put", "delete", "update"])
def test_condition_when_it_fails_then_the_item_is_shown_in_the_clear_to_who_asked_for_it(
    scene: Scene, table: EncryptedTable, call: str, wanted: str
) -> None:
    key = python(scene.new_key())
    stands = {**key, "history": ["first"], "n": 1}
    table.put_item(Item=stands)
    more: Any = {"ConditionExpression": "n = :two", "ReturnValuesOnConditionCheckFailure": wanted}
    two = {":two": 2}
    calls: dict[str, Any] = {
        "put": lambda: table.put_item(Item={**key, "history": "new"}, ExpressionAttributeValues=two, **more),
        "delete": lambda: table.delete_item(Key=key, ExpressionAttributeValues=two, **more),
        "update": lambda: table.update_item(
            Key=key, UpdateExpression="SET title = :t", ExpressionAttributeValues=two | {":t": "t"}, **more
        ),
    }

    with pytest.raises(table.meta.client.exceptions.ConditionalCheckFailedException) as failed:
        calls[call]()

    assert table.get_item(Key=key)["Item"] == stands
    if wanted == "ALL_OLD":
        # As boto3 leaves it in an error, also one of a Table.
        typed = {name: TypeSerializer().serialize(value) for name, value in stands.items()}
        assert failed.value.response["Item"] == typed
    else:
        assert "Item" not in failed.value.response


def test_use_when_told_then_it_has_names_and_a_digest_and_the_keys_arn(
    scene: Scene, table: EncryptedTable, uses: list[Use]
) -> None:
    key = scene.new_key()

    table.put_item(Item={**python(key), **PLAIN})
    table.get_item(Key=python(key), ProjectionExpression="history")
    table.get_item(Key=python(key), ProjectionExpression="userId")
    table.update_item(Key=python(key), UpdateExpression="SET history = :h", ExpressionAttributeValues={":h": "new"})

    names = ("sessionId", "userId")
    digest = key_digest(key, names)
    both = ("history", "configuration")
    assert uses == [
        Use("put_item", TABLE, names, digest, (), both, (scene.key_arn,)),
        Use("get_item", TABLE, names, digest, ("history",), (), (scene.key_arn,)),
        Use("update_item", TABLE, names, digest, ("configuration",), ("history",), (scene.key_arn,)),
    ]


def test_reading_when_it_is_repeated_then_a_cache_asks_kms_once_and_a_write_never_uses_it(scene: Scene) -> None:
    cached = Encryption(scene.cipher, scene.policy, cache_seconds=60)
    table = EncryptedTable(boto3.resource("dynamodb").Table(TABLE), cached)
    key = scene.new_key()
    table.put_item(Item={**python(key), **PLAIN})
    scene.meter.drain()

    for _ in range(5):
        assert table.get_item(Key=python(key))["Item"] == {**python(key), **PLAIN}
    assert len(scene.meter.drain()) == 1

    with failing(scene.kms, "kms.Decrypt", "DisabledException"):
        assert table.get_item(Key=python(key))["Item"]["history"] == PLAIN["history"]
    before = (scene.stored(key) or {})["encrypted_history"]
    table.put_item(Item={**python(key), **PLAIN})
    assert len(scene.meter.drain()) == 1
    assert (scene.stored(key) or {})["encrypted_history"] != before


def test_process_when_it_was_forked_after_a_page_was_read_then_it_reads_pages_too(
    scene: Scene, table: EncryptedTable
) -> None:
    """Servers make what they share before they fork; a child has none of the threads."""
    keys = [scene.new_key() for _ in range(20)]
    for key in keys:
        table.put_item(Item={**python(key), **PLAIN})

    def read(*some: Any) -> int:
        asked: Any = {TABLE: {"Keys": [python(key) for key in some]}}
        return len(table.meta.client.batch_get_item(RequestItems=asked)["Responses"][TABLE])

    assert read(*keys) == 20  # More than there are threads: all of them are idle now.
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(read(*keys[:2])))
    child.start()
    child.join(timeout=20)
    try:
        assert child.exitcode == 2
    finally:
        child.kill()


def test_values_when_given_in_either_style_then_each_type_survives(scene: Scene, table: EncryptedTable) -> None:
    key = python(scene.new_key())
    value = {
        "binary": Binary(b"\x00\xff"),
        "bytes": Binary(b""),
        "set": {"a", "b"},
        "numbers": {Decimal(1), Decimal("2.5")},
        "none": None,
        "nested": [{"deep": [True, Decimal("1E-130")]}],
    }

    table.put_item(Item={**key, "history": value, "title": value})
    found = table.get_item(Key=key)["Item"]

    assert found == {**key, "history": value, "title": value}
    assert table.update_item(
        Key=key,
        UpdateExpression="SET configuration = :v",
        ExpressionAttributeValues={":v": value},
        ReturnValues="ALL_NEW",
    )["Attributes"] == {**found, "configuration": value}


def test_arguments_when_given_then_they_are_not_changed(scene: Scene, table: EncryptedTable) -> None:
    item = {**python(scene.new_key()), "history": [{"a": 1}]}
    names, values = {"#h": "history"}, {":h": [{"b": {1, 2}}]}

    table.put_item(Item=item)
    table.update_item(
        Key={name: item[name] for name in ("sessionId", "userId")},
        UpdateExpression="SET #h = :h",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )

    assert item["history"] == [{"a": 1}]
    assert (names, values) == ({"#h": "history"}, {":h": [{"b": {1, 2}}]})


def test_update_when_it_touches_nothing_encrypted_then_it_is_one_request(scene: Scene, client: EncryptedClient) -> None:
    key = scene.new_key()
    seen = itertools.count()
    with interrupting(scene.plain, "dynamodb", lambda: next(seen), times=100):
        client.update_item(
            TableName=TABLE, Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}
        )
    assert next(seen) == 1


# As on DynamoDB Local, where nothing is the same from run to run: moto is not to be tested here.
@settings(
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(series=st.lists(steps().filter(moto_answers), min_size=1, max_size=8))
def test_series_of_calls_when_made_to_both_then_answers_and_tables_are_the_same(series: list[Any]) -> None:
    with mock_aws():
        pair = Pair()
        for step in series:
            pair.do(step)
