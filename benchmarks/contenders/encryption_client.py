"""The DynamoDB Encryption Client for Python: `EncryptedClient.put_item` over an AWS KMS materials provider.

It encrypts each attribute in place, as binary, and signs the item; one data key an item. It cannot read a table of
plaintext, so items are read with the bare client; it writes whole items, one after another, without a condition.
"""

from decimal import Context
from typing import Any, Final

import botocore.session
from dynamodb_encryption_sdk.encrypted.client import EncryptedClient
from dynamodb_encryption_sdk.identifiers import CryptoAction
from dynamodb_encryption_sdk.material_providers.aws_kms import AwsKmsCryptographicMaterialsProvider
from dynamodb_encryption_sdk.structures import AttributeActions

from benchmarks.contenders import ATTRIBUTES, KEY, Parts, pages

_DIGITS: Final = Context(prec=28)


class EncryptionClient:
    """Encrypts as the client does."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # It makes KMS clients of its own: the environment tells them where KMS is.
        provider = AwsKmsCryptographicMaterialsProvider(
            key_id=parts.key_arn, botocore_session=botocore.session.get_session()
        )
        self._client = EncryptedClient(
            client=parts.dynamodb,
            materials_provider=provider,
            attribute_actions=AttributeActions(
                default_action=CryptoAction.SIGN_ONLY,
                attribute_actions=dict.fromkeys(ATTRIBUTES, CryptoAction.ENCRYPT_AND_SIGN),
            ),
        )

    def prepare(self) -> None:
        """Have it describe the table, which it does once."""
        self._client.get_item(TableName=self._parts.table, Key={name: {"S": "none"} for name in KEY})

    def rewrite(self) -> int:
        """Encrypt every item."""
        count = 0
        for page in pages(self._parts.dynamodb, self._parts.table):
            for item in page:
                self._client.put_item(TableName=self._parts.table, Item=item)
            count += len(page)
        return count

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Read it with the client."""
        item = self._client.get_item(TableName=self._parts.table, Key={name: stored[name] for name in KEY})
        if _comparable(item["Item"]) != _comparable(original):
            raise ValueError("what is decrypted differs")


def _comparable(value: Any) -> Any:
    """Return DynamoDB JSON with numbers as such, of 28 digits: the client rounds those of more."""
    if isinstance(value, dict):
        return {
            name: _DIGITS.create_decimal(part) if name == "N" else _comparable(part) for name, part in value.items()
        }
    return [_comparable(part) for part in value] if isinstance(value, list) else value


def make(parts: Parts) -> EncryptionClient:
    """Return the client."""
    return EncryptionClient(parts)
