"""AWS's own KMS keyring, of the Material Providers Library, as the oracle of ours.

Each reads what the other made, and refuses what the other refuses.
"""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateAwsKmsKeyringInput,
    CreateAwsKmsMrkKeyringInput,
    CreateMultiKeyringInput,
    CreateRawAesKeyringInput,
)
from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header
from hypothesis import given, settings
from hypothesis import strategies as st

from item_crypto import ItemCryptoError, Keyrings, ValueCipher
from item_crypto.core.codec import encode_value
from item_crypto.forms import open_envelope
from tests.scene import HISTORY, Scene
from tests.sdk_streams import decrypted

CONTEXT: Final = {"userId": "user-24", "sessionId": "dlg-1", "purpose": "session-encryption"}
PLAIN: Final = encode_value("history", HISTORY)
SUITES: Final = {
    False: Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    True: Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
}

Keyring = Any


def library() -> AwsCryptographicMaterialProviders:
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def kms_keyring(scene: Scene, key_arn: str) -> Keyring:
    return library().create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=scene.kms))


def raw_keyring() -> Keyring:
    return library().create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace="raw",
            key_name="k",
            wrapping_key=b"w" * 32,
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )


def several(*keyrings: Keyring) -> Keyring:
    return library().create_multi_keyring(
        CreateMultiKeyringInput(generator=keyrings[0], child_keyrings=list(keyrings[1:]))
    )


def made_by(keyring: Keyring, context: Mapping[str, str] = CONTEXT, signed: bool = False) -> bytes:
    data, _ = client().encrypt(
        source=PLAIN,
        keyring=keyring,
        encryption_context=dict(context),
        algorithm=SUITES[signed],
        frame_length=1024 * 1024,
    )
    return bytes(data)


def client() -> EncryptionSDKClient:
    return EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )


def oracle_reads(scene: Scene, data: bytes, key_arn: str | None = None) -> bool:
    """Tell whether AWS's keyring of one key decrypts ``data`` under the expected context, whole."""
    try:
        plain, header = decrypted(
            client(), source=data, keyring=kms_keyring(scene, key_arn or scene.key_arn), encryption_context=CONTEXT
        )
    except Exception:
        return False
    # What the SDK leaves to its caller, with its keyrings too: a context of other members, and bytes after the end.
    own = {name: text for name, text in header.encryption_context.items() if not name.startswith("aws-crypto-")}
    return bytes(plain) == PLAIN and own == CONTEXT


def we_read(scene: Scene, data: bytes, key_arn: str | None = None) -> bool:
    cipher = ValueCipher(Keyrings(scene.kms, key_arn or scene.key_arn))
    try:
        envelope = open_envelope({"S": base64.b64encode(data).decode()})
        return cipher.decrypt({"history": envelope}, CONTEXT) == {"history": HISTORY}
    except ItemCryptoError:
        return False


def ours(scene: Scene, signed: bool = False) -> bytes:
    cipher = ValueCipher(Keyrings(scene.kms, scene.key_arn), signed)
    return base64.b64decode(cipher.encrypt({"history": HISTORY}, CONTEXT)["history"])


def layout(data: bytes) -> dict[str, Any]:
    """Return all of a message's header that is not random."""
    header, _ = deserialize_header(io.BytesIO(data), 1)
    (key,) = header.encrypted_data_keys
    members = dict(header.encryption_context)
    return {
        "version": header.version,
        "algorithm": header.algorithm,
        "context": members.keys(),
        "own": {name: text for name, text in members.items() if not name.startswith("aws-crypto-")},
        "key": (key.key_provider.provider_id, key.key_provider.key_info, len(key.encrypted_data_key)),
        "frame": header.frame_length,
        "length": len(data),
    }


@pytest.mark.parametrize("signed", [False, True])
def test_messages_when_made_by_either_then_both_are_alike_and_each_reads_the_others(scene: Scene, signed: bool) -> None:
    mine, theirs = ours(scene, signed), made_by(kms_keyring(scene, scene.key_arn), signed=signed)

    mine_layout, their_layout = layout(mine), layout(theirs)
    # The signature's own length varies by a byte or two.
    if signed:
        assert abs(mine_layout.pop("length") - their_layout.pop("length")) < 8
    assert mine_layout == their_layout
    assert oracle_reads(scene, mine)
    assert we_read(scene, theirs)


def _two(scene: Scene, second: Keyring) -> bytes:
    generous = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    keyring = several(kms_keyring(scene, scene.key_arn), second)
    return bytes(generous.encrypt(source=PLAIN, keyring=keyring, encryption_context=CONTEXT)[0])


def _uncommitted(scene: Scene) -> bytes:
    lax = EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    return bytes(
        lax.encrypt(
            source=PLAIN,
            keyring=kms_keyring(scene, scene.key_arn),
            encryption_context=CONTEXT,
            algorithm=Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA256,
        )[0]
    )


REFUSED: Final[dict[str, Callable[[Scene], bytes]]] = {
    "another key": lambda scene: made_by(kms_keyring(scene, scene.unlisted_key_arn)),
    "another provider": lambda _: made_by(raw_keyring()),
    "another context": lambda scene: made_by(kms_keyring(scene, scene.key_arn), CONTEXT | {"userId": "other"}),
    "a member less": lambda scene: made_by(kms_keyring(scene, scene.key_arn), {"userId": "user-24"}),
    "a member more": lambda scene: made_by(kms_keyring(scene, scene.key_arn), CONTEXT | {"more": "x"}),
    "two data keys": lambda scene: _two(scene, kms_keyring(scene, scene.earlier_key_arn)),
    "two providers": lambda scene: _two(scene, raw_keyring()),
    "no commitment": _uncommitted,
}


@pytest.mark.parametrize("name", REFUSED)
def test_message_when_the_oracle_refuses_it_then_so_do_we(scene: Scene, name: str) -> None:
    data = REFUSED[name](scene)

    assert not oracle_reads(scene, data)
    assert not we_read(scene, data)


def test_message_when_its_key_is_not_ours_then_neither_asks_for_it(scene: Scene) -> None:
    data = ours(scene)

    assert not oracle_reads(scene, data, scene.unlisted_key_arn)
    assert not we_read(scene, data, scene.unlisted_key_arn)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), signed=st.booleans())
def test_any_tampering_when_the_oracle_refuses_it_then_so_do_we(
    scene: Scene, data: st.DataObject, signed: bool
) -> None:
    message = bytearray(ours(scene, signed))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= data.draw(st.integers(1, 255))

    assert not oracle_reads(scene, bytes(message))
    assert not we_read(scene, bytes(message))


def test_multi_region_keyring_of_aws_when_it_reads_ours_then_it_gives_the_same(scene: Scene) -> None:
    keyring = library().create_aws_kms_mrk_keyring(
        CreateAwsKmsMrkKeyringInput(kms_key_id=scene.key_arn, kms_client=scene.kms)
    )

    plain, _ = decrypted(client(), source=ours(scene), keyring=keyring, encryption_context=CONTEXT)

    assert bytes(plain) == PLAIN
