"""A KMS within this process: what it issues has the size of what KMS issues, and no key is behind it.

So a sample is encrypted by the very code that would encrypt the table, and KMS is never asked.
"""

import os
from types import SimpleNamespace
from typing import Any, Final

from botocore.config import Config

ENCRYPTED_KEY_SIZE: Final = 184
"""Bytes of a 256-bit data key as KMS encrypts it under a symmetric key; whatever the encryption context."""

_ID: Final = "00000000-0000-4000-8000-000000000000"


def stand_in_arn(region: str) -> str:
    """Return an ARN as long as that of a key of ``region``: it stands in every message's header."""
    return f"arn:aws:kms:{region}:000000000000:key/{_ID}"


class LocalKms:
    """As much of boto3's KMS client as `item_crypto.Keyrings` uses to encrypt. It decrypts nothing."""

    def __init__(self, region: str) -> None:
        self.meta = SimpleNamespace(region_name=region, config=Config())  # What the MPL reads of a client.

    def generate_data_key(self, **asked: Any) -> dict[str, Any]:
        """Return a new data key, which nobody can have again."""
        return {
            "KeyId": asked["KeyId"],
            "Plaintext": os.urandom(asked.get("NumberOfBytes", 32)),
            "CiphertextBlob": os.urandom(ENCRYPTED_KEY_SIZE),
        }
