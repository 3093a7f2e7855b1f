"""What state an item is in: what a ``verify`` sweep counts. Pure, and from the message headers alone."""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final

from item_crypto.core.codec import Item
from item_crypto.core.decide import Policy
from item_crypto.core.stored_form import Envelope, Form, conflict_name, encrypted_name, open_envelope
from item_crypto.errors import UnknownForm

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


def standing(item: Item, policy: Policy, key_arns: Collection[str]) -> tuple[Standing, Mapping[str, Envelope]]:
    """Return the state of ``item`` and its ciphertexts, by the name of the attribute that each was read from.

    Mixed is an item with both plaintext and ciphertext. An old-form ciphertext counts as such even beside plaintext.
    An item is undecryptable where one of its ciphertexts is, for its form or for a key that is none of ``key_arns``;
    the others still need their keys.
    """
    envelopes: dict[str, Envelope] = {}
    is_readable = True
    for name in (*policy.attributes, *map(conflict_name, policy.attributes)):
        if encrypted_name(name) in item:
            try:
                envelopes[name] = open_envelope(item[encrypted_name(name)])
            except UnknownForm:
                is_readable = False
            else:
                is_readable = is_readable and envelopes[name].key_arn in (None, *key_arns)
    if not is_readable:
        return Standing.UNDECRYPTABLE, envelopes
    has_plaintext = any(name in item for name in policy.attributes)
    if any(envelope.form is Form.LISA for envelope in envelopes.values()):
        return Standing.OLD_FORM, envelopes
    if has_plaintext:
        return (Standing.MIXED if envelopes else Standing.PLAINTEXT), envelopes
    return (Standing.ENCRYPTED if envelopes else Standing.NONE), envelopes


def has_conflict(envelopes: Mapping[str, Envelope], policy: Policy) -> bool:
    """Tell whether an item keeps a conflicting value."""
    return any(conflict_name(name) in envelopes for name in policy.attributes)


def keys_needed(envelopes: Mapping[str, Envelope], key_arns: Collection[str]) -> Counter[str]:
    """Return the KMS keys that an item needs, by ARN, each once; those that are none of ``key_arns`` as one."""
    named = {envelope.key_arn or UNKNOWN_KEY for envelope in envelopes.values()}
    return Counter({name if name in (*key_arns, UNKNOWN_KEY) else UNLISTED_KEY for name in named})
