"""AWS's own hierarchical keyring beside ours: each reads what the other made, and refuses what the other refuses."""

import base64
from typing import Any
from uuid import UUID

import pytest
from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.models import KMSConfigurationKmsKeyArn
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsHierarchicalKeyringInput
from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from hypothesis import given
from hypothesis import strategies as st

from item_crypto import DecryptionFailed, ValueCipher
from item_crypto.core.codec import encode_value
from item_crypto.core.stored_form import Envelope
from item_crypto.errors import UnknownForm
from item_crypto.forms import open_envelope
from item_crypto.keys.branch_wrapping import BranchKeyVersion, unwrap, version_of, wrap
from tests.branch_keys import BRANCH_KEYS, Branches
from tests.scene import HISTORY, NOW, POLICY, Scene
from tests.sdk_streams import decrypted

SDK = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1)
SUITES = [Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY, Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(scope="module")
def branches(scene: Scene) -> Branches:
    return Branches(scene)


class Oracle:
    """The keyring of the AWS Cryptographic Material Providers Library, over the same table."""

    def __init__(self, branches: Branches) -> None:
        scene = branches.scene
        self._library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        self._store = KeyStore(
            KeyStoreConfig(
                ddb_table_name=BRANCH_KEYS,
                kms_configuration=KMSConfigurationKmsKeyArn(scene.key_arn),
                logical_key_store_name=POLICY.purpose,
                ddb_client=scene.dynamodb,
                kms_client=scene.kms,
            )
        )

    def keyring(self, branch_key_id: str) -> Any:
        return self._library.create_aws_kms_hierarchical_keyring(
            CreateAwsKmsHierarchicalKeyringInput(key_store=self._store, branch_key_id=branch_key_id, ttl_seconds=60)
        )

    def encrypt(self, branch_key_id: str, data: bytes, context: dict[str, str], algorithm: Algorithm) -> bytes:
        message, _ = SDK.encrypt(
            source=data, keyring=self.keyring(branch_key_id), encryption_context=context, algorithm=algorithm
        )
        return bytes(message)

    def decrypt(self, branch_key_id: str, message: bytes, context: dict[str, str]) -> bytes:
        content, _ = decrypted(SDK, source=message, keyring=self.keyring(branch_key_id), encryption_context=context)
        return bytes(content)


@pytest.fixture(scope="module")
def oracle(branches: Branches) -> Oracle:
    return Oracle(branches)


def context_of(tenant: str) -> dict[str, str]:
    return {"userId": tenant, "sessionId": "dlg-1", "purpose": POLICY.purpose}


def opened(message: bytes) -> Envelope:
    return open_envelope({"S": base64.b64encode(message).decode()})


@pytest.mark.parametrize("tenant", ["alice", "ü/😀"])
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_message_when_awss_keyring_made_it_then_ours_reads_it(
    branches: Branches, oracle: Oracle, suite: Algorithm, tenant: str
) -> None:
    identifier = branches.branch_keys.make(tenant)[0].branch_key_id
    message = oracle.encrypt(identifier, encode_value("history", HISTORY), context_of(tenant), suite)

    assert opened(message).key == identifier
    assert branches.cipher().decrypt({"history": opened(message)}, context_of(tenant)) == {"history": HISTORY}


@pytest.mark.parametrize("tenant", ["alice", "ü/😀"])
@pytest.mark.parametrize("signed", [False, True])
def test_message_when_ours_made_it_then_awss_keyring_reads_it(
    branches: Branches, oracle: Oracle, signed: bool, tenant: str
) -> None:
    identifier = branches.branch_keys.make(tenant)[0].branch_key_id
    text = ValueCipher(branches.keys(), signed).encrypt({"history": HISTORY}, context_of(tenant))["history"]

    content = oracle.decrypt(identifier, base64.b64decode(text), context_of(tenant))

    assert content == encode_value("history", HISTORY)


def test_messages_when_made_before_and_after_a_rotation_then_both_read_both(branches: Branches, oracle: Oracle) -> None:
    identifier = branches.branch_keys.make("rotated")[0].branch_key_id
    context, data = context_of("rotated"), encode_value("history", HISTORY)
    before = [base64.b64decode(branches.cipher().encrypt({"history": HISTORY}, context)["history"])]
    before.append(oracle.encrypt(identifier, data, context, SUITES[0]))
    branches.branch_keys.rotate(identifier)
    after = [base64.b64decode(branches.cipher().encrypt({"history": HISTORY}, context)["history"])]
    after.append(oracle.encrypt(identifier, data, context, SUITES[0]))

    versions = [version_of(opened(message).encrypted_key) for message in (*before, *after)]
    assert versions[0] == versions[1] != versions[2] == versions[3]
    for message in (*before, *after):
        assert oracle.decrypt(identifier, message, context) == data
        assert branches.cipher().decrypt({"history": opened(message)}, context) == {"history": HISTORY}


def refuses(ours: Any, theirs: Any) -> None:
    with pytest.raises((DecryptionFailed, UnknownForm)):
        ours()
    with pytest.raises(Exception):  # noqa: B017, PT011 - the SDK has no common root of what it raises here
        theirs()


def test_message_when_any_byte_is_another_then_both_refuse_it(branches: Branches, oracle: Oracle) -> None:
    identifier = branches.branch_keys.make("tampered")[0].branch_key_id
    context = context_of("tampered")
    message = oracle.encrypt(identifier, encode_value("history", HISTORY), context, SUITES[0])
    place = message.index(opened(message).encrypted_key)
    cipher = branches.cipher()

    for offset in (0, 15, 16, 27, 28, 43, 44, 75, 76, 91):  # The ends of salt, nonce, version, data key and tag.
        forged = bytearray(message)
        forged[place + offset] ^= 1
        refuses(
            lambda forged=bytes(forged): cipher.decrypt({"history": opened(forged)}, context),
            lambda forged=bytes(forged): oracle.decrypt(identifier, forged, context),
        )


def test_message_when_its_key_was_destroyed_then_both_refuse_it(branches: Branches, oracle: Oracle) -> None:
    identifier = branches.branch_keys.make("gone")[0].branch_key_id
    context = context_of("gone")
    message = oracle.encrypt(identifier, encode_value("history", HISTORY), context, SUITES[0])
    branches.branch_keys.destroy(identifier, NOW)

    refuses(
        lambda: branches.cipher().decrypt({"history": opened(message)}, context),
        lambda: oracle.decrypt(identifier, message, context),
    )


# The wrapping alone

KEY = BranchKeyVersion("tenant-" + "a" * 64, UUID(int=7), b"k" * 32)


@given(st.binary(min_size=32, max_size=32), st.dictionaries(TEXT.filter(bool), TEXT, min_size=1, max_size=4))
def test_data_key_when_wrapped_then_it_comes_back_under_the_same_and_nothing_else(
    data_key: bytes, context: dict[str, str]
) -> None:
    wrapped = wrap(data_key, KEY, context)

    assert (len(wrapped), version_of(wrapped)) == (92, KEY.version)
    assert unwrap(wrapped, KEY, context) == data_key
    assert wrap(data_key, KEY, context) != wrapped
    for other in (
        BranchKeyVersion(KEY.branch_key_id, KEY.version, b"l" * 32),
        BranchKeyVersion("tenant-" + "b" * 64, KEY.version, KEY.key),
        BranchKeyVersion(KEY.branch_key_id, UUID(int=8), KEY.key),
    ):
        with pytest.raises(DecryptionFailed):
            unwrap(wrapped, other, context)
    with pytest.raises(DecryptionFailed):
        unwrap(wrapped, KEY, {**context, "one": "more"})


@given(st.binary(min_size=32, max_size=32), st.integers(0, 91), st.integers(0, 7))
def test_wrapped_key_when_any_bit_is_another_then_it_is_refused(data_key: bytes, place: int, bit: int) -> None:
    wrapped = bytearray(wrap(data_key, KEY, {"a": "b"}))
    wrapped[place] ^= 1 << bit

    with pytest.raises(DecryptionFailed):
        unwrap(bytes(wrapped), KEY, {"a": "b"})


@pytest.mark.parametrize("length", [0, 43, 44, 91, 93, 200])
def test_wrapped_key_when_of_another_length_then_it_is_refused(length: int) -> None:
    with pytest.raises(DecryptionFailed):
        version_of(bytes(length))


def test_version_when_shown_then_its_key_is_not() -> None:
    assert "kkkk" not in repr(KEY)
