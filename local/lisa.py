"""Items in the old form, as LISA 1.0 stores them: something to try their migration on."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.fernet import Fernet

PURPOSE = "session-encryption"


def lisa_item(kms: Any, key_arn: str, item: Mapping[str, Any], attributes: Iterable[str]) -> dict[str, Any]:
    """Return `item` with the named attributes in the old form, under a data key of `key_arn` each.

    LISA's values are ordinary JSON, in which a number that came from DynamoDB is text.
    """
    context = {"userId": item["userId"], "sessionId": item["sessionId"], "purpose": PURPOSE}
    names = [name for name in attributes if name in item]
    stored = {name: value for name, value in item.items() if name not in names}
    for name in names:
        key = kms.generate_data_key(KeyId=key_arn, KeySpec="AES_256", EncryptionContext=context)
        token = Fernet(base64.urlsafe_b64encode(key["Plaintext"])).encrypt(json.dumps(item[name], default=str).encode())
        stored[f"encrypted_{name}"] = _text(
            json.dumps(
                {
                    "encrypted_key": _text(key["CiphertextBlob"]),
                    "encrypted_data": _text(token),
                    "encryption_version": "1.0",
                }
            ).encode()
        )
    return stored | {"encryption_version": "1.0", "is_encrypted": True}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
