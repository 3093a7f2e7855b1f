"""Data keys over HTTP on moto's KMS and DynamoDB: whose key is given to whom, what is refused, what is logged."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from encryptor_runtime.clients import longest_call
from item_crypto import Keyrings, ValueCipher
from item_crypto.core.part import ListedKeys
from item_crypto.forms import open_envelope
from session_keys import application
from tests.factories import audit_lines, cognito, iam, json_lines, jwt, metrics
from tests.key_requests import CONTROL, KeyAnswer, KeyWorld, context
from tests.unit.sam_template import Stack, translated

NOT_YOURS = {
    "statusCode": 400,
    "message": "encryptedKey: not a key of this user and session.",
    "field": "encryptedKey",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[KeyWorld]:
    yield KeyWorld(monkeypatch)
    application.session_keys.cache_clear()
    boto3.setup_default_session()


def refused(answer: KeyAnswer) -> bool:
    """Tell whether an answer is the one uniform refusal of a key."""
    return (answer.status, answer.body) == (400, NOT_YOURS)


# Making


def test_given_a_session_that_does_not_exist_when_a_key_is_made_then_it_says_all_that_a_message_needs(
    world: KeyWorld,
) -> None:
    answer = world.generate("dlg-1")

    assert answer.status == 200
    assert len(answer.key) == 32
    assert answer.body == {
        "plaintextKey": answer.body["plaintextKey"],
        "encryptedKey": answer.body["encryptedKey"],
        "keyArn": world.key_arn,
        "algorithm": "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
        "encryptionContext": {"userId": "alice", "sessionId": "dlg-1", "purpose": "session-encryption"},
    }
    assert world.calls == ["GetItem", "GenerateDataKey"]


def test_given_two_requests_when_keys_are_made_then_they_are_two_keys(world: KeyWorld) -> None:
    assert world.generate().key != world.generate().key


def test_given_a_key_when_kms_is_asked_for_it_then_it_fits_the_context_of_the_answer_and_no_other(
    world: KeyWorld,
) -> None:
    answer = world.generate()
    encrypted = base64.b64decode(answer.body["encryptedKey"])

    decrypted = world.kms.decrypt(CiphertextBlob=encrypted, EncryptionContext=answer.body["encryptionContext"])
    assert decrypted["Plaintext"] == answer.key
    with pytest.raises(world.kms.exceptions.InvalidCiphertextException):
        world.kms.decrypt(CiphertextBlob=encrypted, EncryptionContext=context("dlg-2"))


@pytest.mark.parametrize(
    "member", ["userId", "encryptionContext", "context", "keyArn", "user", "purpose", "session_id", "encryptedKey"]
)
def test_given_anything_but_a_session_id_when_a_key_is_asked_for_then_it_is_refused_by_name(
    world: KeyWorld, member: str
) -> None:
    answer = world.send("generate-key", {"sessionId": "dlg-1", member: {"userId": "bob"}})

    assert (answer.status, answer.body["field"]) == (400, member)
    assert world.calls == []


@pytest.mark.parametrize("session_id", ["", ".", "..", "s" * 2049, "ü" * 1025, "\ud800", 1, None])
@pytest.mark.parametrize("route", ["generate-key", "decrypt-key"])
def test_given_an_id_that_is_no_sessions_when_asked_then_it_is_refused_by_name(
    world: KeyWorld, route: str, session_id: Any
) -> None:
    body = {"sessionId": session_id} | ({"encryptedKey": "AAAA"} if route == "decrypt-key" else {})

    answer = world.send(route, body)

    if route == "decrypt-key" and session_id in (".", ".."):  # KMS is asked, as for any other id.
        assert refused(answer)
    else:
        assert (answer.status, answer.body["field"]) == (400, "sessionId")
        assert world.calls == []


def test_given_the_longest_ids_when_a_key_is_made_then_it_is(world: KeyWorld) -> None:
    session, user = "s" * 2048, "u" * 1024

    made = world.generate(session, user)

    assert made.body["encryptionContext"] == context(session, user)
    assert world.decrypt(made.body["encryptedKey"], session, user).key == made.key


def test_given_encryption_is_off_when_asked_then_no_key_is_made_and_an_earlier_one_is_still_decrypted(
    world: KeyWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world.generate()
    world.switch_off()
    capsys.readouterr()
    world.calls.clear()

    answer = world.generate()

    assert answer.status == 409
    assert answer.body == {
        "statusCode": 409,
        "message": "Encryption is switched off: send the session in the clear.",
    }
    assert world.calls == ["GetItem"]
    (line,) = audit_lines(capsys.readouterr().out)
    assert (line["operation"], line["result"], line["status"]) == ("generate-key", "refused", 409)
    assert world.decrypt(made.body["encryptedKey"]).key == made.key


def test_given_a_setting_that_was_read_before_when_asked_anew_then_it_does_not_count(world: KeyWorld) -> None:
    world.set(SETTING_CACHE_SECONDS="1000")
    assert world.generate().status == 200
    world.switch_off()

    assert world.generate().status == 409


def test_given_messages_have_to_be_signed_when_asked_then_no_key_is_made_and_an_earlier_one_is_still_decrypted(
    world: KeyWorld,
) -> None:
    made = world.generate()
    world.set(SIGNED_MESSAGES="true")

    answer = world.generate()

    assert answer.status == 409
    assert answer.body["message"] == "Messages have to be signed: send the session in the clear."
    assert world.decrypt(made.body["encryptedKey"]).key == made.key


def test_given_encryption_is_on_for_other_sessions_when_asked_then_no_key_is_made_and_one_inside_is(
    world: KeyWorld,
) -> None:
    version = world.switch.read_now().version
    world.switch.change(True, "root", version, ListedKeys.of([{"userId": {"S": "alice"}, "sessionId": {"S": "dlg-2"}}]))

    outside, inside = world.generate("dlg-1"), world.generate("dlg-2")

    assert (outside.status, inside.status) == (409, 200)
    assert outside.body["message"] == "Encryption is on for other sessions only: send the session in the clear."
    assert world.generate("dlg-2", "bob").status == 409


def test_given_the_setting_cannot_be_read_when_a_key_is_asked_for_then_it_is_neither_on_nor_off(
    world: KeyWorld,
) -> None:
    with world.faults.failing("dynamodb.GetItem", "ResourceNotFoundException"):
        assert world.generate().status == 500
    with world.faults.failing("dynamodb.GetItem", "ThrottlingException"):
        answer = world.generate()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "GenerateDataKey" not in world.calls


# Decrypting


def test_given_a_key_of_ones_own_session_when_decrypted_then_it_is_the_one_that_was_made(world: KeyWorld) -> None:
    made = world.generate()
    world.calls.clear()

    answer = world.decrypt(made.body["encryptedKey"])

    assert answer.status == 200
    assert answer.body == {"plaintextKey": made.body["plaintextKey"]}
    assert world.calls == ["Decrypt"]


@pytest.mark.parametrize(
    ("session_id", "user"), [("dlg-1", "bob"), ("dlg-2", "alice"), ("alice", "dlg-1")], ids=["user", "session", "both"]
)
def test_given_a_key_of_another_user_or_session_when_decrypted_then_it_is_refused_in_one_sentence(
    world: KeyWorld, session_id: str, user: str
) -> None:
    made = world.generate()

    answer = world.decrypt(made.body["encryptedKey"], session_id, user)

    assert refused(answer)
    assert made.body["plaintextKey"] not in answer.text


def test_given_a_key_that_was_made_for_another_purpose_when_decrypted_then_it_is_refused(world: KeyWorld) -> None:
    other = world.kms.generate_data_key(
        KeyId=world.key_arn, KeySpec="AES_256", EncryptionContext=context() | {"purpose": "billing"}
    )

    assert refused(world.decrypt(base64.b64encode(other["CiphertextBlob"]).decode()))


def test_given_a_key_under_an_earlier_kms_key_when_decrypted_then_it_is_the_one_that_was_made(world: KeyWorld) -> None:
    encrypted, plaintext = world.made_under(world.earlier_arn)

    answer = world.decrypt(encrypted)

    assert (answer.status, answer.key) == (200, plaintext)
    assert world.calls[-2:] == ["Decrypt", "Decrypt"]


def test_given_a_key_under_no_listed_kms_key_when_decrypted_then_it_is_refused_in_the_same_sentence(
    world: KeyWorld,
) -> None:
    encrypted, _ = world.made_under(world.unlisted_arn)

    # moto denies what KMS calls the wrong key.
    with world.faults.failing("kms.Decrypt", "IncorrectKeyException"):
        assert refused(world.decrypt(encrypted))


@pytest.mark.parametrize("size", [16, 31, 33, 64])
def test_given_other_bytes_under_the_same_context_when_decrypted_then_none_of_them_leaves(
    world: KeyWorld, size: int
) -> None:
    encrypted, plaintext = world.made_under(world.key_arn, NumberOfBytes=size)

    answer = world.decrypt(encrypted)

    assert refused(answer)
    assert base64.b64encode(plaintext[:16]).decode()[:16] not in answer.text


@pytest.mark.parametrize("size", [3, 184, 6144], ids=["short", "as long as a key", "the longest"])
def test_given_what_kms_never_made_when_decrypted_then_it_is_refused_in_the_same_sentence(
    world: KeyWorld, size: int
) -> None:
    # It begins as moto's ciphertexts do: what names no key at all, moto denies, and KMS calls invalid.
    content = (world.key_arn[-36:].encode() + b"x" * size)[:size]

    assert refused(world.decrypt(base64.b64encode(content).decode()))


def test_given_one_flipped_bit_when_decrypted_then_it_is_refused_in_the_same_sentence(world: KeyWorld) -> None:
    encrypted = bytearray(base64.b64decode(world.generate().body["encryptedKey"]))
    encrypted[-1] ^= 1

    assert refused(world.decrypt(base64.b64encode(encrypted).decode()))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("AAA", id="no padding"),
        pytest.param("AAA=A", id="padding within"),
        pytest.param("AAB=", id="bits left over"),
        pytest.param("AA AA===", id="white space"),
        pytest.param("AAAA\n", id="line break"),
        pytest.param("-_-_", id="base64url"),
        pytest.param("äöüß", id="not ASCII"),
        pytest.param("\ud800AAA", id="not Unicode"),
        pytest.param("A" * 8196, id="over 6144 bytes"),
        pytest.param(7, id="a number"),
        pytest.param(None, id="null"),
        pytest.param(["AAAA"], id="a list"),
    ],
)
def test_given_no_base64_of_a_fitting_size_when_decrypted_then_it_is_refused_by_name_and_kms_is_not_asked(
    world: KeyWorld, text: Any
) -> None:
    answer = world.send("decrypt-key", {"sessionId": "dlg-1", "encryptedKey": text})

    assert (answer.status, answer.body["field"]) == (400, "encryptedKey")
    assert world.calls == []


def test_given_a_missing_key_when_decrypted_then_it_is_refused_by_name(world: KeyWorld) -> None:
    answer = world.send("decrypt-key", {"sessionId": "dlg-1"})

    assert (answer.status, answer.body["field"]) == (400, "encryptedKey")


# Who


@pytest.mark.parametrize(
    ("authorizer", "user"),
    [
        (jwt("alice"), "alice"),
        (cognito("eu-central-1:0d1c"), "eu-central-1:0d1c"),
        (iam("AIDAEXAMPLE1"), "AIDAEXAMPLE1"),
        (iam("AROATRUSTED:alice"), "AROATRUSTED:alice"),
    ],
)
def test_given_an_identity_when_a_key_is_made_then_it_is_for_the_user_that_the_reader_takes_it_for(
    world: KeyWorld, authorizer: Any, user: str
) -> None:
    assert world.generate(authorizer=authorizer).body["encryptionContext"]["userId"] == user


@pytest.mark.parametrize(
    ("authorizer", "status"),
    [({}, 401), (jwt(""), 401), (iam("AROASTRANGER:alice"), 403), (cognito("id", amr="unauthenticated"), 403)],
)
@pytest.mark.parametrize("route", ["generate-key", "decrypt-key"])
def test_given_no_users_identity_when_asked_then_the_body_is_not_even_looked_at(
    world: KeyWorld, route: str, authorizer: Any, status: int
) -> None:
    assert world.send(route, "not JSON", authorizer=authorizer).status == status
    assert world.calls == []


# What goes wrong


@pytest.mark.parametrize("code", ["DisabledException", "KMSInvalidStateException", "AccessDeniedException"])
@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt"])
def test_given_a_kms_key_that_refuses_when_asked_then_somebody_has_to_see_to_it(
    world: KeyWorld, capsys: pytest.CaptureFixture[str], operation: str, code: str
) -> None:
    encrypted = world.generate().body["encryptedKey"]
    capsys.readouterr()
    with world.faults.failing(f"kms.{operation}", code):
        answer = world.generate() if operation == "GenerateDataKey" else world.decrypt(encrypted)

    assert answer.status == 500
    output = capsys.readouterr().out
    (line,) = audit_lines(output)
    assert (line["result"], line["failedService"], line["code"]) == ("failed", "kms", code)
    assert [each["code"] for each in json_lines(output) if each.get("message") == "a service refuses"] == [code]
    assert "SessionKeysRefused" not in metrics(output)


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt"])
def test_given_kms_throttles_when_asked_then_the_answer_says_when_to_try_again(world: KeyWorld, operation: str) -> None:
    encrypted = world.generate().body["encryptedKey"]
    with world.faults.failing(f"kms.{operation}", "ThrottlingException"):
        answer = world.generate() if operation == "GenerateDataKey" else world.decrypt(encrypted)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "outcome" not in answer.body


def test_given_a_context_that_kms_does_not_take_when_a_key_is_asked_for_then_the_session_id_is_refused(
    world: KeyWorld,
) -> None:
    with world.faults.failing("kms.GenerateDataKey", "ValidationException"):
        answer = world.generate()

    assert (answer.status, answer.body["field"]) == (400, "sessionId")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CONTROL_TABLE_NAME", ""),
        ("CONTEXT_ATTRIBUTES", "sessionId"),
        ("SESSION_ENCRYPTION_KEY_ARN", "alias/sessions"),
        ("EARLIER_KEY_ARNS", "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000"),
        ("TRUSTED_ROLE_IDS", "backend"),
        ("USER_CLAIM", " "),
    ],
)
def test_given_a_setting_that_cannot_work_when_asked_then_the_function_does_not_start(
    world: KeyWorld, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    world.set(**{name: text})

    assert world.generate().status == 500
    (line,) = audit_lines(capsys.readouterr().out)
    assert (line["operation"], line["result"], line["reason"]) == ("generate-key", "failed", "configuration")


def test_calls_when_they_hang_then_the_function_answers_before_it_is_ended() -> None:
    """The setting and one key for generate-key; for decrypt-key a key that answers late and one that hangs."""
    hangs = longest_call(application.CONNECT, application.READ, application.ATTEMPTS)

    assert 2 * hangs < Stack(translated(), {}).properties("SessionKeysFunction")["Timeout"]


# What is left behind


def test_given_requests_of_every_kind_when_served_then_each_leaves_one_audit_line_and_is_counted(
    world: KeyWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    encrypted = world.generate().body["encryptedKey"]
    world.decrypt(encrypted)
    world.decrypt(encrypted, user="bob")

    output = capsys.readouterr().out
    lines = audit_lines(output)
    item = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
    assert [(line["who"], line["operation"], line["result"]) for line in lines] == [
        ("alice", "generate-key", "generated"),
        ("alice", "decrypt-key", "decrypted"),
        ("bob", "decrypt-key", "refused"),
    ]
    assert lines[0]["item"] == lines[1]["item"] == item
    assert lines[2]["item"] == item | {"userId": {"S": "bob"}}
    assert {line["keyArn"] for line in lines} == {world.key_arn}
    assert {line["requestId"] for line in lines} == {"r-1"}
    assert (lines[2]["reason"], lines[2]["detail"]) == ("decryption-failed", "not-issued-under-this-context")
    counted = metrics(output)
    names = ("SessionKeysGenerated", "SessionKeysDecrypted", "SessionKeysRefused")
    assert [counted[name] for name in names] == [[1.0], [1.0], [1.0]]
    assert "KmsLatency" in counted
    assert "DecryptionsFailed" not in counted  # Its alarm tells of tampering, and anybody may send anything.


def test_given_every_way_to_succeed_and_to_fail_when_served_then_no_key_is_logged(
    world: KeyWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world.generate()
    encrypted, key = made.body["encryptedKey"], made.key
    earlier, earlier_key = world.made_under(world.earlier_arn)
    odd, odd_key = world.made_under(world.key_arn, NumberOfBytes=33)
    answers = [
        world.decrypt(encrypted, user="bob"),
        world.decrypt(odd),
        world.decrypt(encrypted + "="),
        world.send("decrypt-key", {"sessionId": "dlg-1", "encryptedKey": encrypted, "more": encrypted}),
        world.send("decrypt-key", json.dumps({"sessionId": "dlg-1", "encryptedKey": encrypted})[:-1]),
    ]
    world.decrypt(encrypted)
    world.decrypt(earlier)
    for code in ("DisabledException", "ThrottlingException", "SomethingNew"):
        for moment in ("before", "after"):
            with world.faults.failing("kms", code, moment=moment):
                answers += [world.generate(), world.decrypt(encrypted)]
    with world.faults.failing("kms", RuntimeError(made.body["plaintextKey"]), moment="after"):
        answers += [world.generate(), world.decrypt(encrypted)]

    captured = capsys.readouterr()
    assert "RuntimeError" in captured.out
    for secret in (key, earlier_key, odd_key):
        shown = [base64.b64encode(secret).decode().rstrip("="), secret.hex(), repr(secret)[2:-1]]
        for text in (captured.out, captured.err, *(answer.text for answer in answers)):
            assert not [form for form in shown if form in text]
    for text in (encrypted, earlier, odd):
        assert text.rstrip("=") not in captured.out + captured.err


# As part of the whole


def test_given_a_data_key_of_a_message_of_ours_when_a_client_asks_for_it_then_it_gets_it(world: KeyWorld) -> None:
    """What the functions encrypt, a client can decrypt: its message names a key that this function decrypts."""
    cipher = ValueCipher(Keyrings(world.kms, world.key_arn))
    message = base64.b64decode(cipher.encrypt({"history": {"L": []}}, context())["history"])
    assert open_envelope({"S": base64.b64encode(message).decode()}).key == world.key_arn
    provider = message.index(b"aws-kms") + len(b"aws-kms")
    info = int.from_bytes(message[provider : provider + 2])
    at = provider + 2 + info
    encrypted = message[at + 2 : at + 2 + int.from_bytes(message[at : at + 2])]

    assert len(world.decrypt(base64.b64encode(encrypted).decode()).key) == 32


def test_control_table_when_a_key_is_made_then_only_the_setting_is_read(world: KeyWorld) -> None:
    asked: list[Any] = []
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params)
    )
    world.set()

    world.generate()

    assert [(each["TableName"], each["Key"], each["ConsistentRead"]) for each in asked] == [
        (CONTROL, {"id": {"S": "setting"}, "part": {"S": "current"}}, True)
    ]
