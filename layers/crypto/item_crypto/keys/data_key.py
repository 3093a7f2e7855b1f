"""One data key for the values of one item in one call."""

from typing import Any

from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.mpl.cmm import CryptoMaterialsManagerFromMPL


class SharedDataKey(CryptoMaterialsManagerFromMPL):  # type: ignore[misc]  # the SDK ships no types
    """A materials manager that asks for each data key once.

    To be made anew for each call, with one encryption context. The SDK's own caching manager does not serve: over an
    MPL keyring it cannot sign (it takes the MPL's signing keys for another encoding), and it refuses an expected
    encryption context.

    Args:
        manager: this thread's materials manager.
    """

    def __init__(self, manager: CryptoMaterialsManagerFromMPL) -> None:
        super().__init__(manager.mpl_cmm)
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
            self._for_encryption = super().get_encryption_materials(unbounded)
        return self._for_encryption

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> Any:
        """Return the data key of a message, asked for where no message before had the same header data."""
        context = frozenset(request.encryption_context.items())
        question = (request.algorithm, frozenset(request.encrypted_data_keys), context)
        if question not in self._for_decryption:
            self._for_decryption[question] = super().decrypt_materials(request)
        return self._for_decryption[question]
