import base64
import gc
import gzip
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from botocore import exceptions as botocore_errors
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from item_crypto import (
    ConfigurationError,
    DecryptionFailed,
    KeyNotListed,
    Keyrings,
    SystemicError,
    TransientError,
    UnknownForm,
    UnsupportedValue,
    ValueCipher,
)
from item_crypto.forms import open_envelope
from tests import lisa
from tests.faults import failing, interrupting
from tests.scene import CONFIGURATION, HISTORY, Scene
from tests.strategies import values

CONTEXT = {"userId": "user-24", "sessionId": "dlg-1", "purpose": "session-encryption"}


def envelopes(ciphertexts: dict[str, str]) -> dict[str, Any]:
    return {name: open_envelope({"S": text}) for name, text in ciphertexts.items()}


@pytest.fixture
def calls(scene: Scene) -> Iterator[list[str]]:
    """The operations that KMS is asked for."""
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    scene.kms.meta.events.register("before-call.kms", note)
    yield asked
    scene.kms.meta.events.unregister("before-call.kms", note)


# Encrypt and decrypt


@hypothesis_settings(max_examples=60)
@given(values(), values())
def test_any_values_when_encrypted_and_decrypted_then_they_are_equal(scene: Scene, one: Any, other: Any) -> None:
    values = {"history": one, "configuration": other}

    assert scene.cipher.decrypt(envelopes(scene.cipher.encrypt(values, CONTEXT)), CONTEXT) == values


@pytest.mark.parametrize("signed", [False, True])
def test_values_of_an_item_when_encrypted_and_decrypted_then_kms_is_asked_once_each_time(
    scene: Scene, calls: list[str], signed: bool
) -> None:
    cipher = ValueCipher(Keyrings(scene.kms, scene.key_arn), signed)
    values = {"history": HISTORY, "configuration": CONFIGURATION, "more": {"S": "x" * 10_000}}

    ciphertexts = cipher.encrypt(values, CONTEXT)
    assert calls == ["GenerateDataKey"]

    assert cipher.decrypt(envelopes(ciphertexts), CONTEXT) == values
    assert calls == ["GenerateDataKey", "Decrypt"]


def test_two_calls_when_encrypting_the_same_then_each_has_its_own_data_key(scene: Scene, calls: list[str]) -> None:
    one, other = (envelopes(scene.cipher.encrypt({"history": HISTORY}, CONTEXT))["history"] for _ in range(2))

    assert one.encrypted_key != other.encrypted_key
    assert one.body != other.body
    assert calls == ["GenerateDataKey", "GenerateDataKey"]


def test_values_under_different_data_keys_when_decrypted_then_each_key_is_asked_for_once(
    scene: Scene, calls: list[str]
) -> None:
    one = envelopes(scene.cipher.encrypt({"a": {"S": "1"}, "b": {"S": "2"}}, CONTEXT))
    other = envelopes(scene.earlier_cipher.encrypt({"c": {"S": "3"}}, CONTEXT))
    calls.clear()

    assert scene.cipher.decrypt(one | other, CONTEXT) == {"a": {"S": "1"}, "b": {"S": "2"}, "c": {"S": "3"}}
    assert calls == ["Decrypt", "Decrypt"]


def test_value_under_an_earlier_key_when_decrypted_then_it_is_read_and_new_ones_use_the_current_key(
    scene: Scene,
) -> None:
    earlier = envelopes(scene.earlier_cipher.encrypt({"history": HISTORY}, CONTEXT))

    assert scene.cipher.decrypt(earlier, CONTEXT) == {"history": HISTORY}
    assert earlier["history"].key == scene.earlier_key_arn
    assert envelopes(scene.cipher.encrypt({"history": HISTORY}, CONTEXT))["history"].key == scene.key_arn


