"""Reads the AWS Encryption SDK's own test vectors, where they are present; README.md says what they are."""

import base64
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateDefaultCryptographicMaterialsManagerInput,
    CreateRawAesKeyringInput,
)
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.internal.crypto.authentication import Verifier
from aws_encryption_sdk.materials_managers import DecryptionMaterials, DecryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL
from aws_encryption_sdk.structures import DataKey

from item_crypto.core.stored_form import Envelope
from item_crypto.errors import ItemCryptoError
from item_crypto.forms import open_envelope

_ROOT: Final = Path(__file__).parents[2]
_COMMITMENT: Final = "commitment-test-vectors.json"
_ZIPS: Final = {"invalid": "invalid-Net-4.0.0.zip", "valid": "v4-Net-4.0.1.zip"}


def directory() -> Path:
    """Return where the vectors are, or would be."""
    return Path(os.environ.get("ESDK_VECTORS") or _ROOT.parent / "shared" / "data" / "esdk-vectors")


@dataclass(frozen=True)
class Message:
    """A message, what its key is, and what is in it: None where nobody may accept it."""

    data: bytes
    manager: Any
    context: dict[str, str]
    plaintext: bytes | None


def messages() -> Iterator[tuple[str, Message]]:
    """Yield every message by its name: ``commitment/07`` or ``invalid/…``, as the files have them."""
    for number, test in enumerate(json.loads((directory() / _COMMITMENT).read_text())["tests"], 1):
        plaintext = "".join(test["plaintext-frames"] or []).encode() if test["status"] else None
        manager = _Given(base64.b64decode(test["decrypted-dek"] or ""))
        data = base64.b64decode(test["ciphertext"])
        yield f"commitment/{number:02}", Message(data, manager, test["encryption-context"] or {}, plaintext)
    for group, name in _ZIPS.items():
        with zipfile.ZipFile(directory() / name) as archive:
            keys = json.loads(archive.read("keys.json"))["keys"]
            for test_name, test in sorted(json.loads(archive.read("manifest.json"))["tests"].items()):
                (key, *_) = test["master-keys"]
                manager = _raw_aes(key, keys) if key.get("encryption-algorithm") == "aes" else None
                plaintext = _file(archive, test["result"]["output"]["plaintext"]) if group == "valid" else None
                context = test.get("encryption-context") or {}
                message = Message(_file(archive, test["ciphertext"]), manager, context, plaintext)
                yield f"{group}/{test_name}", message


def outcome(message: Message) -> dict[str, str]:
    """Return what becomes of a message: of its header in this package, and of all of it in the SDK as it is used here.

    ``header``: ``read``, or the reason of the refusal. ``message``: ``decrypted``, ``other content``, the class of the
    error, or ``no key``, where the key is one of KMS's or of a kind that this package never has.
    """
    try:
        envelope: Envelope | None = open_envelope({"S": base64.b64encode(message.data).decode()})
    except ItemCryptoError as error:
        return {"header": error.reason, "message": _decrypted(message)}
    return {"header": f"read as {envelope.form.name}" if envelope else "", "message": _decrypted(message)}


def _decrypted(message: Message) -> str:
    if message.manager is None:
        return "no key"
    # As item_crypto.forms.current has it, but for the bound on data keys: what is told apart here is the rest.
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    given = (
        {"encryption_context": message.context} if isinstance(message.manager, CryptoMaterialsManagerFromMPL) else {}
    )
    stream = client.stream(mode="d", source=message.data, materials_manager=message.manager, **given)
    try:
        plaintext = stream.read()
    except Exception as error:
        return type(error).__name__
    finally:
        # As in item_crypto.forms.current: from Python 3.13 on, the finalizer's complaint of an unread footer is told.
        vars(stream).setdefault("footer", None)
    return "decrypted" if plaintext == message.plaintext else "other content"


class _Given(CryptoMaterialsManager):  # type: ignore[misc]
    """Gives one data key for every message."""

    def __init__(self, data_key: bytes) -> None:
        self._data_key = data_key

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> DecryptionMaterials:
        key = next(iter(request.encrypted_data_keys))
        signer = request.encryption_context.get("aws-crypto-public-key")
        verifier = None if signer is None else Verifier.from_encoded_point(request.algorithm, signer).key_bytes()
        return DecryptionMaterials(
            data_key=DataKey(key.key_provider, self._data_key, key.encrypted_data_key), verification_key=verifier
        )

    def get_encryption_materials(self, request: Any) -> Any:
        raise NotImplementedError


def _raw_aes(key: dict[str, Any], keys: dict[str, Any]) -> CryptoMaterialsManagerFromMPL:
    library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    named = keys[key["key"]]
    algorithms = {128: AesWrappingAlg.ALG_AES128_GCM_IV12_TAG16, 192: AesWrappingAlg.ALG_AES192_GCM_IV12_TAG16}
    keyring = library.create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace=key["provider-id"],
            key_name=named["key-id"],
            wrapping_key=base64.b64decode(named["material"]),
            wrapping_alg=algorithms.get(named["bits"], AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16),
        )
    )
    return CryptoMaterialsManagerFromMPL(
        library.create_default_cryptographic_materials_manager(
            CreateDefaultCryptographicMaterialsManagerInput(keyring=keyring)
        )
    )


def _file(archive: zipfile.ZipFile, address: str) -> bytes:
    return archive.read(address.removeprefix("file://"))
