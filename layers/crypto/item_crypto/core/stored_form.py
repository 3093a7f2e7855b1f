"""The stored form: what an item looks like stored and in the clear.

::

    { "sessionId": …, "userId": …,               the key and all else: as the writer left it
      "encrypted_history": <message>,            one ciphertext for each encrypted attribute, as base64 text or
      "encrypted_configuration": <message>,      binary (item_crypto.core.encoding)
      "encryption_version": "1.0",               ┐
      "is_encrypted": true,                      │ markers, gone when the item is back in plaintext
      "encrypted_at": "2026-01-02T08:30:00Z" }   ┘ the time of the item's oldest data key

What a ciphertext looks like is the matter of ``item_crypto.forms``. docs/format.md has the whole specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from item_crypto.core.codec import MAX_ITEM_SIZE, Item, Value, item_size
from item_crypto.core.encoding import Encoding
from item_crypto.errors import ConfigurationError, ConflictUnresolved, ItemTooLarge, UnknownForm

ENCRYPTED_PREFIX: Final = "encrypted_"
CONFLICT_SUFFIX: Final = "_conflict"
ENCRYPTION_VERSION: Final = "encryption_version"
IS_ENCRYPTED: Final = "is_encrypted"
ENCRYPTED_AT: Final = "encrypted_at"
MARKERS: Final = (ENCRYPTION_VERSION, IS_ENCRYPTED, ENCRYPTED_AT)
VERSION: Final = "1.0"


def encrypted_name(attribute: str) -> str:
    """Return the name of the attribute that holds the ciphertext of ``attribute``."""
    return ENCRYPTED_PREFIX + attribute


def conflict_name(attribute: str) -> str:
    """Return the name under which a conflicting value of ``attribute`` is encrypted."""
    return attribute + CONFLICT_SUFFIX


def is_taken(attribute: str) -> bool:
    """Tell whether ``attribute`` cannot be encrypted by its name: it, or its ciphertext's, is the stored form's own.

    The ciphertext of ``at`` would stand where the marker ``encrypted_at`` does, which is written over it.
    """
    has_own_name = attribute in MARKERS or attribute.startswith(ENCRYPTED_PREFIX) or attribute.endswith(CONFLICT_SUFFIX)
    return has_own_name or encrypted_name(attribute) in MARKERS


# What is read


@dataclass(frozen=True)
class Form:
    """A form that a ciphertext can have, as far as decisions depend on it.

    Attributes:
        name: what the form is called.
        is_current: whether items are written in it.
        leaves_plaintext: whether its writers left the plaintext attribute where it was, so that plaintext beside a
            ciphertext is not the newer one for certain.
    """

    name: str
    is_current: bool
    leaves_plaintext: bool


@dataclass(frozen=True)
class Envelope:
    """What a ciphertext tells before it is decrypted. None of it is authenticated yet.

    Attributes:
        form: which form it has.
        body: what is to be decrypted. Not shown by ``repr``.
        encrypted_key: the encrypted data key.
        key: which key the ciphertext needs (``keys.identity``); None where its form does not tell.
        context: the context that it carries, without members of the SDK's own; empty where its form carries none.
        signed: whether it is signed, or its context has members of the SDK's own, as that of a signed one has.
        under_branch_key: whether it needs a branch key, of which no client is given a data key.
        encoding: how it is stored.
    """

    form: Form
    body: bytes = field(repr=False)
    encrypted_key: bytes = field(repr=False)
    key: str | None
    context: Mapping[str, str] = field(repr=False)
    signed: bool = False
    under_branch_key: bool = False
    encoding: Encoding = Encoding.BASE64

    @property
    def is_for_clients(self) -> bool:
        """Whether a client that decrypts by itself can read it: one that reads the current form, unsigned."""
        return self.form.is_current and not self.signed and not self.under_branch_key


@dataclass(frozen=True)
class EncryptedValue:
    """A value and the message that somebody else made of it, whose bytes are to be stored as they are.

    Attributes:
        value: the value. Not shown by ``repr``.
        message: the message that holds it. Not shown by ``repr``.
    """

    value: Value = field(repr=False)
    message: bytes = field(repr=False)


@dataclass(frozen=True)
class StoredItem:
    """An item as it is stored, its ciphertexts opened.

    Attributes:
        item: the item. Not shown by ``repr``.
        envelopes: its ciphertexts, by the attribute that each is of; a kept conflict's by ``conflict_name``.
        unknown: why the others could not be opened.
        outdated: names of those that are under another key than the one a write now would use.
    """

    item: Item = field(repr=False)
    envelopes: Mapping[str, Envelope] = field(repr=False)
    unknown: Mapping[str, UnknownForm]
    outdated: frozenset[str]


# What is written


@dataclass(frozen=True)
class Target:
    """The value that an attribute is to have.

    Attributes:
        value: the value. Not shown by ``repr``.
        encrypted: whether it is to be stored encrypted.
        renewed: whether it is the value that stands there already, to be stored under a new data key.
        message: what it is to be stored as, where that is given; None where it is to be made. Not shown by ``repr``.
    """

    value: Value = field(repr=False)
    encrypted: bool
    renewed: bool = False
    message: bytes | None = field(default=None, repr=False)


def stored_form(
    item: Item,
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    ciphertexts: Mapping[str, Value],
    now: datetime,
    earlier: frozenset[str] = frozenset(),
) -> dict[str, Value]:
    """Return ``item`` with ``targets`` in their places and its markers as they have to be.

    Args:
        item: the item as it is; empty for one that does not exist.
        attributes: the configured attributes, and the earlier ones.
        targets: what each attribute is to become; a conflict to be kept by ``conflict_name``.
        ciphertexts: what stands in ``encrypted_X``: for each target to be stored encrypted; and for others, the message
            that stands there already, in another encoding. Its data key is no younger for that.
        now: the time of the data key, aware.
        earlier: those among ``attributes`` that are no longer to be encrypted.

    Raises:
        ConflictUnresolved: a conflict is to be kept where an earlier one still stands.
        ConfigurationError: a ciphertext would have the name of a marker.
    """
    result = dict(item)
    for name, target in targets.items():
        stored, other = name, ENCRYPTED_PREFIX + name
        if target.encrypted:
            stored, other = other, stored
            if stored in MARKERS:
                raise ConfigurationError(f"the ciphertext of {name} would be written over by a marker")
        if name not in attributes and stored in item and not target.renewed:
            raise ConflictUnresolved("an earlier conflict of the attribute still stands")
        result[stored] = ciphertexts[name] if target.encrypted else target.value
        result.pop(other, None)
    result |= {ENCRYPTED_PREFIX + name: value for name, value in ciphertexts.items() if name not in targets}
    _mark(result, attributes, targets, now, earlier)
    return result


def _mark(
    result: dict[str, Value],
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    now: datetime,
    earlier: frozenset[str],
) -> None:
    # An earlier attribute's ciphertext keeps the markers like any: they go when nothing is encrypted any more.
    encrypted = [name for name in attributes if ENCRYPTED_PREFIX + name in result]
    if not encrypted:
        for marker in MARKERS:
            result.pop(marker, None)
        return
    result[ENCRYPTION_VERSION] = {"S": VERSION}
    result[IS_ENCRYPTED] = {"BOOL": not any(name in result for name in attributes if name not in earlier)}
    if all(name in targets for name in encrypted):
        result[ENCRYPTED_AT] = {"S": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    # Else an older data key is still in use, and encrypted_at tells the age of the oldest one.


def check_size(item: Item) -> None:
    """Check that DynamoDB can hold ``item``.

    Raises:
        ItemTooLarge: it is over 400 KB.
    """
    size = item_size(item)
    if size > MAX_ITEM_SIZE:
        raise ItemTooLarge(f"the item would have {size} bytes", size)


# What is seen


class View(Enum):
    """How an item is shown: in the clear, or as whoever decrypts by themselves takes it."""

    CLEAR = "clear"
    ENCRYPTED = "encrypted"


def in_the_clear(item: Item, attributes: tuple[str, ...], values: Mapping[str, Value]) -> dict[str, Value]:
    """Return ``item`` with ``values`` in the place of ciphertexts and markers: equal to what its writer wrote."""
    hidden = {*MARKERS}
    for name in attributes:
        hidden |= {ENCRYPTED_PREFIX + name, ENCRYPTED_PREFIX + name + CONFLICT_SUFFIX}
    return {name: value for name, value in item.items() if name not in hidden} | {
        name: values[name] for name in attributes if name in values
    }