def test_signed_message_when_made_then_it_is_signed_and_either_cipher_reads_it(scene: Scene) -> None:
    signing = ValueCipher(Keyrings(scene.kms, scene.key_arn), signed=True)
    signed = envelopes(signing.encrypt({"history": HISTORY}, CONTEXT))
    unsigned = envelopes(scene.cipher.encrypt({"history": HISTORY}, CONTEXT))

    assert b"aws-crypto-public-key" in signed["history"].body
    assert b"aws-crypto-public-key" not in unsigned["history"].body
    assert scene.cipher.decrypt(signed, CONTEXT) == signing.decrypt(unsigned, CONTEXT) == {"history": HISTORY}


@pytest.mark.parametrize("signed", [False, True])
def test_message_when_decrypted_by_a_plain_sdk_client_then_it_is_the_documented_json(
    scene: Scene, signed: bool
) -> None:
    cipher = ValueCipher(Keyrings(scene.kms, scene.key_arn), signed)
    text = cipher.encrypt({"history": {"L": [{"S": "tide " * 100}]}}, CONTEXT)["history"]
    library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    data, _ = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT).decrypt(
        source=base64.b64decode(text),
        keyring=library.create_aws_kms_keyring(
            CreateAwsKmsKeyringInput(kms_key_id=scene.key_arn, kms_client=scene.kms)
        ),
        encryption_context=CONTEXT,
    )

    assert json.loads(gzip.decompress(data)) == {"history": {"L": [{"S": "tide " * 100}]}}


def test_message_when_made_then_kms_saw_the_context_and_no_plaintext(scene: Scene) -> None:
    bodies: list[bytes] = []

    def note(request: Any, **_: Any) -> None:
        bodies.append(bytes(request.body))

    scene.kms.meta.events.register_first("before-send.kms", note)
    try:
        scene.cipher.encrypt({"history": {"S": "secret-6021"}}, CONTEXT)
    finally:
        scene.kms.meta.events.unregister("before-send.kms", note)

    (body,) = bodies
    assert json.loads(body)["EncryptionContext"] == CONTEXT
    assert b"6021" not in body


def test_value_that_dynamodb_cannot_hold_when_encrypted_then_refused_before_kms_is_asked(
    scene: Scene, calls: list[str]
) -> None:
    with pytest.raises(UnsupportedValue):
        scene.cipher.encrypt({"history": HISTORY, "configuration": {"N": "NaN"}}, CONTEXT)

    assert calls == []


def test_many_threads_when_they_share_a_cipher_then_each_gets_its_own_values(scene: Scene) -> None:
    def work(number: int) -> bool:
        context = CONTEXT | {"sessionId": f"dlg-{number}"}
        values = {"history": {"S": f"text {number}"}}
        return scene.cipher.decrypt(envelopes(scene.cipher.encrypt(values, context)), context) == values

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))


# LISA's old form


def test_old_form_when_decrypted_then_numbers_are_exact_and_the_rest_equal(scene: Scene) -> None:
    text = '{"temperature": 0.1, "seed": 12345678901234567890123456789012345678, "stop": [null, true, ""]}'
    data_key = scene.kms.generate_data_key(KeyId=scene.key_arn, KeySpec="AES_256", EncryptionContext=CONTEXT)
    stored = lisa.sealed(text, data_key["Plaintext"], data_key["CiphertextBlob"])

    assert scene.cipher.decrypt(envelopes({"configuration": stored}), CONTEXT)["configuration"] == {
        "M": {
            "temperature": {"N": "0.1"},
            "seed": {"N": "12345678901234567890123456789012345678"},
            "stop": {"L": [{"NULL": True}, {"BOOL": True}, {"S": ""}]},
        }
    }


@pytest.mark.parametrize("change", [{"userId": "user-25"}, {"sessionId": "dlg-2"}, {"purpose": "other"}])
def test_old_form_when_read_under_another_context_then_refused(scene: Scene, change: dict[str, str]) -> None:
    text = lisa.ciphertext(scene.kms, scene.key_arn, ["x"], CONTEXT)

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt(envelopes({"history": text}), CONTEXT | change)


