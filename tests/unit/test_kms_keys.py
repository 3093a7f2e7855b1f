"""KMS keys: for which item, under which key, in which Region a data key is asked for. Runs without the MPL, too."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.default import DefaultCryptoMaterialsManager
from aws_encryption_sdk.structures import EncryptedDataKey, MasterKeyInfo
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import DecryptionFailed, KeyNotListed, Keyrings, SystemicError, ValueCipher, decide
from item_crypto.core.policy import Role
from item_crypto.core.stored_form import Envelope
from item_crypto.forms import open_envelope
from item_crypto.forms.current import Messages
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import Identity, is_same_key
from item_crypto.keys.kms import _Calls, _MasterKey
from item_crypto.keys.one_call import OneCall
from tests.replicas import replicated_key
from tests.scene import CLIENT, CONFIGURATION, HISTORY, POLICY, Scene

CONTEXT: Final = {"userId": "user-24", "sessionId": "dlg-1", "purpose": "session-encryption"}
OTHER: Final = CONTEXT | {"userId": "user-25"}


@pytest.fixture
def asked(scene: Scene) -> Iterator[list[dict[str, Any]]]:
    """What KMS is asked, one entry a call."""
    requests: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        requests.append(params)

    scene.kms.meta.events.register("provide-client-params.kms", note)
    yield requests
    scene.kms.meta.events.unregister("provide-client-params.kms", note)


def message(cipher: ValueCipher, context: dict[str, str] = CONTEXT) -> Envelope:
    return open_envelope({"S": cipher.encrypt({"history": HISTORY}, context)["history"]})


# The context is compared three times, and each comparison alone refuses


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("change", [{"userId": "user-25"}, {"purpose": "another"}, {"more": "x"}, {"userId": None}])
def test_header_when_its_context_is_another_items_then_no_manager_is_asked(
    scene: Scene, asked: list[dict[str, Any]], change: dict[str, str | None], signed: bool
) -> None:
    cipher = ValueCipher(Keyrings(scene.kms, scene.key_arn), signed=signed)
    theirs = message(cipher, {name: text for name, text in {**CONTEXT, **change}.items() if text is not None})
    asked.clear()

    with pytest.raises(DecryptionFailed) as refusal:
        Messages().content(theirs, CONTEXT, OneCall(_Unused(), CONTEXT))  # type: ignore[arg-type]

    assert refusal.value.detail == "context-mismatch"
    assert asked == []


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("claimed", [CONTEXT, OTHER])
def test_manager_when_a_messages_context_is_another_items_then_it_refuses_before_kms_is_asked(
    scene: Scene, asked: list[dict[str, Any]], claimed: dict[str, str], signed: bool
) -> None:
    keyrings = Keyrings(scene.kms, scene.key_arn)
    theirs = message(ValueCipher(keyrings, signed=signed), OTHER)
    asked.clear()
    # The opened envelope says what the caller expects, as if the first comparison were not there.
    forged = replace(theirs, context=CONTEXT)

    with pytest.raises(DecryptionFailed) as refusal:
        Messages().content(forged, CONTEXT, OneCall(keyrings, CONTEXT))

    assert refusal.value.detail == "context-mismatch"
    assert asked == []


def test_authenticated_header_when_its_context_is_another_items_then_nothing_is_released(scene: Scene) -> None:
    keyrings = Keyrings(scene.kms, scene.key_arn)
    forged = replace(message(ValueCipher(keyrings), OTHER), context=CONTEXT)

    class Uncompared(OneCall):
        """Managers that compare nothing: KMS is asked under the header's context, and answers."""

        def manager(self, key: str | None) -> Any:
            return _manager(scene)

    with pytest.raises(DecryptionFailed) as refusal:
        Messages().content(forged, CONTEXT, Uncompared(keyrings, CONTEXT))

    assert refusal.value.detail == "context-mismatch"
    # It is refused for the context alone.
    assert Messages().content(replace(forged, context=OTHER), OTHER, Uncompared(keyrings, OTHER))


class _Unused:
    """Keys whose managers nobody may ask."""

    def for_decryption(self, *_: Any) -> Any:
        return object()


def _manager(scene: Scene) -> DefaultCryptoMaterialsManager:
    calls = _Calls(scene.kms, scene.key_arn, None)
    return DefaultCryptoMaterialsManager(_MasterKey(key_id=scene.key_arn, client=calls))


