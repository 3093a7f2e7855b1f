"""What identifies the key that a message needs: opaque to everybody but the keys themselves."""

import re
from typing import Final, NewType

from item_crypto.errors import ConfigurationError, UnknownForm
from item_crypto.keys.branch_key_id import is_branch_key_id

Identity = NewType("Identity", str)
"""Compared, counted and printed, never taken apart outside this package."""

KMS_PROVIDER: Final = "aws-kms"
"""The provider id of KMS keyrings (AWS Encryption SDK specification, aws-kms-keyring); the key's info is its ARN."""

HIERARCHY_PROVIDER: Final = "aws-kms-hierarchy"
"""The provider id of hierarchical keyrings (the same, aws-kms-hierarchical-keyring); the info is a branch key's id."""

MAX_ENCRYPTED: Final = 6144
"""Bytes of an encrypted data key that KMS takes (API reference, Decrypt, ``CiphertextBlob``)."""

_KEY_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})")


def identity(provider_id: str, key_info: bytes) -> Identity:
    """Return the identity of the key that a message's header names.

    Raises:
        UnknownForm: no keys of ours are of that provider, or it names none.
    """
    if provider_id not in (KMS_PROVIDER, HIERARCHY_PROVIDER):
        raise UnknownForm("an encrypted attribute is not encrypted under a key of KMS")
    try:
        key = key_info.decode("ascii")
    except UnicodeDecodeError:
        raise UnknownForm("an encrypted attribute names no key of KMS") from None
    if is_branch_key_id(key) != (provider_id == HIERARCHY_PROVIDER):
        raise UnknownForm("an encrypted attribute names a key that is not of its kind")
    return Identity(key)


def check_key_arn(arn: str) -> str:
    """Return ``arn`` if it is the ARN of a KMS key.

    Raises:
        ConfigurationError: it is an alias, a bare key id, or no ARN of a key.
    """
    if ":alias/" in arn or arn.startswith("alias/"):
        raise ConfigurationError("a KMS key must be given by its key ARN, not by an alias")
    if not _KEY_ARN.fullmatch(arn):
        raise ConfigurationError("a KMS key must be given by its key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID)")
    return arn


def is_same_key(arn: str, other: str) -> bool:
    """Tell whether two ARNs name one KMS key, or two replicas of one multi-Region key.

    Replicas have the same key material, and the same id (AWS Encryption SDK specification,
    aws-kms-mrk-match-for-decrypt).
    """
    one, another = arn.split(":"), other.split(":")
    if one[-1].startswith("key/mrk-"):
        del one[3:4], another[3:4]  # The Region.
    return one == another
