"""What lies behind a failed call to KMS: every error of this call, and none of an earlier one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from item_crypto import DecryptionFailed, SystemicError, TransientError
from item_crypto.forms import open_envelope
from tests.answers import http_answer as answer
from tests.faults import failing
from tests.scene import HISTORY, Scene


@pytest.fixture
def codes(scene: Scene) -> Iterator[Callable[..., None]]:
    """Have the following calls of ``kms:Decrypt`` fail with these codes, one each."""
    left: list[str] = []

    def refuse(request: Any, **_: Any) -> AWSResponse | None:
        return answer(request, 400, {"__type": left.pop(0)}) if left else None

    scene.kms.meta.events.register_first("before-send.kms.Decrypt", refuse)
    yield lambda *given: left.extend(given)
    scene.kms.meta.events.unregister("before-send.kms.Decrypt", refuse)


def test_ciphertext_when_it_is_tampered_with_after_a_throttled_call_then_it_is_no_passing_failure(
    scene: Scene, codes: Callable[..., None]
) -> None:
    key = scene.new_key()
    context = scene.context(key)
    envelope = open_envelope(scene.encrypted(key, history=HISTORY)["encrypted_history"])

    for code, error in (("ThrottlingException", TransientError), ("DisabledException", SystemicError)):
        codes(code)
        with pytest.raises(error):
            scene.cipher.decrypt({"history": envelope}, context)
        with pytest.raises(DecryptionFailed):
            scene.cipher.decrypt({"history": envelope}, {**context, "sessionId": "another"})


def test_old_form_when_none_of_its_keys_fits_after_a_throttled_call_then_it_is_no_passing_failure(
    scene: Scene, codes: Callable[..., None]
) -> None:
    key = scene.new_key()
    envelope = open_envelope(scene.lisa(key, history=HISTORY)["encrypted_history"])
    codes("ThrottlingException", "ThrottlingException")
    with pytest.raises(TransientError):
        scene.cipher.decrypt({"history": envelope}, scene.context(key))

    with pytest.raises(DecryptionFailed):
        scene.cipher.decrypt({"history": envelope}, {**scene.context(key), "sessionId": "another"})


def test_encryption_when_it_fails_after_a_throttled_call_then_it_is_told_by_its_own_error(scene: Scene) -> None:
    for code, error in (("ThrottlingException", TransientError), ("DisabledException", SystemicError)):
        with failing(scene.kms, "kms", code), pytest.raises(error) as failed:
            scene.cipher.encrypt({"history": HISTORY}, {"purpose": "p"})
        assert failed.value.code == code


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param(("ThrottlingException", "IncorrectKeyException"), TransientError, id="throttled, another key"),
        pytest.param(("IncorrectKeyException", "ThrottlingException"), TransientError, id="another key, throttled"),
        pytest.param(("ThrottlingException", "DisabledException"), TransientError, id="throttled, disabled"),
        pytest.param(("DisabledException", "ThrottlingException"), TransientError, id="disabled, throttled"),
        pytest.param(("DisabledException", "IncorrectKeyException"), SystemicError, id="disabled, another key"),
        pytest.param(("IncorrectKeyException", "DisabledException"), SystemicError, id="another key, disabled"),
        pytest.param(("IncorrectKeyException", "InvalidCiphertextException"), DecryptionFailed, id="none fits"),
    ],
)
def test_old_form_when_each_key_fails_in_its_own_way_then_all_are_weighed_and_what_passes_comes_first(
    scene: Scene, codes: Callable[..., None], given: tuple[str, str], error: type[Exception]
) -> None:
    key = scene.new_key()
    envelope = open_envelope(scene.lisa(key, history=HISTORY)["encrypted_history"])
    codes(*given)

    with pytest.raises(error):
        scene.cipher.decrypt({"history": envelope}, scene.context(key))
