"""``?form=encrypted``: ciphertexts instead of values, a tag for each representation, and either in a condition."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import boto3
import pytest

from encryptor_runtime.switch import Switch
from item_crypto import Keyrings, ValueCipher
from item_crypto.forms import open_envelope
from item_crypto.reconcile import Reconciler
from reader import application
from reader.handler import lambda_handler
from tests import client, factories
from tests.documented import fits
from tests.factories import HISTORY, SECRET, TABLE, World, audit_lines, metrics, request, session
from tests.tables import create_table

CONTEXT: Final = {"userId": "alice", "sessionId": "dlg-1", "purpose": "session-encryption"}
KEY: Final[Any] = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
CLEAR: Final = {
    "history": [{"type": "human", "content": SECRET, "at": Decimal("1767340800.25")}],
    "configuration": {"model": "small", "prompt": SECRET},
}
OTHERS: Final = {
    "sessionId": "dlg-1",
    "userId": "alice",
    "name": "Tides",
    "startTime": "2026-01-02T08:00:00+00:00",
    "createTime": "2026-01-02T08:00:00+00:00",
    "lastUpdated": "2026-01-02T08:00:00+00:00",
}
CIPHERTEXTS: Final = ("encrypted_history", "encrypted_configuration")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    yield World(monkeypatch)
    application.reader.cache_clear()
    boto3.setup_default_session()


def send(world: World, method: str, body: Any = None, form: str | None = "encrypted", **headers: str) -> Any:
    """Send a request about ``dlg-1``; its answer must fit the OpenAPI document."""
    text = None if body is None else json.dumps(body)
    query = "" if form is None else f"form={form}"
    event = request(method, "dlg-1", body=text, authorizer=factories.jwt("alice"), query=query)
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    answer = factories.Answer(lambda_handler(event, factories.CONTEXT))
    fits("/session/{sessionId}", method, answer.status, answer.text, answer.headers)
    return answer


def ciphertexts(world: World) -> dict[str, str]:
    return {name: text["S"] for name, text in world.stored().items() if name in CIPHERTEXTS}


def decrypted(world: World, shown: dict[str, Any]) -> dict[str, Any]:
    """Return the values in an answer's ciphertexts, as DynamoDB's."""
    cipher = ValueCipher(Keyrings(world.kms, world.key_arn, [world.earlier_key_arn]))
    envelopes = {
        name.removeprefix("encrypted_"): open_envelope({"S": shown[name]}) for name in CIPHERTEXTS if name in shown
    }
    return cipher.decrypt(envelopes, CONTEXT)


def sealed(world: World, name: str, value: Any, key_arn: str = "") -> str:
    keys = client.data_key(world.kms, key_arn or world.key_arn, CONTEXT)
    return client.text(client.message(keys, CONTEXT, client.content(name, value)))


def under_the_earlier_key(world: World) -> dict[str, Any]:
    texts = {f"encrypted_{name}": {"S": sealed(world, name, session()[name], world.earlier_key_arn)} for name in CLEAR}
    markers = {"is_encrypted": {"BOOL": True}, "encryption_version": {"S": "1.0"}}
    return session(history=None, configuration=None, **texts, **markers)


def half_encrypted(world: World) -> dict[str, Any]:
    return session(history=None, encrypted_history={"S": sealed(world, "history", HISTORY)})


def both(world: World) -> dict[str, Any]:
    return session(encrypted_history={"S": sealed(world, "history", {"L": []})})


FORMS: Final[dict[str, Callable[[World], dict[str, Any]]]] = {
    "plaintext": lambda world: session(),
    "mixed": half_encrypted,
    "plaintext beside a ciphertext": both,
    "the old form": lambda world: factories.lisa_session(world.kms, world.key_arn, session()),
    "the old form beside plaintext": lambda world: factories.lisa_session(
        world.kms, world.key_arn, session(), keep_plaintext=True
    ),
    "an earlier key": under_the_earlier_key,
}


# Reading


def test_given_sessions_are_stored_as_binary_when_read_and_sent_then_clients_meet_base64_and_the_tags_stay(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """GIVEN a stored session WHEN the encoding is changed THEN nothing changes for clients, nor is KMS asked for it."""
    world.store(session())
    world.call("GET", "dlg-1")
    text = ciphertexts(world)
    sealed_before, clear_before = send(world, "GET"), send(world, "GET", form=None)
    world.set(CIPHERTEXT_ENCODING="binary")
    capsys.readouterr()

    sealed_after = send(world, "GET")

    assert metrics(capsys.readouterr().out).get("KmsCalls") is None
    stored = {name: value for name, value in world.stored().items() if name in CIPHERTEXTS}
    assert stored == {name: {"B": base64.b64decode(one)} for name, one in text.items()}
    clear_after = send(world, "GET", form=None)
    for before, after in ((sealed_before, sealed_after), (clear_before, clear_after)):
        assert (after.status, after.body, after.headers["ETag"]) == (200, before.body, before.headers["ETag"])

    message = sealed(world, "history", {"L": [{"S": "new"}]})
    put = send(world, "PUT", {"encrypted_history": message}, If_Match=sealed_after.headers["ETag"])

    assert (put.status, put.body["session"]["encrypted_history"]) == (200, message)
    assert world.stored()["encrypted_history"] == {"B": base64.b64decode(message)}


def test_given_an_encrypted_session_when_read_so_then_its_ciphertexts_are_as_stored_and_nothing_is_decrypted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session())
    world.call("GET", "dlg-1")
    before = world.stored()
    world.calls.clear()
    capsys.readouterr()

    answer = send(world, "GET")

    assert answer.body == {"form": "encrypted", "session": {**OTHERS, **ciphertexts(world)}}
    assert len(ciphertexts(world)) == 2
    assert world.calls == ["GetItem"]
    assert world.stored() == before
    (line,) = audit_lines(capsys.readouterr().out)
    assert (line["operation"], line["form"], line["attributes"]) == ("read", "encrypted", list(CIPHERTEXTS))


@pytest.mark.parametrize("name", FORMS)
def test_given_another_form_when_read_so_then_it_is_brought_into_the_current_one_first(world: World, name: str) -> None:
    world.store(FORMS[name](world))

    answer = send(world, "GET")

    assert answer.body == {"form": "encrypted", "session": {**OTHERS, **ciphertexts(world)}}
    assert {"L": [{"M": {**HISTORY["L"][0]["M"]}}]} == decrypted(world, answer.body["session"])["history"]
    assert not world.stored().keys() & {"history", "configuration"}
    for text in ciphertexts(world).values():
        assert world.key_arn.encode() in base64.b64decode(text)
    assert send(world, "GET").text == answer.text
    assert send(world, "GET", form=None).body == {**OTHERS, **CLEAR}


@pytest.mark.parametrize("name", FORMS)
def test_given_encryption_off_when_read_so_then_the_values_come_in_the_clear_and_the_answer_says_so(
    world: World, name: str
) -> None:
    world.store(FORMS[name](world))
    world.set(SESSION_ENCRYPTION_ENABLED="false")

    answer = send(world, "GET")

    assert answer.body == {"form": "plaintext", "session": {**OTHERS, **CLEAR}}
    assert not ciphertexts(world)
    assert answer.headers["ETag"] != send(world, "GET", form=None).headers["ETag"]


@pytest.mark.parametrize("name", FORMS)
def test_given_kms_that_makes_no_data_key_when_read_so_then_what_cannot_be_encrypted_comes_in_the_clear(
    world: World, name: str
) -> None:
    world.store(FORMS[name](world))
    before = world.stored()
    with world.faults.failing("kms.GenerateDataKey", "ThrottlingException"):
        answer = send(world, "GET")

        assert answer.status == 200
        assert world.stored() == before
        shown = answer.body["session"]
        for attribute in ("history", "configuration"):
            assert (attribute in shown) != (f"encrypted_{attribute}" in shown)
            if attribute in shown:
                assert shown[attribute] == CLEAR[attribute]
        assert answer.body["form"] == ("encrypted" if name == "an earlier key" else "plaintext")
        # The tag is of what stands there, so that a condition on it can be met.
        assert send(world, "DELETE", form=None, if_match=answer.headers["ETag"]).status == 204


def test_given_a_value_that_is_too_large_to_be_encrypted_when_read_so_then_it_comes_in_the_clear(
    world: World,
) -> None:
    noise = os.urandom(320_000)  # Fits in the clear; as base64 it does not.
    large = session(history={"L": [{"B": noise}]})
    world.store(large)

    answer = send(world, "GET")

    assert answer.body["form"] == "plaintext"
    assert answer.body["session"]["history"] == [base64.b64encode(noise).decode()]
    assert answer.body["session"]["configuration"] == CLEAR["configuration"]
    assert world.stored() == large


@pytest.mark.parametrize("off", [True, False])
def test_given_signed_messages_when_read_so_then_the_values_come_in_the_clear_since_clients_read_no_signed_ones(
    world: World, off: bool
) -> None:
    world.store(session())
    world.set(SIGNED_MESSAGES="true")
    world.call("GET", "dlg-1")
    before = world.stored()
    assert "encrypted_history" in before
    if off:  # The setting is taken back; what was signed stays.
        world.set(SIGNED_MESSAGES="false")

    answer = send(world, "GET")

    assert answer.body == {"form": "plaintext", "session": {**OTHERS, **CLEAR}}
    assert world.stored() == before


def test_given_a_session_without_values_when_read_so_then_it_is_shown_as_it_is(world: World) -> None:
    world.store(session(history=None, configuration=None))

    assert send(world, "GET").body == {"form": "encrypted", "session": OTHERS}


def test_given_a_kept_conflict_when_read_so_then_it_is_not_shown(world: World) -> None:
    old = factories.lisa_session(world.kms, world.key_arn, session(history={"L": []}))
    world.store({**old, "history": HISTORY})

    shown = send(world, "GET").body["session"]

    assert "encrypted_history_conflict" in world.stored()
    assert shown.keys() == {*OTHERS, *CIPHERTEXTS}


def test_given_an_unknown_form_when_read_so_then_it_fails_as_in_the_clear(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.store(session(history=None, encrypted_history={"S": "garbage"}))

    assert send(world, "GET").status == 500
    assert metrics(capsys.readouterr().out)["DecryptionsFailed"] == [1.0]


def test_given_no_session_when_read_so_then_404(world: World) -> None:
    world.store(session(user="bob"))

    assert send(world, "GET").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("form", ["clear", "", "ENCRYPTED"])
def test_given_a_form_that_there_is_not_when_asked_for_then_400(world: World, method: str, form: str) -> None:
    answer = send(world, method, {"name": "x"} if method == "PUT" else None, form=form)

    assert (answer.status, answer.body["field"]) == (400, "form")
    assert world.stored() == {}


def test_given_a_writer_between_read_and_write_when_read_so_then_what_is_shown_is_theirs(world: World) -> None:
    world.store(session())
    newer: Any = {"L": [{"S": "newer"}]}
    with world.faults.interrupting("dynamodb.UpdateItem", lambda: world.update("history", newer)):
        answer = send(world, "GET")

    assert decrypted(world, answer.body["session"])["history"] == newer
    assert answer.body["session"].items() >= ciphertexts(world).items()


# Writing


@pytest.mark.parametrize("existed", [True, False])
def test_given_messages_when_put_so_then_the_answer_has_them_and_their_tag(world: World, existed: bool) -> None:
    if existed:
        world.store(session())
    text = sealed(world, "history", HISTORY)

    answer = send(world, "PUT", {"encrypted_history": text, "name": "Ferry"})

    assert answer.status == (200 if existed else 201)
    assert answer.body["form"] == "encrypted"
    shown = answer.body["session"]
    assert (shown["encrypted_history"], shown["name"]) == (text, "Ferry")
    assert ("encrypted_configuration" in shown) == existed
    assert not shown.keys() & {"history", "configuration", "is_encrypted", "encrypted_at"}
    again = send(world, "GET")
    assert (again.body, again.headers["ETag"]) == (answer.body, answer.headers["ETag"])


def test_given_values_in_the_clear_when_put_so_then_the_answer_has_what_is_stored_of_them(world: World) -> None:
    answer = send(world, "PUT", {"history": ["mine"]})

    assert answer.body["form"] == "encrypted"
    assert answer.body["session"]["encrypted_history"] == ciphertexts(world)["encrypted_history"]
    assert decrypted(world, answer.body["session"]) == {"history": {"L": [{"S": "mine"}]}}
    world.set(SESSION_ENCRYPTION_ENABLED="false")

    answer = send(world, "PUT", {"history": ["mine too"], "configuration": {}})

    assert answer.body["form"] == "plaintext"
    assert (answer.body["session"]["history"], answer.body["session"]["configuration"]) == (["mine too"], {})
    assert send(world, "GET").headers["ETag"] == answer.headers["ETag"]


# Tags


def test_given_one_session_when_read_both_ways_then_each_representation_has_its_own_tag(world: World) -> None:
    world.store(session())
    encrypted, clear = send(world, "GET").headers["ETag"], send(world, "GET", form=None).headers["ETag"]

    assert encrypted != clear
    assert (send(world, "GET").headers["ETag"], len(encrypted)) == (encrypted, len(clear))
    world.store(session())  # The same content under a new data key:
    assert send(world, "GET").headers["ETag"] != encrypted
    assert send(world, "GET", form=None).headers["ETag"] == clear


@pytest.mark.parametrize("attribute", ["name", "lastUpdated", "tags"])
def test_given_another_attribute_that_changes_when_read_so_then_the_tag_does(world: World, attribute: str) -> None:
    world.store(session())
    before = send(world, "GET").headers["ETag"]
    world.update(attribute, {"S": "other"})

    assert send(world, "GET").headers["ETag"] != before


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("form", ["encrypted", None], ids=["the tag of ciphertexts", "the tag of values"])
@pytest.mark.parametrize("asked", ["encrypted", None], ids=["asked encrypted", "asked in the clear"])
def test_given_either_tag_when_a_write_names_it_then_it_is_met_and_after_a_change_not(
    world: World, method: str, form: str | None, asked: str | None
) -> None:
    world.store(session())
    tag = send(world, "GET", form=form).headers["ETag"]
    body = {"encrypted_history": sealed(world, "history", {"L": []})} if method == "PUT" else None
    asked = asked if method == "PUT" else None
    world.update("name", {"S": "theirs"})
    assert send(world, method, body, form=asked, if_match=tag).status == 412
    assert world.stored()["name"] == {"S": "theirs"}
    world.update("name", {"S": "Tides"})

    assert send(world, method, body, form=asked, if_match=f'"other", {tag}').status == (200 if method == "PUT" else 204)


@pytest.mark.parametrize("name", FORMS)
def test_given_a_tag_of_ciphertexts_when_a_writer_puts_another_form_then_412(world: World, name: str) -> None:
    world.store(session())
    tag = send(world, "GET").headers["ETag"]
    world.store(FORMS[name](world))

    assert send(world, "PUT", {"name": "x"}, if_match=tag).status == 412


def test_given_our_re_encryption_in_between_when_put_under_the_tag_of_ciphertexts_then_412_and_the_content_is_the_same(
    world: World,
) -> None:
    world.store(session())
    first = send(world, "GET")

    def renewed() -> None:
        world.store(session())
        runtime = application.item_reader()
        Reconciler(runtime.table, runtime.cipher).access(KEY, runtime.policy())

    with world.faults.interrupting("dynamodb.UpdateItem", renewed):
        answer = send(world, "PUT", {"name": "mine"}, if_match=first.headers["ETag"])

    assert answer.status == 412
    again = send(world, "GET")
    assert decrypted(world, again.body["session"]) == decrypted(world, first.body["session"])
    assert send(world, "PUT", {"name": "mine"}, if_match=again.headers["ETag"]).status == 200


@pytest.mark.parametrize("attribute", ["history", "encrypted_history", "configuration", "name", "tags"])
def test_given_a_writer_at_the_worst_moment_when_messages_are_put_under_a_tag_then_412_and_theirs_stands(
    world: World, attribute: str
) -> None:
    world.store(session(tags={"S": "a"}))
    tag = send(world, "GET").headers["ETag"]
    theirs = {"S": sealed(world, "history", {"L": []})} if attribute.startswith("encrypted") else {"S": "theirs"}
    body = {"encrypted_history": sealed(world, "history", {"L": [{"S": "mine"}]}), "name": "mine"}
    with world.faults.interrupting("dynamodb.UpdateItem", lambda: world.update(attribute, theirs)):
        assert send(world, "PUT", body, if_match=tag).status == 412

    assert world.stored()[attribute] == theirs


@pytest.mark.parametrize("attribute", ["history", "encrypted_history", "name"])
def test_given_a_writer_at_the_worst_moment_when_deleted_under_the_tag_of_ciphertexts_then_412_and_theirs_stands(
    world: World, attribute: str
) -> None:
    world.store(session())
    tag = send(world, "GET").headers["ETag"]
    theirs = {"S": sealed(world, "history", {"L": []})}
    with world.faults.interrupting("dynamodb.DeleteItem", lambda: world.update(attribute, theirs)):
        assert send(world, "DELETE", form=None, if_match=tag).status == 412

    assert world.stored()[attribute] == theirs


def test_given_a_switch_by_the_control_table_when_deleted_under_the_tag_of_what_was_shown_then_it_is_gone(
    world: World,
) -> None:
    """A deletion judges by the setting as it is, not by the one that the function was deployed with."""
    create_table(world.dynamodb, "control", "id", "part")
    world.set(CONTROL_TABLE_NAME="control", SETTING_CACHE_SECONDS="0")
    world.store(session())
    Switch(world.dynamodb, "control", True, 0).change(False, "somebody", 0)
    answer = send(world, "GET")
    assert answer.body["form"] == "plaintext"

    assert send(world, "DELETE", form=None, if_match=answer.headers["ETag"]).status == 204
    assert "Item" not in world.dynamodb.get_item(TableName=TABLE, Key=KEY)


def test_given_if_none_match_when_put_so_then_it_creates_and_never_replaces(world: World) -> None:
    body = {"encrypted_history": sealed(world, "history", HISTORY)}

    assert send(world, "PUT", body, if_none_match="*").status == 201
    assert send(world, "PUT", body, if_none_match="*").status == 412
