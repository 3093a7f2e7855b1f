"""Reconcile a key: read the item as it is now, decide, write conditionally.

Every trigger is only a hint that an item may need work, and calls this one operation. So replays, duplicates,
reordering and retries are harmless, and no trigger has to carry a value.
"""

import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from item_crypto.cipher import ValueCipher
from item_crypto.core.codec import Item, Value
from item_crypto.core.context import encryption_context
from item_crypto.core.decide import (
    Action,
    Decision,
    Policy,
    Role,
    Target,
    check_size,
    conditional_update,
    decide,
    in_the_clear,
    settle,
)
from item_crypto.core.stored_form import Envelope, encrypted_name
from item_crypto.dynamodb.table import KeyId, Table, key_id
from item_crypto.errors import ItemCryptoError, PermanentError, SystemicError, TransientError

_WORKERS: Final = 8  # Threads wait for KMS and DynamoDB most of the time.
_ACCESS_ATTEMPTS: Final = 5  # A reader that lost so many races in a row meets a writer that never pauses.


class Status(Enum):
    """What became of a key."""

    ENCRYPTED = "encrypted"
    DECRYPTED = "decrypted"
    NOTHING = "nothing-to-do"
    SUPERSEDED = "superseded"
    DEFERRED = "deferred"
    FAILED = "failed-for-good"
    RETRY = "failed-for-now"
    SYSTEMIC = "failed-systemically"


@dataclass(frozen=True)
class Outcome:
    """What became of a key, and why.

    Attributes:
        key: the item's key.
        status: what became of it.
        reason: a fixed kebab-case word.
        attributes: the attributes that were written.
        deferred: the attributes left to somebody with more rights.
    """

    key: Item
    status: Status
    reason: str
    attributes: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    """An item in the clear, as its owner sees it, and what became of the stored one.

    Attributes:
        item: the item without ciphertexts and markers; None where there is none. Not shown by ``repr``.
        outcome: what became of the stored item on this access.
        decrypted: how many attributes were decrypted.
    """

    item: Item | None = field(repr=False)
    outcome: Outcome
    decrypted: int = 0


