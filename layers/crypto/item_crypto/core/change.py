"""A write as a value: what is to be set and removed, and what it rests on. Knows nothing of DynamoDB's expressions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from item_crypto.core.codec import Item, Value, is_same
from item_crypto.core.stored_form import ENCRYPTED_PREFIX, IS_ENCRYPTED, Target, check_size, encrypted_name, stored_form


@dataclass(frozen=True)
class Change:
    """One conditional write of one item.

    Attributes:
        key: the item's key.
        guards: what has to be so when the write takes place: the value of each attribute as it was read, None for
            one that was absent. A guard on a key attribute tells whether there must be an item.
        sets: attributes to set.
        removes: attributes to remove.
    """

    key: Item
    guards: Mapping[str, Value | None] = field(repr=False)
    sets: Mapping[str, Value] = field(repr=False)
    removes: tuple[str, ...]


def change(
    key: Item,
    item: Item,
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    ciphertexts: Mapping[str, Value],
    now: datetime,
    earlier: frozenset[str] = frozenset(),
) -> Change:
    """Return the one write that turns ``item`` into what ``targets`` say.

    It is guarded by every configured ``X``, every ``encrypted_X`` and ``is_encrypted``, as they were read. So whoever
    writes in between makes it fail, and nothing of theirs is lost::

        we       read history=A ───────────────────────── write if history=A, encrypted_history absent, …
        writer                    put history=B                └─ fails: B stays, and B's own trigger follows
        LISA                      set encrypted_history=C      └─ fails likewise, though history is still A
        owner                     delete                       └─ fails: the item is not re-created

    Args:
        key: the item's key.
        item: the item as it was read.
        attributes: the configured attributes, and the earlier ones.
        targets: what each attribute is to become.
        ciphertexts: what is to stand in ``encrypted_X``, as for :func:`stored_form`.
        now: the time of the data key, aware.
        earlier: those among ``attributes`` that are no longer to be encrypted.

    Raises:
        ConflictUnresolved: a conflict is to be kept where an earlier one still stands.
        ItemTooLarge: the item would be larger than DynamoDB allows.
        ValueError: nothing would guard the write.
    """
    guards = _guards(item, attributes, {*targets, *ciphertexts})
    if all(value is None for value in guards.values()):
        raise ValueError("an item without any of the configured attributes is never written")
    result = stored_form(item, attributes, targets, ciphertexts, now, earlier)
    check_size(result)
    sets = {name: value for name, value in result.items() if item.get(name) != value}
    return Change(key, guards, sets, tuple(name for name in item if name not in result))


def put(
    key: Item,
    item: Item | None,
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    ciphertexts: Mapping[str, Value],
    others: Mapping[str, Value],
    now: datetime,
    earlier: frozenset[str] = frozenset(),
    whole: bool = False,
    removed: Collection[str] = (),
) -> Change:
    """Return the one write of somebody who sets attributes; arguments as for :func:`change`.

    It is guarded by the item's being there, or not, as well, and by what stood in the place of each attribute that it
    sets: were it sent twice, and the first one arrived late, it would put back what was there before others wrote.

    Args:
        item: the item as it was read; None where there was none, which the write creates.
        others: attributes to set that are not configured ones.
        whole: whether it is guarded by every attribute that was read, and by the absence of every one that is set.
        removed: configured attributes to remove, in whatever form they are stored.

    Raises:
        ConflictUnresolved, ItemTooLarge: as for :func:`change`.
    """
    base = dict(item or key)
    name = next(iter(key))
    exists: dict[str, Value | None] = {name: None if item is None else key[name]}
    kept = without(base, removed)
    result = stored_form(kept, attributes, targets, ciphertexts, now, earlier) | dict(others)
    check_size(result)
    # What a writer gave is set even if it is the same: DynamoDB takes no empty expression.
    sets = {name: value for name, value in result.items() if base.get(name) != value or name in others}
    removes = tuple(name for name in base if name not in result)
    guards = _guards(base, attributes, {*targets, *ciphertexts}) | {name: base.get(name) for name in others} | exists
    if whole and item is not None:
        guards = whole_item(item, (*attributes, *others)) | guards
    return Change(key, guards, sets, removes)


def without(item: Item, removed: Collection[str]) -> dict[str, Value]:
    """Return ``item`` without the attributes ``removed``, in plaintext and encrypted."""
    gone = {*removed, *map(encrypted_name, removed)}
    return {name: value for name, value in item.items() if name not in gone}


def whole_item(item: Item, attributes: Iterable[str]) -> dict[str, Value | None]:
    """Return guards that hold while ``item`` is as it was read: what it has, and ``attributes`` that it lacks."""
    absent = (name for attribute in attributes for name in (attribute, encrypted_name(attribute)))
    return {**dict.fromkeys(absent), **item}


def applied(change: Change, item: Item) -> dict[str, Value]:
    """Return ``item``, as it was read, once ``change`` is made; its key alone stands for one that was absent."""
    return {name: value for name, value in item.items() if name not in change.removes} | dict(change.sets)


def stands_in(change: Change, item: Item) -> bool:
    """Tell whether ``item`` has all that ``change`` set, and nothing that it removed."""
    return all(is_same(item.get(name), value) for name, value in change.sets.items()) and not any(
        name in item for name in change.removes
    )


def guards_hold(change: Change, item: Item) -> bool:
    """Tell whether ``item`` is as ``change`` rests on: DynamoDB would make it."""
    return all(is_same(item.get(name), value) for name, value in change.guards.items())


def _guards(item: Item, attributes: tuple[str, ...], changed: Collection[str]) -> dict[str, Value | None]:
    kept_conflicts = [encrypted_name(name) for name in sorted(changed) if name not in attributes]
    return {
        name: item.get(name)
        for name in (*attributes, *(ENCRYPTED_PREFIX + name for name in attributes), IS_ENCRYPTED, *kept_conflicts)
    }
