"""The keys as one decryption of an item's values sees them: what was asked for once is not asked for again."""

from typing import Any

from item_crypto.errors import KeyNotListed
from item_crypto.keys.identity import Identity
from item_crypto.keys.protocol import Context, Keys


class OneCall:
    """Keys for the values of one item in one call.

    Args:
        keys: the keys.
        context: the item's encryption context.
    """

    def __init__(self, keys: Keys, context: Context) -> None:
        self._keys = keys
        self._context = context
        self._managers: dict[Identity, Any] = {}

    def manager(self, key: str | None) -> Any:
        """Return the call's materials manager for messages that need ``key``.

        Raises:
            KeyNotListed: it is none of the keys.
        """
        if key is None:
            raise KeyNotListed
        identity = Identity(key)
        if identity not in self._managers:
            self._managers[identity] = self._keys.for_decryption(identity, self._context)
        return self._managers[identity]

    def unwrap(self, encrypted_key: bytes) -> bytes:
        """Return a bare data key, of a form that does not tell which key it needs."""
        return self._keys.unwrap(encrypted_key, self._context)
