"""Bare data keys: which key is asked in which order, what its answer must be, and whom a refusal concerns."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from item_crypto import ConfigurationError, DecryptionFailed, InvalidRequest, SystemicError, TransientError
from item_crypto.keys.bare import BareKeys
from item_crypto.keys.meter import KmsMeter
from tests.answers import http_answer
from tests.scene import CLIENT

KEY, EARLIER, EARLIEST, OTHER = (
    f"arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000{number}" for number in range(4)
)
CONTEXT = {"userId": "alice", "sessionId": "dlg-1", "purpose": "session-encryption"}
PLAINTEXT = bytes(range(32))
CANARY = base64.b64encode(PLAINTEXT).decode()


class Kms:
    """A real boto3 client, answered here: each key's answer to Decrypt or GenerateDataKey, an error code or members."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = answers
        self.meter = KmsMeter()
        self.client: Any = boto3.client("kms", **CLIENT)
        self.client.meta.events.register_first("before-send.kms", self._respond)

    @property
    def keys(self) -> BareKeys:
        return BareKeys(self.client, KEY, (EARLIER, EARLIEST), self.meter)

    @property
    def asked_keys(self) -> list[str]:
        return [asked["KeyId"] for asked in self.asked]

    def _respond(self, request: Any, **_: Any) -> AWSResponse:
        asked = json.loads(request.body)
        self.asked.append(asked)
        answer = self._answers[{KEY: "current", EARLIER: "earlier", EARLIEST: "earliest"}[asked["KeyId"]]]
        if isinstance(answer, str):
            return http_answer(request, 400, {"__type": answer})
        blob = base64.b64encode(b"encrypted").decode()
        return http_answer(request, 200, {"KeyId": asked["KeyId"], "CiphertextBlob": blob, **answer})


FITS = {"Plaintext": CANARY}
ANOTHER = "IncorrectKeyException"


def test_given_a_key_of_the_current_kms_key_when_decrypted_then_no_other_is_asked() -> None:
    kms = Kms(current=FITS)

    assert kms.keys.decrypt(b"x", CONTEXT) == PLAINTEXT

    assert kms.asked == [
        {"KeyId": KEY, "CiphertextBlob": base64.b64encode(b"x").decode(), "EncryptionContext": CONTEXT}
    ]
    assert len(kms.meter.drain()) == 1


def test_given_a_key_of_an_earlier_kms_key_when_decrypted_then_each_is_asked_by_its_arn_in_turn() -> None:
    kms = Kms(current=ANOTHER, earlier=ANOTHER, earliest=FITS)

    assert kms.keys.decrypt(b"x", CONTEXT) == PLAINTEXT

    assert kms.asked_keys == [KEY, EARLIER, EARLIEST]
    assert len(kms.meter.drain()) == 3


def test_given_an_answer_that_names_another_key_when_decrypted_then_it_does_not_count() -> None:
    other = {"KeyId": OTHER, **FITS}
    kms = Kms(current=other, earlier=other, earliest=other)

    with pytest.raises(DecryptionFailed) as failed:
        kms.keys.decrypt(b"x", CONTEXT)

    assert failed.value.detail == "under-no-listed-key"
    assert kms.asked_keys == [KEY, EARLIER, EARLIEST]


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "ValidationException"])
def test_given_a_ciphertext_that_is_damaged_or_of_another_context_when_decrypted_then_no_further_key_is_asked(
    code: str,
) -> None:
    kms = Kms(current=code)

    with pytest.raises(DecryptionFailed):
        kms.keys.decrypt(b"x", CONTEXT)

    assert kms.asked_keys == [KEY]


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_given_something_else_that_kms_decrypts_when_its_size_is_no_keys_then_it_is_refused(size: int) -> None:
    kms = Kms(current={"Plaintext": base64.b64encode(b"k" * size).decode()})

    with pytest.raises(DecryptionFailed):
        kms.keys.decrypt(b"x", CONTEXT)


@pytest.mark.parametrize("code", ["DisabledException", "KMSInvalidStateException", "AccessDeniedException"])
@pytest.mark.parametrize("place", ["current", "earlier", "earliest"])
def test_given_a_kms_key_that_refuses_when_none_other_fits_then_that_is_systemic(code: str, place: str) -> None:
    kms = Kms(**{"current": ANOTHER, "earlier": ANOTHER, "earliest": ANOTHER, place: code})

    with pytest.raises(SystemicError) as failed:
        kms.keys.decrypt(b"x", CONTEXT)

    assert (failed.value.service, failed.value.code) == ("kms", code)


def test_given_a_kms_key_that_refuses_when_another_one_fits_then_it_is_in_nobodys_way() -> None:
    kms = Kms(current=ANOTHER, earlier="DisabledException", earliest=FITS)

    assert kms.keys.decrypt(b"x", CONTEXT) == PLAINTEXT


def test_given_two_kms_keys_that_refuse_when_decrypted_then_the_first_is_told() -> None:
    kms = Kms(current="DisabledException", earlier="AccessDeniedException", earliest=ANOTHER)

    with pytest.raises(SystemicError) as failed:
        kms.keys.decrypt(b"x", CONTEXT)

    assert failed.value.code == "DisabledException"


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException", "KeyUnavailableException"])
def test_given_a_call_that_fails_for_now_when_decrypted_then_no_further_key_is_asked(code: str) -> None:
    kms = Kms(current=code)

    with pytest.raises(TransientError):
        kms.keys.decrypt(b"x", CONTEXT)

    assert kms.asked_keys == [KEY]
    assert len(kms.meter.drain()) == 1


def test_given_a_context_when_a_key_is_made_then_it_is_of_the_current_kms_key_and_of_256_bits() -> None:
    kms = Kms(current=FITS)

    made = kms.keys.generate(CONTEXT)

    assert (made.key_arn, made.encrypted, made.plaintext) == (KEY, b"encrypted", PLAINTEXT)
    assert kms.asked == [{"KeyId": KEY, "KeySpec": "AES_256", "EncryptionContext": CONTEXT}]
    assert len(kms.meter.drain()) == 1
    assert "encrypted'" not in repr(made)
    assert repr(PLAINTEXT) not in repr(made)


@pytest.mark.parametrize(
    "answer", [{"KeyId": OTHER, **FITS}, {"Plaintext": base64.b64encode(b"k" * 16).decode()}], ids=["key", "size"]
)
def test_given_an_answer_that_is_no_data_key_of_ours_when_a_key_is_made_then_it_is_systemic(answer: Any) -> None:
    with pytest.raises(SystemicError) as failed:
        Kms(current=answer).keys.generate(CONTEXT)

    assert failed.value.code == "unexpected-data-key"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ValidationException", InvalidRequest),
        ("DisabledException", SystemicError),
        ("ThrottlingException", TransientError),
    ],
)
def test_given_a_refusal_when_a_key_is_made_then_it_is_told_whom_it_concerns(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Kms(current=code).keys.generate(CONTEXT)


@pytest.mark.parametrize("arn", ["alias/sessions", "1234abcd", KEY.replace("key/", "alias/")])
@pytest.mark.parametrize("place", [0, 1])
def test_given_a_key_that_is_named_otherwise_than_by_its_arn_then_it_is_refused(arn: str, place: int) -> None:
    arns = [KEY, EARLIER]
    arns[place] = arn
    with pytest.raises(ConfigurationError):
        BareKeys(Kms().client, arns[0], arns[1:], KmsMeter())
