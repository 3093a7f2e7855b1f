"""One data key for the values of one item in one call, and for no context but the item's."""

from typing import Any

from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager

from item_crypto.core.context import own_context
from item_crypto.errors import DecryptionFailed
from item_crypto.keys.protocol import Context


class SharedDataKey(CryptoMaterialsManager):  # type: ignore[misc]  # the SDK ships no types
    """A materials manager that asks another one for each data key once.

    To be made anew for each call, with one encryption context. The SDK's own caching manager does not serve: it keeps
    data keys beyond the call, and over a keyring of the MPL it cannot sign.

    Args:
        manager: knows the key.
        context: the item's encryption context.
    """

    def __init__(self, manager: CryptoMaterialsManager, context: Context) -> None:
        self._manager = manager
        self._context = dict(context)
        self._for_encryption: Any = None
        self._for_decryption: dict[object, Any] = {}

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> Any:
        """Return the call's one data key; the SDK derives each message's own key from it (HKDF, message id)."""
        if self._for_encryption is None:
            # Without the plaintext's length, which the MPL would take as a bound for the other values too.
            unbounded = EncryptionMaterialsRequest(
                encryption_context=request.encryption_context,
                frame_length=request.frame_length,
                algorithm=request.algorithm,
                commitment_policy=request.commitment_policy,
            )
            self._for_encryption = self._manager.get_encryption_materials(unbounded)
        return self._for_encryption

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> Any:
        """Return the data key of a message, asked for where no message before had the same header data.

        Raises:
            DecryptionFailed: the message's context is not the item's: no key is asked for then. Outside of the MPL the
                SDK takes no expected context, and so nobody else compares before a key is used.
        """
        if own_context(request.encryption_context) != self._context:
            raise DecryptionFailed("context-mismatch")
        context = frozenset(request.encryption_context.items())
        question = (request.algorithm, frozenset(request.encrypted_data_keys), context)
        if question not in self._for_decryption:
            self._for_decryption[question] = self._manager.decrypt_materials(request)
        return self._for_decryption[question]
