"""The readers remember data keys for reading: what that spares, when it ends, and what it must not change."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from item_crypto.forms import open_envelope
from reader import application
from reader.handler import lambda_handler
from reader.item import ItemUnreadable
from tests import client
from tests.factories import CONTEXT as INVOCATION
from tests.factories import SECRET, World, audit_lines, jwt, lisa_session, metrics, request, session

KEY = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
CONTEXT = {"userId": "alice", "sessionId": "dlg-1", "purpose": "session-encryption"}
READ = ["GetItem"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:
    world = World(monkeypatch)
    world.set(READ_CACHE_SECONDS="60")
    yield world
    application.reader.cache_clear()
    application.item_reader.cache_clear()
    boto3.setup_default_session()


@pytest.fixture
def encrypted(world: World) -> World:
    """A session of alice's that is stored encrypted, whose data key no reader has seen."""
    store_encrypted(world, "dlg-1")
    return world


def store_encrypted(world: World, session_id: str) -> None:
    policy = Policy(
        ("history", "configuration"), frozenset(), ("userId", "sessionId"), CONTEXT["purpose"], enabled=True
    )
    cipher = ItemCipher(ValueCipher(Keyrings(world.kms, world.key_arn)), policy)
    world.store(cipher.encrypt_item(session(session_id)))


def asked(world: World) -> list[str]:
    """Return the readers' calls so far, without those of their start, and forget them."""
    calls = [call for call in world.calls if not call.startswith("Describe")]
    world.calls.clear()
    return calls


def by_api(world: World) -> str:
    answer = world.call("GET", "dlg-1")
    return answer.text if answer.status == 200 else str(answer.status)


def by_item(world: World) -> str:
    try:
        return json.dumps(world.item({"Key": KEY}))
    except ItemUnreadable:
        return "500"


Reading = Callable[[World], str]
READERS = [pytest.param(by_api, id="api"), pytest.param(by_item, id="item")]


def reads(output: str) -> list[dict[str, Any]]:
    return [line for line in audit_lines(output) if line["operation"] == "read"]


# What it spares


@pytest.mark.parametrize("read", READERS)
def test_given_an_encrypted_item_when_it_is_read_again_then_kms_is_asked_once(encrypted: World, read: Reading) -> None:
    answers = [read(encrypted) for _ in range(3)]

    assert SECRET in answers[0]
    assert set(answers) == {answers[0]}
    assert asked(encrypted) == [*READ, "Decrypt", *READ, *READ]


@pytest.mark.parametrize("read", READERS)
def test_given_no_seconds_when_it_is_read_again_then_kms_is_asked_again(encrypted: World, read: Reading) -> None:
    encrypted.set(READ_CACHE_SECONDS="0")

    for _ in range(2):
        read(encrypted)

    assert asked(encrypted) == [*READ, "Decrypt"] * 2


def test_given_lisas_form_that_stays_when_it_is_read_again_then_its_data_keys_are_remembered(world: World) -> None:
    """Its write fails, so it stays as it is. What is to be written has a new data key each time."""
    world.store(lisa_session(world.kms, world.key_arn, session()))
    with world.faults.failing("dynamodb.UpdateItem", "AccessDeniedException"):
        first, again = by_api(world), by_api(world)

    assert SECRET in first
    assert first == again
    assert asked(world) == [*READ, "Decrypt", "Decrypt", "GenerateDataKey", *READ, "GenerateDataKey"]


def test_given_a_session_shown_encrypted_when_it_is_read_then_no_key_is_asked_for(encrypted: World) -> None:
    for _ in range(2):
        assert encrypted.call("GET", "dlg-1", query="form=encrypted").status == 200

    assert asked(encrypted) == READ * 2


# When it ends


class Refusing:
    """Whether KMS refuses by now."""

    now = False

    def __call__(self, _: Any) -> bool:
        return self.now


@pytest.fixture
def kms_refuses(encrypted: World) -> Iterator[Refusing]:
    refusing = Refusing()
    with encrypted.faults.failing("kms", "DisabledException", when=refusing):
        yield refusing