class Reconciler:
    """Reconciles keys of one table.

    Args:
        table: the table.
        cipher: encrypts and decrypts.
        now: returns the time, aware.
    """

    def __init__(
        self, table: Table, cipher: ValueCipher, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._table = table
        self._cipher = cipher
        self._now = now
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="reconcile")

    def reconcile(
        self,
        keys: Iterable[Item],
        policy: Policy,
        role: Role,
        seconds_left: Callable[[], float] = lambda: float("inf"),
    ) -> dict[KeyId, Outcome]:
        """Reconcile ``keys`` and return the outcome of each, by ``table.key_id``; a key given twice is done once.

        Never raises for an item: whatever goes wrong with one is its outcome.

        Args:
            keys: item keys.
            policy: what is to be encrypted.
            role: who asks.
            seconds_left: time that remains; keys not begun when it is used up are to be tried again.
        """
        distinct = {key_id(key): key for key in keys}
        found = self._table.read(distinct.values())
        return self._reconcile_all(distinct, found, policy, role, seconds_left)

    def reconcile_read(self, items: Iterable[tuple[Item, Item]], policy: Policy, role: Role) -> dict[KeyId, Outcome]:
        """Reconcile items that were just read consistently, given as key and item; else as :meth:`reconcile`."""
        pairs = list(items)
        distinct = {key_id(key): key for key, _ in pairs}
        found: dict[KeyId, Item | None | ItemCryptoError] = {key_id(key): item for key, item in pairs}
        return self._reconcile_all(distinct, found, policy, role, lambda: float("inf"))

    def _reconcile_all(
        self,
        distinct: Mapping[KeyId, Item],
        found: Mapping[KeyId, Item | None | ItemCryptoError],
        policy: Policy,
        role: Role,
        seconds_left: Callable[[], float],
    ) -> dict[KeyId, Outcome]:
        out_of_time = threading.Event()

        def work(key: Item, item: Item | None | ItemCryptoError) -> Outcome:
            if out_of_time.is_set() or seconds_left() <= 0:
                out_of_time.set()
                return Outcome(key, Status.RETRY, "out-of-time")
            return self._reconcile(key, item, policy, role)

        outcomes = self._pool.map(work, distinct.values(), (found[identity] for identity in distinct))
        return dict(zip(distinct, outcomes, strict=True))

    def _reconcile(self, key: Item, item: Item | None | ItemCryptoError, policy: Policy, role: Role) -> Outcome:
        try:
            if isinstance(item, ItemCryptoError):
                raise item
            if item is None:
                return Outcome(key, Status.NOTHING, "no-such-item")
            decision = decide(item, policy, role)
            if decision.action is not Action.WRITE:
                return _without_write(key, decision)
            return self._write(key, decision, self._decrypt(key, decision.to_decrypt, policy))
        except ItemCryptoError as error:
            return _failed(key, error)
        except Exception as error:  # noqa: BLE001 - one item's surprise must not hold up the records behind it
            return Outcome(key, Status.FAILED, _surprise(error))

    def _decrypt(self, key: Item, envelopes: Mapping[str, Envelope], policy: Policy) -> dict[str, Value]:
        if not envelopes:
            return {}
        return self._cipher.decrypt(envelopes, encryption_context(key, policy.context_attributes, policy.purpose))

    def _write(self, key: Item, decision: Decision, decrypted: Mapping[str, Value]) -> Outcome:
        policy = decision.policy
        targets = settle(decision, decrypted)
        # Also in plaintext, as far as it is known: what is encrypted, a concatenated list too, must be able to go back.
        check_size(in_the_clear(decision.item, policy, {**decrypted, **_values(targets, policy)}))
        update = self._update(key, decision.item, policy, targets)
        written = self._table.update(key, update)
        if not written:
            return Outcome(key, Status.SUPERSEDED, "newer-write")
        if decision.deferred:
            return Outcome(key, Status.DEFERRED, decision.reason, decision.changed, decision.deferred)
        status = Status.ENCRYPTED if policy.enabled else Status.DECRYPTED
        return Outcome(key, status, decision.reason, decision.changed)

    def _update(
        self, key: Item, item: Item, policy: Policy, targets: Mapping[str, Target], **also: Any
    ) -> dict[str, Any]:
        values = {name: target.value for name, target in targets.items() if target.encrypted}
        context = encryption_context(key, policy.context_attributes, policy.purpose)
        ciphertexts = self._cipher.encrypt(values, context) if values else {}
        return conditional_update(item, policy.attributes, targets, ciphertexts, self._now(), **also)

    def access(self, key: Item, policy: Policy, role: Role = Role.READER) -> Access:
        """Return the item in the clear and bring the stored one into the form that the setting asks for.

        A failed write does not keep the owner from reading: the item is returned and the outcome tells. Where
        somebody wrote in between, the key is read again.

        Raises:
            PermanentError: the item cannot be decrypted.
            TransientError, SystemicError: DynamoDB or KMS did not answer.
        """
        access = Access(None, Outcome(key, Status.NOTHING, "no-such-item"))
        for _ in range(_ACCESS_ATTEMPTS):
            item = self._table.get(key)
            if item is None:
                return Access(None, Outcome(key, Status.NOTHING, "no-such-item"))
            access = self._access(key, item, policy, role)
            if access.outcome.status is not Status.SUPERSEDED:
                break
        return access

    def _access(self, key: Item, item: Item, policy: Policy, role: Role) -> Access:
        decision = decide(item, policy, role)
        if decision.error is not None:
            raise decision.error
        decrypted = self._decrypt(key, decision.to_view, policy)
        targets = settle(decision, decrypted)
        view = in_the_clear(item, policy, {**decrypted, **_values(targets, policy)})
        if decision.action is not Action.WRITE:
            return Access(view, _without_write(key, decision), len(decrypted))
        try:
            outcome = self._write(key, decision, decrypted)
        except ItemCryptoError as error:
            outcome = _failed(key, error)
        return Access(view, outcome, len(decrypted))

    def put(
        self,
        key: Item,
        policy: Policy,
        values: Mapping[str, Value],
        on_creation: Mapping[str, Value],
    ) -> tuple[Access, bool]:
        """Set attributes of an item as a writer does, configured ones encrypted in the same write.

        Every other attribute stays as it was. Where somebody else writes in between, the item is read again, so that
        neither write is lost.

        Args:
            key: the item's key.
            policy: what is to be encrypted.
            values: the attributes to set, in the clear.
            on_creation: more attributes to set where the item does not exist yet.

        Returns:
            The item in the clear after the write, and whether it was created.

        Raises:
            ItemTooLarge: the item would exceed 400 KB, in plaintext or encrypted.
            PermanentError: another attribute of the item cannot be decrypted.
            TransientError: somebody else kept writing, or a service did not answer.
            SystemicError: a service refuses.
        """
        for _ in range(_ACCESS_ATTEMPTS):
            item = self._table.get(key)
            set_now = dict(values) if item is not None else {**on_creation, **values}
            access = self._put(key, item, policy, set_now)
            if access is not None:
                return access, item is None
        raise TransientError("dynamodb", "TooManyConflicts")

    def _put(self, key: Item, item: Item | None, policy: Policy, values: Mapping[str, Value]) -> Access | None:
        given = {name: value for name, value in values.items() if name in policy.attributes}
        others = {name: value for name, value in values.items() if name not in given}
        base = dict(item or key)
        # The item as it is to be, before encryption: the given values stand alone, whatever was there.
        overlay = {n: v for n, v in base.items() if n not in map(encrypted_name, given)} | dict(values)
        decision = decide(overlay, policy, Role.READER)
        if decision.error is not None:
            raise decision.error
        decrypted = self._decrypt(key, decision.to_view, policy)
        targets = {name: Target(value, encrypted=False) for name, value in given.items()}
        targets |= settle(decision, decrypted)
        view = in_the_clear(overlay, policy, {**decrypted, **_values(targets, policy)})
        check_size(view)  # Also in plaintext: what is encrypted must be able to go back.
        update = self._update(
            key, base, policy, targets, also_set=others, must_exist=(next(iter(key)), item is not None)
        )
        if not self._table.update(key, update):
            return None
        status = Status.ENCRYPTED if policy.enabled and targets else Status.NOTHING
        return Access(view, Outcome(key, status, "put", tuple(targets)), len(decrypted))


def _values(targets: Mapping[str, Target], policy: Policy) -> dict[str, Value]:
    return {name: target.value for name, target in targets.items() if name in policy.attributes}


def _without_write(key: Item, decision: Decision) -> Outcome:
    if decision.error is not None:
        return _failed(key, decision.error)
    status = Status.DEFERRED if decision.action is Action.DEFER else Status.NOTHING
    return Outcome(key, status, decision.reason, (), decision.deferred)


def _surprise(error: Exception) -> str:
    """Return what an unexpected error was and where it arose; its text is left out, since it may quote a value."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected-{type(error).__name__}-at-{PurePath(frame.filename).name}:{frame.lineno}"


def _failed(key: Item, error: ItemCryptoError) -> Outcome:
    if isinstance(error, PermanentError):
        return Outcome(key, Status.FAILED, error.reason)
    if isinstance(error, TransientError):
        return Outcome(key, Status.RETRY, f"{error.service}-{error.code}")
    assert isinstance(error, SystemicError)  # noqa: S101 - the three classes are all there are
    return Outcome(key, Status.SYSTEMIC, f"{error.service}-{error.code}")
