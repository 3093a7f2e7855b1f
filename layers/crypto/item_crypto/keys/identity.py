"""What identifies the key that a message needs: opaque to everybody but the keys themselves."""

from typing import Final, NewType

from item_crypto.errors import UnknownForm

Identity = NewType("Identity", str)
"""Compared, counted and printed, never taken apart outside this package."""

KMS_PROVIDER: Final = "aws-kms"
"""The provider id of KMS keyrings (AWS Encryption SDK specification, aws-kms-keyring); the key's info is its ARN."""


def identity(provider_id: str, key_info: bytes) -> Identity:
    """Return the identity of the key that a message's header names.

    Raises:
        UnknownForm: no keys of ours are of that provider, or it names none.
    """
    if provider_id != KMS_PROVIDER:
        raise UnknownForm("an encrypted attribute is not encrypted under a KMS key")
    try:
        return Identity(key_info.decode("ascii"))
    except UnicodeDecodeError:
        raise UnknownForm("an encrypted attribute names no KMS key") from None