@pytest.mark.parametrize("read", READERS)
def test_given_a_disabled_key_when_its_data_key_is_remembered_then_that_item_alone_is_read(
    encrypted: World, kms_refuses: Refusing, read: Reading
) -> None:
    store_encrypted(encrypted, "dlg-2")
    answer = read(encrypted)

    kms_refuses.now = True

    assert read(encrypted) == answer
    assert encrypted.call("GET", "dlg-2").status == 500
    with pytest.raises(ItemUnreadable):
        encrypted.item({"Key": {**KEY, "sessionId": {"S": "dlg-2"}}})


def test_given_a_disabled_key_when_its_data_key_is_remembered_then_no_write_rests_on_it(
    encrypted: World, kms_refuses: Refusing
) -> None:
    read = encrypted.call("GET", "dlg-1")
    before = encrypted.stored()
    own = client.text(client.message(data_key_of(encrypted), CONTEXT, client.content("history", {"L": []})))

    kms_refuses.now = True

    tag = {"if-match": read.headers["ETag"]}
    assert encrypted.put("dlg-1", {"history": ["new"]}).status == 500
    assert (
        encrypted.put("dlg-1", {"name": "new"}).status == 500
    )  # It answers with the session, which it has to decrypt.
    assert encrypted.put("dlg-1", {"encrypted_history": own}).status == 500
    assert conditional(encrypted, "PUT", tag, {"history": ["new"]}) == 500
    assert conditional(encrypted, "DELETE", tag) == 500
    assert encrypted.stored() == before
    assert by_api(encrypted) == read.text


# What it must not change


def test_given_a_remembered_data_key_when_the_session_is_put_then_it_is_under_a_new_one(encrypted: World) -> None:
    by_api(encrypted)
    asked(encrypted)
    before = encrypted.stored()

    assert encrypted.put("dlg-1", {"history": ["new"]}).status == 200

    after = encrypted.stored()
    assert asked(encrypted) == [*READ, "Decrypt", "GenerateDataKey", "UpdateItem"]
    assert data_key_in(after["encrypted_history"]) != data_key_in(before["encrypted_history"])
    assert encrypted.call("GET", "dlg-1").body["history"] == ["new"]


def test_given_a_session_that_changes_when_it_is_read_again_then_it_is_the_new_one(encrypted: World) -> None:
    """What is remembered is a key, never an item."""
    by_api(encrypted)
    encrypted.update("history", {"L": [{"S": "newer"}]})
    asked(encrypted)

    assert encrypted.call("GET", "dlg-1").body["history"] == ["newer"]
    assert asked(encrypted) == [*READ, "GenerateDataKey", "UpdateItem"]
    assert encrypted.call("GET", "dlg-1").body["history"] == ["newer"]


