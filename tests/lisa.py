"""Ciphertexts in the form of LISA 1.0, made as LISA makes them."""

import base64
import json
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from cryptography.fernet import Fernet


def plain(value: Any) -> Any:
    """Return a DynamoDB value as the Python object that LISA holds."""
    return TypeDeserializer().deserialize(value)


def ciphertext(kms: Any, key_arn: str, content: Any, context: dict[str, str]) -> str:
    """Return what LISA stores in ``encrypted_X`` for ``content``: ordinary JSON, in which a Decimal becomes text."""
    data_key = kms.generate_data_key(KeyId=key_arn, KeySpec="AES_256", EncryptionContext=context)
    return sealed(json.dumps(content, default=str), data_key["Plaintext"], data_key["CiphertextBlob"])


def sealed(text: str, key: bytes, encrypted_key: bytes) -> str:
    """Return the stored text for JSON ``text`` under a data key."""
    token = Fernet(base64.urlsafe_b64encode(key[:32])).encrypt(text.encode())
    document = {
        "encrypted_key": base64.b64encode(encrypted_key).decode(),
        "encrypted_data": base64.b64encode(token).decode(),
        "encryption_version": "1.0",
    }
    return base64.b64encode(json.dumps(document).encode()).decode()


def number(content: Any) -> Any:
    """Return ``content`` with numbers as LISA writes those that it got as JSON, not from DynamoDB."""
    if isinstance(content, dict):
        return {name: number(member) for name, member in content.items()}
    if isinstance(content, list):
        return [number(member) for member in content]
    return float(content) if isinstance(content, Decimal) else content