@contextmanager
def answering(scene: Scene, operation: str, answer: dict[str, Any]) -> Iterator[None]:
    """Let KMS answer with other members."""

    def change(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(answer)

    scene.kms.meta.events.register(f"after-call.kms.{operation}", change)
    try:
        yield
    finally:
        scene.kms.meta.events.unregister(f"after-call.kms.{operation}", change)


# Which key


def test_kms_when_asked_for_a_message_then_by_the_context_and_the_arn_that_it_names(
    scene: Scene, asked: list[dict[str, Any]]
) -> None:
    ciphertexts = scene.earlier_cipher.encrypt({"history": HISTORY, "configuration": CONFIGURATION}, CONTEXT)
    scene.cipher.decrypt({name: open_envelope({"S": text}) for name, text in ciphertexts.items()}, CONTEXT)

    generated, decrypted = asked
    assert generated == {"KeyId": scene.earlier_key_arn, "NumberOfBytes": 32, "EncryptionContext": CONTEXT}
    assert decrypted.keys() == {"KeyId", "CiphertextBlob", "EncryptionContext"}
    assert (decrypted["KeyId"], decrypted["EncryptionContext"]) == (scene.earlier_key_arn, CONTEXT)


def request(scene: Scene, provider: str, key_arn: str) -> DecryptionMaterialsRequest:
    header = message(scene.cipher)
    return DecryptionMaterialsRequest(
        algorithm=scene.cipher._algorithm,
        encrypted_data_keys={EncryptedDataKey(MasterKeyInfo(provider, key_arn), header.encrypted_key)},
        encryption_context=CONTEXT,
    )


def test_manager_when_a_data_key_is_another_providers_or_keys_then_kms_is_not_asked(
    scene: Scene, asked: list[dict[str, Any]]
) -> None:
    keyrings = Keyrings(scene.kms, scene.key_arn, [scene.earlier_key_arn])
    ours = request(scene, "aws-kms", scene.key_arn)
    strangers = [
        request(scene, "aws-kms-hierarchy", scene.key_arn),
        request(scene, "aws-kms", scene.earlier_key_arn),
        request(scene, "aws-kms", scene.unlisted_key_arn),
    ]
    asked.clear()

    for stranger in strangers:
        with pytest.raises(AWSEncryptionSDKClientError):
            keyrings.for_decryption(Identity(scene.key_arn), CONTEXT).decrypt_materials(stranger)

    assert asked == []
    assert keyrings.for_decryption(Identity(scene.key_arn), CONTEXT).decrypt_materials(ours)


@pytest.mark.parametrize("answer", [{"KeyId": "another"}, {"Plaintext": b"x" * 16}])
def test_kms_when_its_answer_is_none_to_the_question_then_nothing_is_encrypted(
    scene: Scene, answer: dict[str, Any]
) -> None:
    with answering(scene, "GenerateDataKey", answer), pytest.raises(SystemicError, match="unexpected-data-key"):
        scene.cipher.encrypt({"history": HISTORY}, CONTEXT)


@pytest.mark.parametrize("answer", [{"KeyId": "another"}, {"Plaintext": b"x" * 16}, {"Plaintext": b"x" * 32}])
def test_kms_when_it_decrypts_to_another_key_then_the_message_is_refused(scene: Scene, answer: dict[str, Any]) -> None:
    ours = message(scene.cipher)

    with answering(scene, "Decrypt", answer), pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": ours}, CONTEXT)


def test_bare_data_key_when_kms_answers_for_another_key_then_refused(scene: Scene) -> None:
    keyrings = Keyrings(scene.kms, scene.key_arn)
    encrypted = message(scene.cipher).encrypted_key
    assert len(keyrings.unwrap(encrypted, CONTEXT)) == 32

    with answering(scene, "Decrypt", {"KeyId": "another"}), pytest.raises(DecryptionFailed):
        keyrings.unwrap(encrypted, CONTEXT)


def test_keys_when_used_by_many_threads_then_each_gets_the_data_key_of_its_item(scene: Scene) -> None:
    def there_and_back(number: int) -> bool:
        context = CONTEXT | {"sessionId": f"dlg-{number}"}
        value = {"S": f"value {number}"}
        ciphertexts = scene.cipher.encrypt({"history": value}, context)
        envelope = open_envelope({"S": ciphertexts["history"]})
        return scene.cipher.decrypt({"history": envelope}, context) == {"history": value}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(64)))


# Multi-Region keys


