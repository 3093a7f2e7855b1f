"""Messages made in the browser, read with the keyring that everything else is read with."""

import base64
from typing import Any

import pytest

from item_crypto import DecryptionFailed, Keyrings, PermanentError, ValueCipher
from item_crypto.core.codec import value_from_json
from item_crypto.forms import open_envelope
from tests.fake_kms import DataKey, fake_kms
from tests.vectors.load import CURRENT_KEY, EARLIER_KEY, vectors

ACCEPTED = [(group, name) for group in ("browser", "edges") for name in vectors(group)]


def decrypt(entry: dict[str, Any]) -> Any:
    key, name = entry["dataKey"], entry["attribute"]
    encrypted, plaintext = base64.b64decode(key["encrypted"]), base64.b64decode(key["plaintext"])
    kms = fake_kms([DataKey(key["keyArn"], encrypted, plaintext, key["context"])])
    cipher = ValueCipher(Keyrings(kms, CURRENT_KEY, [EARLIER_KEY]))
    return cipher.decrypt({name: open_envelope({"S": entry["ciphertext"]})}, entry["context"])[name]


@pytest.mark.parametrize(("group", "name"), ACCEPTED)
def test_browser_message_when_decrypted_then_it_has_its_value(group: str, name: str) -> None:
    entry = vectors(group)[name]

    assert decrypt(entry) == value_from_json(entry["value"])


@pytest.mark.parametrize(("group", "name"), ACCEPTED)
def test_browser_message_when_its_value_is_spelled_then_as_python_spells_it(group: str, name: str) -> None:
    value = vectors(group)[name]["value"]

    assert _numbers(value) == _numbers(value_from_json(value))


@pytest.mark.parametrize("name", vectors("browser-refused"))
def test_browser_message_when_it_is_not_sound_then_it_is_refused_with_its_named_outcome(name: str) -> None:
    entry = vectors("browser-refused")[name]

    with pytest.raises(PermanentError) as refusal:
        decrypt(entry)

    error = refusal.value
    assert (error.detail if isinstance(error, DecryptionFailed) else error.reason) == entry["outcome"]


def _numbers(value: Any) -> list[str]:
    """Return every number in ``value``, as it is spelled."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return [content]
        case "NS":
            return list(content)
        case "L":
            return [number for member in content for number in _numbers(member)]
        case "M":
            return [number for member in content.values() for number in _numbers(member)]
    return []
