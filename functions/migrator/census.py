"""What a ``verify`` sweep counts: items by their state, attributes by where they are, values. Pure.

All of it is told by the message headers alone; whether a value can be decrypted is found out elsewhere.
"""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Final

from item_crypto.core.codec import Item
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import CONFLICT_SUFFIX, ENCRYPTED_PREFIX, Envelope, conflict_name, encrypted_name
from item_crypto.errors import UnknownForm
from item_crypto.forms import open_ciphertexts, open_envelope
from item_crypto.keys.identity import Identity
from item_crypto.keys.protocol import Keys
from migrator.counts import ATTRIBUTE, ENCODING, LONGEST_STRAY, MOST_STRAYS, OTHER_NAMES, STRAY, Place

UNKNOWN_KEY: Final = "unknown (old form)"
"""Stands for the key of an old-form value, which does not name it."""


BRANCH_KEYS: Final = "branch keys"
"""Stands for every branch key: there is one a tenant, and counts are bounded."""


class Standing(Enum):
    """What state an item is in."""

    NONE = "none"
    PLAINTEXT = "plaintext"
    MIXED = "mixed"
    ENCRYPTED = "encrypted"
    OLD_FORM = "oldForm"
    UNDECRYPTABLE = "undecryptable"
    SHREDDED = "shredded"


CONFLICTS: Final = "conflicts"
"""Counted beside an item's standing: it keeps a value that lost against a newer one."""

UNLISTED_KEY: Final = "not listed"
"""Stands for every key that is neither current nor listed as earlier: a header may name any, and counts are bounded."""


def standing(item: Item, policy: Policy, keys: Keys) -> tuple[Standing, Mapping[str, Envelope]]:
    """Return the state of ``item`` and its ciphertexts, by the name of the attribute that each was read from.

    Mixed is an item with both plaintext and ciphertext; an earlier attribute may be in plaintext. An old-form
    ciphertext counts as such even beside plaintext.
    An item is undecryptable where one of its ciphertexts is, for its form or for a key that is none of ``keys``;
    the others still need their keys. That one's key was destroyed on purpose is only found out by decrypting.
    """
    envelopes, unknown = open_ciphertexts(item, policy.attributes)
    if unknown or not all(_is_known(envelope, keys) for envelope in envelopes.values()):
        return Standing.UNDECRYPTABLE, envelopes
    if not all(envelope.form.is_current for envelope in envelopes.values()):
        return Standing.OLD_FORM, envelopes
    if any(name in item for name in policy.attributes if name not in policy.earlier):
        return (Standing.MIXED if envelopes else Standing.PLAINTEXT), envelopes
    return (Standing.ENCRYPTED if envelopes else Standing.NONE), envelopes


def places(item: Item, policy: Policy) -> Counter[str]:
    """Return where each attribute is, earlier ones too; plaintext beside a ciphertext counts as plaintext."""
    counts: Counter[str] = Counter()
    for name in policy.attributes:
        place = Place.ABSENT
        if name in item:
            place = Place.PLAINTEXT
        elif encrypted_name(name) in item:
            place = Place.ENCRYPTED
        counts[f"{ATTRIBUTE}{place.value}.{name}"] += 1
    return counts


def strays(item: Item, policy: Policy, counted: Mapping[str, int]) -> Counter[str]:
    """Return the ciphertexts of ``item`` that no listed attribute is behind.

    Nobody reads these, decrypts them back or counts them otherwise. What only has such a name, and is no ciphertext,
    is an attribute like any.

    Args:
        item: the item.
        policy: which attributes are listed.
        counted: what was counted before: names past the first 20 are counted as one.
    """
    counts: Counter[str] = Counter()
    known = {name for name in counted if name.startswith(STRAY)}
    for stored in item:
        if not stored.startswith(ENCRYPTED_PREFIX):
            continue
        if stored.removeprefix(ENCRYPTED_PREFIX).removesuffix(CONFLICT_SUFFIX) in policy.attributes:
            continue
        try:
            open_envelope(item[stored])
        except UnknownForm:
            continue
        name = STRAY + stored
        if name not in known and (len(known) >= MOST_STRAYS or len(stored) > LONGEST_STRAY):
            name = STRAY + OTHER_NAMES
        known.add(name)
        counts[name] = 1
    return counts


def has_conflict(envelopes: Mapping[str, Envelope], policy: Policy) -> bool:
    """Tell whether an item keeps a conflicting value."""
    return any(conflict_name(name) in envelopes for name in policy.attributes)


def encodings(envelopes: Mapping[str, Envelope]) -> Counter[str]:
    """Return how many ciphertexts of an item are stored in which encoding."""
    return Counter(ENCODING + envelope.encoding.value for envelope in envelopes.values())


def keys_needed(envelopes: Mapping[str, Envelope], keys: Keys) -> Counter[str]:
    """Return the keys that an item needs, each once; branch keys as one, and those that are none of ``keys``."""
    return Counter({_counted_as(envelope, keys) for envelope in envelopes.values()})


def _counted_as(envelope: Envelope, keys: Keys) -> str:
    if envelope.key is None:
        return UNKNOWN_KEY
    if not _is_known(envelope, keys):
        return UNLISTED_KEY
    return BRANCH_KEYS if envelope.under_branch_key else envelope.key


def _is_known(envelope: Envelope, keys: Keys) -> bool:
    return envelope.key is None or keys.is_known(Identity(envelope.key))