@pytest.mark.parametrize("read", READERS)
def test_given_reads_when_data_keys_are_remembered_then_each_has_its_audit_line(
    encrypted: World, read: Reading, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        read(encrypted)

    output = capsys.readouterr().out
    lines = reads(output)
    assert [line.get("dataKey") for line in lines] == [None, "remembered", "remembered"]
    assert [line["attributes"] for line in lines] == [["history", "configuration"]] * 3
    assert {(line["who"], line["result"], str(line["item"])) for line in lines} == {(lines[0]["who"], "done", str(KEY))}


def test_given_a_remembered_data_key_when_another_request_follows_then_its_line_does_not_say_so(
    encrypted: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        by_api(encrypted)
    encrypted.call("GET", "dlg-none")
    encrypted.put("dlg-1", {"name": "new"})
    by_api(encrypted)

    lines = [line for line in audit_lines(capsys.readouterr().out) if line["operation"] in ("read", "replace")]
    assert [line.get("dataKey") for line in lines] == [None, "remembered", None, None, "remembered"]


def test_given_reads_when_data_keys_are_remembered_then_every_decryption_is_counted_and_every_call(
    encrypted: World, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = []
    for _ in range(2):
        by_api(encrypted)
        found = metrics(capsys.readouterr().out)
        counted.append((found["DecryptionsSucceeded"], found["SessionReads"], found.get("KmsCalls")))

    assert counted == [([2.0], [1.0], [1.0]), ([2.0], [1.0], None)]


def test_given_a_remembered_data_key_when_another_user_asks_then_there_is_no_such_session(encrypted: World) -> None:
    by_api(encrypted)

    assert encrypted.call("GET", "dlg-1", user="bob").status == 404


@pytest.mark.parametrize(("session_id", "user"), [("dlg-1", "bob"), ("dlg-2", "alice")])
def test_given_a_remembered_data_key_when_its_ciphertexts_lie_in_another_item_then_it_is_refused(
    encrypted: World, session_id: str, user: str
) -> None:
    by_api(encrypted)
    key = {"sessionId": {"S": session_id}, "userId": {"S": user}}
    encrypted.store({**encrypted.stored(), **key})
    asked(encrypted)

    assert encrypted.call("GET", session_id, user=user).status == 500
    with pytest.raises(ItemUnreadable):
        encrypted.item({"Key": key})
    assert set(asked(encrypted)) == set(READ)


def cut(stored: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64decode(stored["encrypted_history"]["S"])
    return {"encrypted_history": {"S": client.text(data[:-1])}}


def appended(stored: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64decode(stored["encrypted_history"]["S"])
    return {"encrypted_history": {"S": client.text(data + b"x")}}


def swapped(stored: dict[str, Any]) -> dict[str, Any]:
    return {
        "encrypted_history": stored["encrypted_configuration"],
        "encrypted_configuration": stored["encrypted_history"],
    }


def mixed(stored: dict[str, Any]) -> dict[str, Any]:
    """The last byte of a header's tag lies 16 and 4 + 4 + 12 + 4 bytes before the content, which is gzip or JSON."""
    one, other = (base64.b64decode(stored[f"encrypted_{name}"]["S"]) for name in ("history", "configuration"))
    start = one.index(b"\xff\xff\xff\xff\x00\x00\x00\x01")  # The final frame's mark and number.
    assert other[start : start + 8] == one[start : start + 8]
    return {"encrypted_history": {"S": client.text(one[:start] + other[start:])}}


@pytest.mark.parametrize("change", [cut, appended, swapped, mixed])
@pytest.mark.parametrize("seconds", ["0", "60"])
def test_given_a_remembered_data_key_when_a_ciphertext_was_changed_then_it_is_refused_as_ever(
    encrypted: World,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    seconds: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    encrypted.set(READ_CACHE_SECONDS=seconds)
    assert SECRET in by_api(encrypted)
    encrypted.store({**encrypted.stored(), **change(encrypted.stored())})
    capsys.readouterr()
    asked(encrypted)

    answer = encrypted.call("GET", "dlg-1")

    assert (answer.status, answer.body["message"]) == (500, "The session could not be decrypted.")
    assert "UpdateItem" not in asked(encrypted)
    (line,) = reads(capsys.readouterr().out)
    assert (line["result"], line["reason"]) == ("failed", "decryption-failed")


# Around them


def data_key_in(stored: dict[str, Any]) -> bytes:
    return open_envelope(stored).encrypted_key


def data_key_of(world: World) -> client.DataKeys:
    """Return the data key of alice's session, as a client that asked for it has it."""
    encrypted_key = data_key_in(world.stored()["encrypted_history"])
    answer = world.kms.decrypt(CiphertextBlob=encrypted_key, EncryptionContext=CONTEXT)
    return client.DataKeys(answer["Plaintext"], {world.key_arn: encrypted_key})


def conditional(world: World, method: str, headers: dict[str, str], body: Any = None) -> int:
    event = request(method, "dlg-1", authorizer=jwt("alice"), body=None if body is None else json.dumps(body))
    event["headers"] |= headers
    return int(lambda_handler(event, INVOCATION)["statusCode"])
