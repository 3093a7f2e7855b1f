"""LISA's own form of encryption, as its sessions' code makes it: docs/format.md, "The old form".

A KMS data key for each attribute, a Fernet token over the value as ordinary JSON, and base64 over all of it; one item
after another, through boto3's resource, written without a condition. LISA leaves the plaintext where it was; here it is
removed, to LISA's advantage in stored bytes.
"""

import base64
import json
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from cryptography.fernet import Fernet

from benchmarks.contenders import ATTRIBUTES, KEY, Parts, context_of, rewrite_one_by_one


class Lisa:
    """Encrypts as LISA does."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def prepare(self) -> None:
        """Nothing is to be prepared."""

    def rewrite(self) -> int:
        """Encrypt every item."""
        return rewrite_one_by_one(self._parts, self._write)

    def _write(self, table: Any, item: dict[str, Any]) -> None:
        names = [name for name in ATTRIBUTES if name in item]
        context = context_of(item)
        sealed = {f":{name}": self.seal(item[name], context) for name in names}
        sets = [f"encrypted_{name} = :{name}" for name in names]
        table.update_item(
            Key={name: item[name] for name in KEY},
            UpdateExpression=f"SET {', '.join(sets)}, is_encrypted = :yes, encryption_version = :version "
            f"REMOVE {', '.join(f'#{name}' for name in names)}",
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues={**sealed, ":yes": True, ":version": "1.0"},
        )

    def seal(self, value: Any, context: dict[str, str]) -> str:
        """Return what is stored in the place of ``value``, a Python value as boto3's resource gives it."""
        key = self._parts.kms.generate_data_key(KeyId=self._parts.key_arn, KeySpec="AES_256", EncryptionContext=context)
        token = Fernet(base64.urlsafe_b64encode(key["Plaintext"])).encrypt(json.dumps(value, default=str).encode())
        document = {
            "encrypted_key": _text(key["CiphertextBlob"]),
            "encrypted_data": _text(token),
            "encryption_version": "1.0",
        }
        return _text(json.dumps(document).encode())

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Decrypt as LISA does; its JSON has numbers as text."""
        item = {name: TypeDeserializer().deserialize(value) for name, value in stored.items()}
        for name in ATTRIBUTES:
            if name not in original:
                continue
            document = json.loads(base64.b64decode(item[f"encrypted_{name}"]))
            key = self._parts.kms.decrypt(
                KeyId=self._parts.key_arn,
                CiphertextBlob=base64.b64decode(document["encrypted_key"]),
                EncryptionContext=context_of(item),
            )["Plaintext"]
            fernet = Fernet(base64.urlsafe_b64encode(key))
            value = json.loads(fernet.decrypt(base64.b64decode(document["encrypted_data"])))
            if name in item or value != as_json(original[name]):
                raise ValueError("what is decrypted differs")


def as_json(value: Any) -> Any:
    """Return a DynamoDB value as it comes back from ordinary JSON in which a Decimal is text."""
    return json.loads(json.dumps(TypeDeserializer().deserialize(value), default=str))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def make(parts: Parts) -> Lisa:
    """Return LISA's encryption."""
    return Lisa(parts)
