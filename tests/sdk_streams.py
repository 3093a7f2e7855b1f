"""The AWS Encryption SDK's decryption, without what its streams leave behind."""

from typing import Any


def decrypted(client: Any, **arguments: Any) -> tuple[bytes, Any]:
    """Return what ``EncryptionSDKClient.decrypt`` does: the plaintext and the header."""
    stream = client.stream(mode="d", **arguments)
    try:
        return bytes(stream.read()), stream.header
    finally:
        # As in item_crypto.forms.current: where it was given up, the finalizer would complain of an unread footer.
        vars(stream).setdefault("footer", None)