@pytest.fixture
def replicas(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A multi-Region key's ARN in the scene's Region, and in another one."""
    return replicated_key(monkeypatch, scene.kms.meta.region_name, "eu-west-1")


def elsewhere() -> Any:
    return boto3.client("kms", **(CLIENT | {"region_name": "eu-west-1"}))


def test_replica_when_it_is_listed_then_it_reads_what_the_primarys_region_encrypted(
    scene: Scene, replicas: tuple[str, str]
) -> None:
    primary, replica = replicas
    ours = message(ValueCipher(Keyrings(scene.kms, primary)))

    for keyrings in (
        Keyrings(elsewhere(), replica),
        Keyrings(elsewhere(), elsewhere().create_key()["KeyMetadata"]["Arn"], [replica]),
    ):
        assert keyrings.is_known(Identity(primary))
        assert ValueCipher(keyrings).decrypt({"history": ours}, CONTEXT) == {"history": HISTORY}


def test_replica_when_it_is_current_then_what_the_primarys_region_encrypted_is_left_as_it_is(
    scene: Scene, replicas: tuple[str, str]
) -> None:
    primary, replica = replicas
    text = ValueCipher(Keyrings(scene.kms, primary)).encrypt({"history": HISTORY}, CONTEXT)["history"]
    item = {
        "userId": {"S": CONTEXT["userId"]},
        "sessionId": {"S": CONTEXT["sessionId"]},
        "encrypted_history": {"S": text},
    }

    assert decide(item, POLICY, Role.MIGRATOR, Keyrings(elsewhere(), replica)).reason == "as-it-should-be"


def test_replica_when_it_is_not_listed_then_what_the_primarys_region_encrypted_is_refused(
    scene: Scene, replicas: tuple[str, str]
) -> None:
    ours = message(ValueCipher(Keyrings(scene.kms, replicas[0])))
    other = elsewhere().create_key(MultiRegion=True)["KeyMetadata"]["Arn"]

    with pytest.raises(KeyNotListed):
        ValueCipher(Keyrings(elsewhere(), other)).decrypt({"history": ours}, CONTEXT)


def test_replica_when_the_message_is_another_items_then_it_is_refused_all_the_same(
    scene: Scene, replicas: tuple[str, str]
) -> None:
    primary, replica = replicas
    ours = message(ValueCipher(Keyrings(scene.kms, primary)))

    with pytest.raises(DecryptionFailed):
        ValueCipher(Keyrings(elsewhere(), replica)).decrypt({"history": ours}, OTHER)


KEY_ID = "mrk-" + "a1" * 16
ARN = f"arn:aws:kms:eu-west-1:111122223333:key/{KEY_ID}"


@pytest.mark.parametrize(
    "other",
    [
        ARN.replace("aws:", "aws-cn:", 1),
        ARN.replace("111122223333", "111122223334"),
        ARN.replace("a1a1", "b2b2", 1),
        ARN.replace(":key/", ":alias/"),
        ARN.replace(":kms:", ":s3:"),
        ARN + "x",
        KEY_ID,
        "",
    ],
)
def test_arns_when_more_than_the_region_differs_then_they_are_two_keys(other: str) -> None:
    assert not is_same_key(ARN, other)
    assert not is_same_key(other, ARN)


def test_arns_of_a_single_region_key_when_the_region_differs_then_they_are_two_keys() -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    assert not is_same_key(arn, arn.replace("west", "central"))
    assert is_same_key(arn, arn)
    assert is_same_key(ARN, ARN.replace("west", "central"))


@given(st.text(), st.text())
def test_any_texts_when_compared_then_only_equal_ones_or_replicas_are_the_same(one: str, other: str) -> None:
    assert is_same_key(one, other) == (one == other) or one.rsplit(":", maxsplit=1)[-1].startswith("key/mrk-")


# Messages by themselves


def test_message_with_two_data_keys_when_read_then_refused(scene: Scene) -> None:
    data = bytearray(base64.b64decode(scene.cipher.encrypt({"history": HISTORY}, CONTEXT)["history"]))
    count = data.index(b"\x00\x01\x00\x07aws-kms")
    data[count : count + 2] = b"\x00\x02"

    with pytest.raises(Exception, match="no message header"):
        open_envelope({"S": base64.b64encode(bytes(data)).decode()})


def test_shared_data_key_when_many_messages_are_made_then_the_manager_is_asked_once(scene: Scene) -> None:
    inner = _manager(scene)
    shared = SharedDataKey(inner, CONTEXT)
    messages = Messages()

    made = [messages.encrypt(b"x", shared, CONTEXT, scene.cipher._algorithm) for _ in range(3)]

    assert len({open_envelope({"S": base64.b64encode(data).decode()}).encrypted_key for data in made}) == 1
    assert len(set(made)) == 3
