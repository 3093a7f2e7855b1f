"""A client that encrypts before it sends: messages made with the AWS Encryption SDK alone, well or badly."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.materials_managers import EncryptionMaterials, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey, MasterKeyInfo

from item_crypto.core.codec import Value, to_json

COMMITTING: Final = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
NOT_COMMITTING: Final = Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA256


@dataclass(frozen=True)
class DataKeys(CryptoMaterialsManager):  # type: ignore[misc]  # the SDK ships no types
    """A data key as the API hands it out, and what a message's header is to say of it.

    Attributes:
        plaintext: the data key.
        encrypted: it, encrypted, by the name of the KMS key.
        provider: the provider id.
        added: members of the context beside those that are asked for.
    """

    plaintext: bytes = field(repr=False)
    encrypted: Mapping[str, bytes]
    provider: str = "aws-kms"
    added: Mapping[str, str] = field(default_factory=dict)

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> EncryptionMaterials:
        keys = {(MasterKeyInfo(self.provider, arn), data) for arn, data in self.encrypted.items()}
        first = MasterKeyInfo(self.provider, next(iter(self.encrypted)))
        return EncryptionMaterials(
            algorithm=request.algorithm,
            data_encryption_key=DataKey(first, self.plaintext, self.encrypted[first.key_info.decode()]),
            encrypted_data_keys={EncryptedDataKey(info, data) for info, data in keys},
            encryption_context={**request.encryption_context, **self.added},
        )

    def decrypt_materials(self, request: Any) -> Any:
        raise NotImplementedError


def data_key(kms: Any, key_arn: str, context: Mapping[str, str], **more: Any) -> DataKeys:
    """Return a new data key for ``context``; ``more`` are fields of :class:`DataKeys`."""
    answer = kms.generate_data_key(KeyId=key_arn, KeySpec="AES_256", EncryptionContext=dict(context))
    return DataKeys(answer["Plaintext"], {key_arn: answer["CiphertextBlob"]}, **more)


def content(name: str, value: Value) -> bytes:
    """Return what a message of ``value`` holds; not compressed, which a client need not do."""
    return json.dumps({name: to_json(value)}).encode()


def message(
    keys: DataKeys,
    context: Mapping[str, str],
    data: bytes,
    algorithm: Algorithm = COMMITTING,
    frame_length: int = 4096,
) -> bytes:
    """Return the message that holds ``data``."""
    client = EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        if algorithm.is_committing()
        else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    stream = client.stream(
        mode="e",
        source=data,
        materials_manager=keys,
        encryption_context=dict(context),
        algorithm=algorithm,
        frame_length=frame_length,
    )
    return bytes(stream.read())


def text(data: bytes) -> str:
    """Return a message as it is sent."""
    return base64.b64encode(data).decode()