def test_old_form_under_an_earlier_key_when_decrypted_then_it_is_read(scene: Scene) -> None:
    earlier = lisa.ciphertext(scene.kms, scene.earlier_key_arn, ["x"], CONTEXT)

    assert scene.cipher.decrypt(envelopes({"history": earlier}), CONTEXT) == {"history": {"L": [{"S": "x"}]}}


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "-Infinity", "1e126", "1" * 39, "0." + "1" * 39])
def test_old_form_with_a_number_that_dynamodb_cannot_hold_when_decrypted_then_refused_unquoted(
    scene: Scene, text: str
) -> None:
    data_key = scene.kms.generate_data_key(KeyId=scene.key_arn, KeySpec="AES_256", EncryptionContext=CONTEXT)
    stored = lisa.sealed(text, data_key["Plaintext"], data_key["CiphertextBlob"])

    with pytest.raises(UnsupportedValue) as refusal:
        scene.cipher.decrypt(envelopes({"history": stored}), CONTEXT)

    assert "1111" not in str(refusal.value)
    assert refusal.value.__cause__ is None


# What KMS answers


TRANSIENT = ["ThrottlingException", "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"]
SYSTEMIC = ["DisabledException", "AccessDeniedException", "NotFoundException", "KMSInvalidStateException"]
WRONG = ["InvalidCiphertextException", "IncorrectKeyException", "ValidationException"]


def operation(scene: Scene, kind: str) -> Any:
    if kind == "encrypt":
        return lambda: scene.cipher.encrypt({"history": HISTORY}, CONTEXT)
    if kind == "decrypt":
        current = envelopes(scene.cipher.encrypt({"history": HISTORY}, CONTEXT))
        return lambda: scene.cipher.decrypt(current, CONTEXT)
    old = envelopes({"history": lisa.ciphertext(scene.kms, scene.key_arn, ["x"], CONTEXT)})
    return lambda: scene.cipher.decrypt(old, CONTEXT)


@pytest.mark.parametrize("kind", ["encrypt", "decrypt", "decrypt the old form"])
@pytest.mark.parametrize(
    ("code", "error"),
    [(code, TransientError) for code in TRANSIENT] + [(code, SystemicError) for code in SYSTEMIC],
)
def test_kms_when_it_answers_with_an_error_then_the_class_tells_whether_it_passes(
    scene: Scene, kind: str, code: str, error: type[Exception]
) -> None:
    work = operation(scene, kind)
    with failing(scene.kms, "kms", code, message="secret-6021"), pytest.raises(error) as raised:
        work()

    assert (raised.value.service, raised.value.code) == ("kms", code)  # type: ignore[attr-defined]
    assert "6021" not in str(raised.value)
    work()


@pytest.mark.parametrize("kind", ["decrypt", "decrypt the old form"])
@pytest.mark.parametrize("code", WRONG)
def test_kms_when_it_finds_the_ciphertext_wrong_then_it_is_the_item_that_failed(
    scene: Scene, kind: str, code: str
) -> None:
    work = operation(scene, kind)
    with failing(scene.kms, "kms", code), pytest.raises(DecryptionFailed):
        work()


