"""Keys that remember data keys for reading, for a short while: never for writing.

A data key is found again by the exact context that it was asked for under, the identity of its key, and the encrypted
data key with all else of the message's header; so nothing is answered that the key service would not answer. What it
may say by now is seen only once the entry is too old: a key that was disabled, or a right that was taken away, takes
effect late, and CloudTrail has one line for many reads. So nobody gets it who did not ask for it.
"""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from aws_encryption_sdk.materials_managers import DecryptionMaterialsRequest, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager

from item_crypto.errors import ConfigurationError
from item_crypto.keys.data_key import SharedDataKey
from item_crypto.keys.identity import Identity
from item_crypto.keys.kept import Kept
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Context, Keys

MAX_SECONDS: Final = 300.0
"""How long a data key may be remembered at most."""

MAX_ENTRIES: Final = 1_000
"""How many are remembered at most; the one that was used longest ago goes first."""


class CachedKeys:
    """Keys as :class:`item_crypto.keys.protocol.Keys`; may be shared between threads.

    Args:
        keys: the keys.
        seconds: how long a data key may be used after it was asked for: over 0, at most 300.
        entries: how many are remembered.
        clocks: return seconds: one that only goes forward, and one that goes on while a process is frozen.
        meter: told of each data key that was remembered; None where nobody asks.

    Raises:
        ConfigurationError: ``seconds`` or ``entries`` is out of bounds.
    """

    def __init__(
        self,
        keys: Keys,
        seconds: float,
        entries: int = MAX_ENTRIES,
        clocks: tuple[Callable[[], float], ...] = (time.monotonic, time.time),
        meter: KmsMeter | None = None,
    ) -> None:
        if not 0 < seconds <= MAX_SECONDS:
            raise ConfigurationError(f"data keys are remembered for more than 0 and at most {MAX_SECONDS:.0f} seconds")
        if not 1 <= entries <= MAX_ENTRIES:
            raise ConfigurationError(f"1 to {MAX_ENTRIES} data keys are remembered")
        self._keys = keys
        self._remembered = Kept[Any](seconds, entries, clocks, on_kept=(meter or KmsMeter()).spare)

    def for_encryption(self, context: Context) -> Any:
        """Return the keys' own materials manager: what is written gets a data key of its own."""
        return self._keys.for_encryption(context)

    def meanwhile(self, context: Context) -> Any:
        """Return the keys' own materials manager for what cannot wait."""
        return self._keys.meanwhile(context)

    def for_decryption(self, identity: Identity, context: Context) -> SharedDataKey:
        """Return a materials manager of one call that asks for what is not remembered.

        It compares the context before anything is looked for, and looks for each data key once a call, so that what
        is told as remembered is what was asked for by an earlier call.

        Raises:
            KeyNotListed: it is none of the keys.
        """
        manager = self._keys.for_decryption(identity, context)
        return SharedDataKey(_Remembering(manager, (identity, frozenset(context.items())), self._remembered), context)

    def unwrap(self, encrypted_key: bytes, context: Context) -> bytes:
        """Return a bare data key, remembered or asked for; raises as the keys do."""
        question = ("bare", encrypted_key, frozenset(context.items()))
        unwrapped: bytes = self._remembered.get(question, lambda: self._keys.unwrap(encrypted_key, context))
        return unwrapped

    def is_current(self, identity: Identity, context: Context) -> bool:
        """Tell whether a write under ``context`` now would use the key ``identity``."""
        return self._keys.is_current(identity, context)

    def is_known(self, identity: Identity) -> bool:
        """Tell whether messages under ``identity`` can be decrypted at all."""
        return self._keys.is_known(identity)


class _Remembering(CryptoMaterialsManager):  # type: ignore[misc]  # the SDK ships no types
    """A materials manager for decryption, over one that asks the key service."""

    def __init__(self, manager: Any, whose: tuple[Hashable, ...], remembered: Kept[Any]) -> None:
        self._manager = manager
        self._whose = whose
        self._remembered = remembered

    def get_encryption_materials(self, request: EncryptionMaterialsRequest) -> Any:
        """Return what the manager returns: nothing is remembered for writing."""
        return self._manager.get_encryption_materials(request)

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> Any:
        """Return the data key of a message."""
        question = (
            *self._whose,
            request.algorithm,
            frozenset(request.encrypted_data_keys),
            frozenset(request.encryption_context.items()),
        )
        return self._remembered.get(question, lambda: self._manager.decrypt_materials(request))
