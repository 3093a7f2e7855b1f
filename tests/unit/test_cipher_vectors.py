from typing import Any

import pytest

from item_crypto import DecryptionFailed, Keyrings, PermanentError, ValueCipher
from item_crypto.core.codec import value_from_json
from item_crypto.forms import open_envelope
from tests.fake_kms import fake_kms
from tests.vectors.load import CURRENT_KEY, EARLIER_KEY, data_keys, vector, vectors


@pytest.fixture(scope="module")
def cipher() -> ValueCipher:
    kms = fake_kms(data_keys())
    return ValueCipher(Keyrings(kms, CURRENT_KEY, [EARLIER_KEY]))


def decrypt(cipher: ValueCipher, entry: dict[str, Any]) -> Any:
    name = entry["attribute"]
    return cipher.decrypt({name: open_envelope({"S": entry["ciphertext"]})}, entry["context"])[name]


@pytest.mark.parametrize("name", [f"{group}/{name}" for group in ("current", "lisa") for name in vectors(group)])
def test_frozen_vector_when_decrypted_then_it_has_its_value(cipher: ValueCipher, name: str) -> None:
    entry = vector(name)

    assert decrypt(cipher, entry) == value_from_json(entry["value"])


@pytest.mark.parametrize("name", vectors("refused"))
def test_frozen_vector_when_it_is_not_sound_then_it_is_refused_with_its_named_outcome(
    cipher: ValueCipher, name: str
) -> None:
    entry = vector(f"refused/{name}")

    with pytest.raises(PermanentError) as refusal:
        decrypt(cipher, entry)

    error = refusal.value
    assert (error.detail if isinstance(error, DecryptionFailed) else error.reason) == entry["outcome"]
