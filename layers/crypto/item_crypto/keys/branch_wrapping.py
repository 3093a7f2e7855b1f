"""A data key, encrypted under a branch key, by the specification of AWS's hierarchical keyring. Pure.

::

    encrypted data key:   salt (16) │ nonce (12) │ version (16) │ data key, AES-256-GCM (32 + tag 16)

    wrapping key        = KDF in counter mode (NIST SP 800-108), HMAC-SHA-256: branch key, label, salt
    authenticated data  = "aws-kms-hierarchy" │ branch key's identifier │ version │ encryption context

The label is the provider's name too. The version is a UUID's 16 bytes; the context is written as in a message's header.
A wrapping key is used once: its salt and nonce are random.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from aws_encryption_sdk.internal.formatting.encryption_context import serialize_encryption_context
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

from item_crypto.errors import DecryptionFailed
from item_crypto.keys.identity import HIERARCHY_PROVIDER

KEY_SIZE: Final = 32
"""Bytes of a branch key, and of a data key as the suites with AES-256 take it."""

_LABEL: Final = HIERARCHY_PROVIDER.encode()
_SALT: Final = 16
_NONCE: Final = 12
_VERSION: Final = 16
_TAG: Final = 16
_WRAPPED: Final = _SALT + _NONCE + _VERSION + KEY_SIZE + _TAG


@dataclass(frozen=True)
class BranchKeyVersion:
    """A version of a branch key, in the clear.

    Attributes:
        branch_key_id: the branch key's identifier.
        version: which version it is.
        key: the key itself, 32 bytes. Not shown by ``repr``.
    """

    branch_key_id: str
    version: UUID
    key: bytes = field(repr=False)


def wrap(data_key: bytes, under: BranchKeyVersion, context: Mapping[str, str]) -> bytes:
    """Return ``data_key``, encrypted under a branch key for one encryption context."""
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    sealed = _cipher(under, salt).encrypt(nonce, data_key, _authenticated(under, context))
    return salt + nonce + under.version.bytes + sealed


def version_of(wrapped: bytes) -> UUID:
    """Return which version of its branch key an encrypted data key needs. Nothing of it is authenticated yet.

    Raises:
        DecryptionFailed: it is none.
    """
    if len(wrapped) != _WRAPPED:
        raise DecryptionFailed("not-authentic")
    return UUID(bytes=wrapped[_SALT + _NONCE :][:_VERSION])


def unwrap(wrapped: bytes, under: BranchKeyVersion, context: Mapping[str, str]) -> bytes:
    """Return the data key, 32 bytes.

    Raises:
        DecryptionFailed: it was not encrypted under this version of this branch key for this context.
    """
    if version_of(wrapped) != under.version:
        raise DecryptionFailed("not-authentic")
    salt, nonce, sealed = wrapped[:_SALT], wrapped[_SALT:][:_NONCE], wrapped[_SALT + _NONCE + _VERSION :]
    try:
        return _cipher(under, salt).decrypt(nonce, sealed, _authenticated(under, context))
    except InvalidTag:
        raise DecryptionFailed("not-authentic") from None


def _cipher(under: BranchKeyVersion, salt: bytes) -> AESGCM:
    derived = KBKDFHMAC(
        algorithm=SHA256(),
        mode=Mode.CounterMode,
        length=KEY_SIZE,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=_LABEL,
        context=salt,
        fixed=None,
    ).derive(under.key)
    return AESGCM(derived)


def _authenticated(under: BranchKeyVersion, context: Mapping[str, str]) -> bytes:
    serialized: bytes = serialize_encryption_context(dict(context))
    return _LABEL + under.branch_key_id.encode() + under.version.bytes + serialized
