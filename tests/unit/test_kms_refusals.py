"""Whom a refusal of KMS concerns: everybody, the items under one key, or one item."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest

from item_crypto import DecryptionFailed, SystemicError, TransientError
from item_crypto.core.policy import Role
from item_crypto.core.stored_form import Envelope
from item_crypto.errors import InvalidRequest, KeyUnusable
from item_crypto.forms import open_envelope
from item_crypto.outcome import Status, failed
from tests import lisa
from tests.refusals import refuse
from tests.scene import HISTORY, Scene

CONTEXT = {"userId": "user-1", "sessionId": "dlg-1", "purpose": "session-encryption"}
OF_THE_KEY = ["DisabledException", "AccessDeniedException", "KMSInvalidStateException", "NotFoundException"]
Refuse: TypeAlias = Callable[..., None]
KEY: Any = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "user-1"}}


@pytest.fixture
def refusing(scene: Scene) -> Iterator[Refuse]:
    """Return what has KMS refuse calls of an operation with a code, until the test ends: tests share the scene."""
    refused = []

    def begin(
        operation: str,
        code: str,
        when: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        times: float = float("inf"),
    ) -> None:
        refused.append(refuse(scene.kms, operation, code, when, times))

    yield begin
    for each in refused:
        each.stop()


def opened(ciphertext: str) -> dict[str, Envelope]:
    return {"history": open_envelope({"S": ciphertext})}


@pytest.mark.parametrize("code", OF_THE_KEY)
def test_earlier_key_when_it_refuses_then_only_its_items_are_concerned(
    scene: Scene, refusing: Refuse, code: str
) -> None:
    envelopes = opened(scene.earlier_cipher.encrypt({"history": HISTORY}, CONTEXT)["history"])
    refusing("kms.Decrypt", code)

    with pytest.raises(KeyUnusable) as raised:
        scene.cipher.decrypt(envelopes, CONTEXT)

    assert (raised.value.service, raised.value.code) == ("kms", code)
    outcome = failed(KEY, raised.value, Role.MIGRATOR)
    assert (outcome.status, outcome.reason) == (Status.FAILED, f"kms-{code}")


@pytest.mark.parametrize("code", OF_THE_KEY)
def test_current_key_when_it_refuses_then_everybody_is_concerned(scene: Scene, refusing: Refuse, code: str) -> None:
    envelopes = opened(scene.cipher.encrypt({"history": HISTORY}, CONTEXT)["history"])
    refusing("kms.Decrypt", code)

    with pytest.raises(SystemicError) as raised:
        scene.cipher.decrypt(envelopes, CONTEXT)

    assert not isinstance(raised.value, KeyUnusable)
    assert failed(KEY, raised.value, Role.MIGRATOR).status is Status.SYSTEMIC


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "ExpiredTokenException"])
def test_whoever_asks_when_refused_then_everybody_is_concerned_whatever_the_key(
    scene: Scene, refusing: Refuse, code: str
) -> None:
    envelopes = opened(scene.earlier_cipher.encrypt({"history": HISTORY}, CONTEXT)["history"])
    refusing("kms.Decrypt", code)

    with pytest.raises(SystemicError) as raised:
        scene.cipher.decrypt(envelopes, CONTEXT)

    assert not isinstance(raised.value, KeyUnusable)


@pytest.mark.parametrize(
    ("current", "earlier", "error"),
    [
        ("IncorrectKeyException", "DisabledException", KeyUnusable),
        ("AccessDeniedException", "DisabledException", SystemicError),
        ("DisabledException", "ThrottlingException", TransientError),
        ("ThrottlingException", "DisabledException", TransientError),
        ("ThrottlingException", "IncorrectKeyException", TransientError),
        ("DisabledException", "IncorrectKeyException", SystemicError),
        ("IncorrectKeyException", "InvalidCiphertextException", DecryptionFailed),
        ("ValidationException", "ValidationException", DecryptionFailed),
    ],
)
def test_old_form_when_each_key_refuses_for_a_reason_of_its_own_then_the_one_that_concerns_most_is_told(
    scene: Scene, refusing: Refuse, current: str, earlier: str, error: type[Exception]
) -> None:
    envelopes = opened(lisa.ciphertext(scene.kms, scene.key_arn, ["x"], CONTEXT))
    refusing("kms.Decrypt", current, lambda asked: asked["KeyId"] == scene.key_arn)
    refusing("kms.Decrypt", earlier, lambda asked: asked["KeyId"] == scene.earlier_key_arn)

    with pytest.raises(error) as raised:
        scene.cipher.decrypt(envelopes, CONTEXT)

    assert isinstance(raised.value, KeyUnusable) is (error is KeyUnusable)


def test_throttle_of_an_earlier_call_when_another_is_tampered_with_then_it_is_not_taken_for_transient(
    scene: Scene,
    refusing: Refuse,
) -> None:
    good = opened(scene.cipher.encrypt({"history": HISTORY}, CONTEXT)["history"])
    other = opened(scene.cipher.encrypt({"configuration": HISTORY}, CONTEXT)["configuration"])
    refusing("kms.Decrypt", "ThrottlingException", times=1)
    with pytest.raises(TransientError):
        scene.cipher.decrypt(good, CONTEXT)

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt(other, CONTEXT)  # Of another attribute.


def test_request_when_kms_finds_it_malformed_then_that_item_is_concerned(scene: Scene, refusing: Refuse) -> None:
    refusing("kms.GenerateDataKey", "ValidationException")

    with pytest.raises(InvalidRequest):
        scene.cipher.encrypt({"history": HISTORY}, CONTEXT)


def test_batch_when_one_item_is_refused_for_its_earlier_key_then_the_others_are_done(
    scene: Scene, refusing: Refuse
) -> None:
    keys = [scene.new_key() for _ in range(3)]
    scene.store(keys[0] | scene.encrypted_earlier(keys[0], history=HISTORY))
    for key in keys[1:]:
        scene.store(key | {"history": HISTORY})
    refusing("kms.Decrypt", "DisabledException")

    outcomes = list(scene.reconciler.reconcile(keys, scene.policy, Role.MIGRATOR).values())

    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.ENCRYPTED, Status.ENCRYPTED]
