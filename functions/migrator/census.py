"""What state an item is in: what a ``verify`` sweep counts. Pure, and from the message headers alone."""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Final

from item_crypto.core.codec import Item
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import Envelope, conflict_name
from item_crypto.forms import open_ciphertexts
from item_crypto.keys.identity import Identity
from item_crypto.keys.protocol import Keys

UNKNOWN_KEY: Final = "unknown (old form)"
"""Stands for the key of an old-form value, which does not name it."""


class Standing(Enum):
    """What state an item is in."""

    NONE = "none"
    PLAINTEXT = "plaintext"
    MIXED = "mixed"
    ENCRYPTED = "encrypted"
    OLD_FORM = "oldForm"
    UNDECRYPTABLE = "undecryptable"


CONFLICTS: Final = "conflicts"
"""Counted beside an item's standing: it keeps a value that lost against a newer one."""


UNLISTED_KEY: Final = "not listed"
"""Stands for every key that is neither current nor listed as earlier: a header may name any, and counts are bounded."""


def standing(item: Item, policy: Policy, keys: Keys) -> tuple[Standing, Mapping[str, Envelope]]:
    """Return the state of ``item`` and its ciphertexts, by the name of the attribute that each was read from.

    Mixed is an item with both plaintext and ciphertext. An old-form ciphertext counts as such even beside plaintext.
    An item is undecryptable where one of its ciphertexts is, for its form or for a key that is none of ``keys``;
    the others still need their keys.
    """
    envelopes, unknown = open_ciphertexts(item, policy.attributes)
    if unknown or not all(_is_known(envelope, keys) for envelope in envelopes.values()):
        return Standing.UNDECRYPTABLE, envelopes
    if not all(envelope.form.is_current for envelope in envelopes.values()):
        return Standing.OLD_FORM, envelopes
    if any(name in item for name in policy.attributes):
        return (Standing.MIXED if envelopes else Standing.PLAINTEXT), envelopes
    return (Standing.ENCRYPTED if envelopes else Standing.NONE), envelopes


def has_conflict(envelopes: Mapping[str, Envelope], policy: Policy) -> bool:
    """Tell whether an item keeps a conflicting value."""
    return any(conflict_name(name) in envelopes for name in policy.attributes)


def keys_needed(envelopes: Mapping[str, Envelope], keys: Keys) -> Counter[str]:
    """Return the keys that an item needs, each once; those that are none of ``keys`` as one."""
    return Counter(
        {
            UNKNOWN_KEY if envelope.key is None else envelope.key if _is_known(envelope, keys) else UNLISTED_KEY
            for envelope in envelopes.values()
        }
    )


def _is_known(envelope: Envelope, keys: Keys) -> bool:
    return envelope.key is None or keys.is_known(Identity(envelope.key))