@pytest.mark.parametrize("kind", ["encrypt", "decrypt", "decrypt the old form"])
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (botocore_errors.ReadTimeoutError(endpoint_url="kms"), TransientError),
        (botocore_errors.ConnectTimeoutError(endpoint_url="kms"), TransientError),
        (botocore_errors.ConnectionClosedError(endpoint_url="kms"), TransientError),
        (botocore_errors.NoCredentialsError(), SystemicError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_kms_when_it_does_not_answer_then_the_class_tells_whether_it_passes(
    scene: Scene, kind: str, failure: Exception, error: type[Exception]
) -> None:
    work = operation(scene, kind)
    with failing(scene.kms, "kms", failure), pytest.raises(error):
        work()
    work()


def test_kms_when_it_fails_in_one_thread_then_another_threads_operation_is_not_blamed(scene: Scene) -> None:
    unlisted = envelopes(scene.unlisted_cipher.encrypt({"history": HISTORY}, CONTEXT))
    with failing(scene.kms, "kms", "ThrottlingException"), ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(operation(scene, "encrypt")).exception()
    assert isinstance(theirs, TransientError)

    with pytest.raises(KeyNotListed):
        scene.cipher.decrypt(unlisted, CONTEXT)


def test_old_form_when_another_listed_key_is_disabled_then_it_is_still_read(scene: Scene) -> None:
    old = envelopes({"history": lisa.ciphertext(scene.kms, scene.earlier_key_arn, ["x"], CONTEXT)})

    with failing(scene.kms, "kms", "DisabledException", when=lambda asked: asked["KeyId"] == scene.key_arn):
        assert scene.cipher.decrypt(old, CONTEXT) == {"history": {"L": [{"S": "x"}]}}


# Nothing leaks


def test_failed_decryption_when_it_is_dropped_then_nothing_is_printed_logged_or_left_unraised(
    scene: Scene, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "urllib3", "boto3", "aws_encryption_sdk"):
        logging.getLogger(name).setLevel(logging.WARNING)
    text = scene.cipher.encrypt({"history": {"S": "secret-6021"}}, CONTEXT)["history"]
    message = base64.b64decode(text)
    capfd.readouterr()
    caplog.clear()

    for position in (len(message) - 1, len(message) - 40, 40, 5):
        spoilt = message[:position] + bytes([message[position] ^ 1]) + message[position + 1 :]
        with pytest.raises((DecryptionFailed, UnknownForm)) as raised:
            scene.cipher.decrypt(envelopes({"history": base64.b64encode(spoilt).decode()}), CONTEXT)
        assert "6021" not in repr(raised.value)
    del raised
    gc.collect()

    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_stream_when_something_unexpected_ends_it_then_its_finalizer_is_silent(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    current = envelopes(scene.cipher.encrypt({"history": HISTORY}, CONTEXT))
    with failing(scene.kms, "kms", OSError("disk")), pytest.raises(OSError, match="disk"):
        scene.cipher.decrypt(current, CONTEXT)
    gc.collect()

    assert capfd.readouterr().err == ""


def test_failed_decryption_when_shown_to_outsiders_then_it_is_one_uniform_sentence() -> None:
    assert {str(DecryptionFailed(detail)) for detail in ("context-mismatch", "not-authentic")} == {str(KeyNotListed())}


# What it costs


def test_meter_when_kms_was_called_then_it_tells_each_latency_once_in_milliseconds(scene: Scene) -> None:
    scene.meter.drain()
    with interrupting(scene.kms, "kms.GenerateDataKey", lambda: time.sleep(0.02), times=2):
        scene.cipher.encrypt({"history": HISTORY}, CONTEXT)
        scene.cipher.encrypt({"history": HISTORY}, CONTEXT)

    latencies = scene.meter.drain()

    assert len(latencies) == 2
    assert all(20 <= latency < 10_000 for latency in latencies)
    assert scene.meter.drain() == []


# Keys


@pytest.mark.parametrize(
    "arn",
    [
        "alias/sessions",
        "arn:aws:kms:eu-central-1:111122223333:alias/sessions",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:111122223333:key/",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\n",
        "arn:aws:s3:::bucket",
        "",
    ],
)
def test_key_when_it_is_not_given_by_its_arn_then_refused(arn: str) -> None:
    with pytest.raises(ConfigurationError):
        Keyrings(None, arn)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        Keyrings(None, "arn:aws:kms:eu-central-1:111122223333:key/mrk-" + "0" * 32, [arn])  # type: ignore[arg-type]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_key_arn_of_any_partition_when_given_then_it_is_taken(partition: str) -> None:
    arn = f"arn:{partition}:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    assert Keyrings(None, arn, [arn]).key_arns == (arn,)  # type: ignore[arg-type]
