"""What every kind of keys offers: data keys for a context, and what identifies the key that a message needs.

The models are age's recipients and identities: whoever encrypts and decrypts knows neither KMS nor an ARN. A second
kind of keys is one more module beside ``kms.py``, and a provider in ``identity.py``.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from item_crypto.keys.identity import Identity

Context = Mapping[str, str]
"""An encryption context."""


class Keys(Protocol):
    """Keys to encrypt and decrypt with; may be shared between threads.

    Materials managers are the AWS Encryption SDK's (``CryptoMaterialsManager``), each for the values of one item in
    one call: it asks for each data key once.

    Every method but ``is_current`` and ``is_known``, and a materials manager, raises KeyNotReady where a key for
    encryption is not there yet, KeyDestroyed or, for encryption, TenantShredded where it was destroyed on purpose, and
    TransientError or SystemicError where the key service does not answer or refuses. A materials manager raises
    DecryptionFailed where the key does not fit, or the message's context is not the one that it was made for.
    """

    def for_encryption(self, context: Context) -> Any:
        """Return a materials manager for encryption under the key that is current for ``context``."""

    def meanwhile(self, context: Context) -> Any:
        """Return a materials manager for encryption under a key that is there for certain.

        For what would be in plaintext until the key that is current for ``context`` is made.
        """

    def for_decryption(self, identity: Identity, context: Context) -> Any:
        """Return a materials manager for messages that need the key ``identity``.

        Raises:
            KeyNotListed: it is none of these keys.
        """

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        """Return the data key in ``encrypted_key``, of a form that does not tell which key it needs.

        Raises:
            DecryptionFailed: none of these keys fits under ``context``.
        """

    def is_current(self, identity: Identity, context: Context) -> bool:
        """Tell whether a write under ``context`` now would use the key ``identity``."""

    def is_known(self, identity: Identity) -> bool:
        """Tell whether messages under ``identity`` can be decrypted at all."""
