"""The item reader on moto's DynamoDB and KMS: an item by its key, for services, from tables of any shape."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from reader import application
from reader.item import ItemUnreadable
from tests import factories
from tests.factories import SECRET, World, audit_lines, json_lines, metrics, session
from tests.tables import create_table

KEY = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.item_reader.cache_clear()
    boto3.setup_default_session()


@pytest.mark.parametrize("form", ["plaintext", "lisa", "encrypted"])
def test_given_an_item_in_any_form_when_read_by_its_key_then_it_comes_back_as_it_was_written(
    world: World, form: str
) -> None:
    plain = session(configuration={"M": {"b": {"B": b"\x00\xff"}, "n": {"NS": ["1E-130"]}}} if form != "lisa" else None)
    world.store(plain if form != "lisa" else factories.lisa_session(world.kms, world.key_arn, plain))
    if form == "encrypted":
        world.item({"Key": KEY})

    answer = world.item({"Key": KEY})

    expected = dict(plain)
    if form != "lisa":
        expected["configuration"] = {"M": {"b": {"B": "AP8="}, "n": {"NS": ["1E-130"]}}}
    assert answer == {"Item": expected}
    assert json.loads(json.dumps(answer)) == answer
    assert "history" not in world.stored()


def test_given_no_item_when_read_then_there_is_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.item({"Key": KEY}) == {"Item": None}
    assert audit_lines(capsys.readouterr().out)[-1]["result"] == "not-found"


def test_given_a_read_when_audited_then_it_says_what_was_read_and_never_a_value(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.item({"Key": KEY})
    capsys.readouterr()

    world.item({"Key": KEY})

    output = "".join(capsys.readouterr())
    (line,) = audit_lines(output)
    assert (line["who"], line["operation"], line["result"]) == ("invoker", "read", "done")
    assert line["attributes"] == ["history", "configuration"]
    assert line["item"] == KEY
    assert line["correlation_id"] == "request-1"
    assert metrics(output)["DecryptionsSucceeded"] == [2.0]
    assert SECRET not in output


def test_given_a_table_of_another_shape_when_read_then_its_items_are_decrypted_too(world: World) -> None:
    create_table(world.dynamodb, "boats", "number", "hull", types={"number": "N", "hull": "B"})
    policy = Policy(("papers",), frozenset(), ("number", "hull"), "boats", enabled=True)
    cipher = ItemCipher(ValueCipher(Keyrings(world.kms, world.key_arn)), policy)
    plain = {"number": {"N": "17"}, "hull": {"B": b"\x01"}, "papers": {"SS": [SECRET]}}
    world.dynamodb.put_item(TableName="boats", Item=cipher.encrypt_item(plain))
    world.set(
        TABLE_NAME="boats",
        ENCRYPTED_ATTRIBUTES="papers",
        CONTEXT_ATTRIBUTES="number,hull",
        CONTEXT_PURPOSE="boats",
        USER_INDEX_NAME="",
    )

    answer = world.item({"Key": {"number": {"N": "17"}, "hull": {"B": "AQ=="}}})

    assert answer == {"Item": {**plain, "hull": {"B": "AQ=="}}}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Key": None},
        {"Key": {}},
        {"Key": {"sessionId": SECRET}},
        {"Key": {"sessionId": {"S": SECRET}}},
        {"Key": {"sessionId": {"S": SECRET}, "userId": {"S": ""}}},
        {"Key": {"sessionId": {"S": SECRET}, "userId": {"S": "alice"}, "more": {"S": "x"}}},
        {"Key": {"sessionId": {"L": []}}},
    ],
)
def test_given_what_is_no_key_when_read_then_one_sentence_is_all_there_is(world: World, event: dict[str, Any]) -> None:
    with pytest.raises(ItemUnreadable) as refused:
        world.item(event)

    assert str(refused.value) == "The item could not be read."
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("kms.Decrypt", "AccessDeniedException"),
        ("kms.Decrypt", "ThrottlingException"),
        ("dynamodb.GetItem", "AccessDeniedException"),
        ("kms.DescribeKey", "AccessDeniedException"),
    ],
)
def test_given_a_service_that_fails_when_read_then_the_log_has_the_code_and_the_caller_has_not(
    world: World, operation: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.item({"Key": KEY})
    capsys.readouterr()

    with world.faults.failing(operation, code, message=SECRET), pytest.raises(ItemUnreadable) as refused:
        world.item({"Key": KEY})

    output = "".join(capsys.readouterr())
    assert str(refused.value) == "The item could not be read."
    assert code in output
    assert SECRET not in output


def test_given_a_damaged_item_when_read_then_the_audit_line_has_the_detail(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.item({"Key": KEY})
    world.update("encrypted_history", world.stored()["encrypted_configuration"])
    capsys.readouterr()

    with pytest.raises(ItemUnreadable):
        world.item({"Key": KEY})

    output = capsys.readouterr().out
    (line,) = audit_lines(output)
    assert (line["reason"], line["detail"]) == ("decryption-failed", "wrong-attribute-or-content")
    assert metrics(output)["DecryptionsFailed"] == [1.0]


def test_given_a_surprise_when_read_then_it_is_logged_by_type_and_place_alone(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    unforeseen = world.faults.failing("dynamodb.GetItem", LookupError(SECRET))

    with unforeseen, pytest.raises(ItemUnreadable):
        world.item({"Key": KEY})

    output = "".join(capsys.readouterr())
    assert [line["error"] for line in json_lines(output) if line.get("level") == "ERROR"] == ["LookupError"]
    assert SECRET not in output
