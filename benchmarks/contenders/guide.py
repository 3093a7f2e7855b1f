"""What AWS's guide to the Encryption SDK for Python shows: `EncryptionSDKClient.encrypt` for each attribute.

The default suite, which signs, and the KMS keyring of the Material Providers Library, made once; a data key for each
call; one item after another, written without a condition. (Developer Guide, "Example code for the AWS Encryption SDK
for Python".)
"""

import base64
import json
from typing import Any

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
from aws_encryption_sdk import CommitmentPolicy
from boto3.dynamodb.types import TypeDeserializer

from benchmarks.contenders import ATTRIBUTES, KEY, Parts, context_of, rewrite_one_by_one
from benchmarks.contenders.lisa import as_json


class Guide:
    """Encrypts as the guide does."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._client = aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        )
        library = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        self._keyring = library.create_aws_kms_keyring(
            CreateAwsKmsKeyringInput(kms_key_id=parts.key_arn, kms_client=parts.kms)
        )

    def prepare(self) -> None:
        """Nothing is to be prepared."""

    def rewrite(self) -> int:
        """Encrypt every item."""
        return rewrite_one_by_one(self._parts, self._write)

    def _write(self, table: Any, item: dict[str, Any]) -> None:
        names = [name for name in ATTRIBUTES if name in item]
        context = context_of(item)
        table.update_item(
            Key={name: item[name] for name in KEY},
            UpdateExpression=f"SET {', '.join(f'encrypted_{name} = :{name}' for name in names)} "
            f"REMOVE {', '.join(f'#{name}' for name in names)}",
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues={f":{name}": self.seal(item[name], context) for name in names},
        )

    def seal(self, value: Any, context: dict[str, str]) -> str:
        """Return what is stored in the place of ``value``, a Python value as boto3's resource gives it."""
        ciphertext, _ = self._client.encrypt(
            source=json.dumps(value, default=str).encode(), keyring=self._keyring, encryption_context=context
        )
        return base64.b64encode(ciphertext).decode()

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Decrypt as the guide does."""
        item = {name: TypeDeserializer().deserialize(value) for name, value in stored.items()}
        for name in ATTRIBUTES:
            if name not in original:
                continue
            plaintext, _ = self._client.decrypt(
                source=base64.b64decode(item[f"encrypted_{name}"]),
                keyring=self._keyring,
                encryption_context=context_of(item),
            )
            if name in item or json.loads(plaintext) != as_json(original[name]):
                raise ValueError("what is decrypted differs")


def make(parts: Parts) -> Guide:
    """Return the guide's way."""
    return Guide(parts)
