"""Reconcile a key: read the item as it is now, plan what is to become of it, apply the change.

Every trigger is only a hint that an item may need work, and calls this one operation. So replays, duplicates,
reordering and retries are harmless, and no trigger has to carry a value.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final, TypeAlias

from item_crypto.cipher import ValueCipher
from item_crypto.core.change import Change, applied, stands_in, whole_item
from item_crypto.core.codec import Item, Value
from item_crypto.core.decide import Action
from item_crypto.core.key import KeyId, distinct, key_id
from item_crypto.core.policy import Policy, Role
from item_crypto.core.stored_form import EncryptedValue, View
from item_crypto.dynamodb.batch import Batch
from item_crypto.dynamodb.table import Table
from item_crypto.errors import ItemCryptoError, OutcomeUnknown, TransientError
from item_crypto.outcome import Outcome, Status, failed, without_write
from item_crypto.pipeline import Pipeline
from item_crypto.plan import Planner

_WORKERS: Final = 16  # Threads wait for KMS and DynamoDB most of the time.
_SENDINGS: Final = 2  # Of one write whose answer was lost: each may wait for a time-out, and a function has 28 s.
_PORTION: Final = 50  # Keys whose items are read at once: 20 MB at most.
_ACCESS_ATTEMPTS: Final = 5  # A reader that lost so many races in a row meets a writer that never pauses.


Check: TypeAlias = Callable[[Callable[[View], Item] | None], None]
"""Looks at an item before it is written, and raises what stops that.

It is given what returns the item in a view, or raises a PermanentError; None where there is no item.
"""


@dataclass(frozen=True)
class Access:
    """An item, as its owner sees it, and what became of the stored one.

    Attributes:
        item: the item in the view that was asked for; None where there is none. Not shown by ``repr``.
        outcome: what became of the stored item on this access.
        decrypted: how many attributes were decrypted.
    """

    item: Item | None = field(repr=False)
    outcome: Outcome
    decrypted: int = 0


class Reconciler:
    """Reconciles keys of one table.

    A policy may change while an item is worked on, and a call to KMS may take long. So ``current`` is asked once an
    item was read, and again right before its write: what was decided under another policy is decided again::

        ask ── decide, decrypt, encrypt (KMS) ── ask ─┬─ the same: conditional write
         ▲                                            └─ another ─┐
         └────────────────────────────────────────────────────────┘

    Args:
        table: the table.
        cipher: encrypts and decrypts.
        now: returns the time, aware.
        current: returns a policy as it is to be acted on now; it may raise TransientError or SystemicError.
        batch: writes many items' changes together, where triggers bring many; each is written alone where None is
            given. The owner's own reads and writes are always written alone.
        reading: decrypts what ``access`` shows, where that may be done by keys that are remembered
            (``keys/cached.py``); ``cipher`` where None is given.
    """

    def __init__(
        self,
        table: Table,
        cipher: ValueCipher,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        current: Callable[[Policy], Policy] = lambda policy: policy,
        batch: Batch | None = None,
        reading: ValueCipher | None = None,
    ) -> None:
        self._table = table
        self._planner = Planner(cipher, now)
        self._reader = Planner(reading or cipher, now)
        self._current = current
        self._batch = batch
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="reconcile")

    def reconcile(
        self,
        keys: Iterable[Item],
        policy: Policy,
        role: Role,
        seconds_left: Callable[[], float] = lambda: float("inf"),
    ) -> dict[KeyId, Outcome]:
        """Reconcile ``keys`` and return the outcome of each, by ``key_id``; a key given twice is done once.

        Never raises for an item: whatever goes wrong with one is its outcome.

        Args:
            keys: item keys.
            policy: what is to be encrypted.
            role: who asks.
            seconds_left: time that remains; keys not begun when it is used up are to be tried again.
        """
        wanted = distinct(keys)
        batch = self._batch if len(wanted) > 1 else None
        pipeline = Pipeline(self._table, batch, self._planner, self._current, policy, role, seconds_left)
        left = iter(wanted.items())
        begun: Iterator[None] = iter(())
        while portion := dict(islice(left, _PORTION)):
            # The next items are read while those before them are worked on; more than two portions are never held.
            found = self._table.read(portion)
            deque(begun, maxlen=0)
            begun = self._pool.map(pipeline.begin, portion, portion.values(), map(found.get, portion))
        deque(begun, maxlen=0)
        pipeline.end()
        return {identity: pipeline.outcomes[identity] for identity in wanted}

    def reconcile_read(
        self,
        items: Iterable[tuple[Item, Item]],
        policy: Policy,
        role: Role,
        seconds_left: Callable[[], float] = lambda: float("inf"),
    ) -> dict[KeyId, Outcome]:
        """Reconcile items that were just read consistently, given as key and item; else as :meth:`reconcile`."""
        pairs = {key_id(key): (key, item) for key, item in items}
        batch = self._batch if len(pairs) > 1 else None
        pipeline = Pipeline(self._table, batch, self._planner, self._current, policy, role, seconds_left)
        deque(self._pool.map(lambda identity: pipeline.begin(identity, *pairs[identity]), pairs), maxlen=0)
        pipeline.end()
        return {identity: pipeline.outcomes[identity] for identity in pairs}

    def access(self, key: Item, policy: Policy, view: View = View.CLEAR) -> Access:
        """Return the item and bring the stored one into the form that the setting asks for.

        A failed write does not keep the owner from reading: the item is returned and the outcome tells. Where
        somebody wrote in between, the key is read again.

        Args:
            key: the item's key.
            policy: what is to be encrypted.
            view: how the item is to be shown. A value stands in the clear also in ``View.ENCRYPTED`` where it is to
                be stored so, or could not be encrypted.

        Raises:
            PermanentError: the item cannot be decrypted.
            TransientError, SystemicError: DynamoDB or KMS did not answer.
        """
        access = Access(None, Outcome(key, Status.NOTHING, "no-such-item"))
        for _ in range(_ACCESS_ATTEMPTS):
            item = self._table.get(key)
            if item is None:
                return Access(None, Outcome(key, Status.NOTHING, "no-such-item"))
            access = self._access(key, item, self._current(policy), view)
            if access.outcome.status is not Status.SUPERSEDED:
                break
        return access

    def _access(self, key: Item, item: Item, policy: Policy, view: View) -> Access:
        decision = self._reader.decide(item, policy, Role.READER)
        if decision.error is not None:
            raise decision.error
        settled = self._reader.settle(key, decision, decision.to_show(view))
        outcome, stored = without_write(key, decision), item
        if decision.action is Action.WRITE:
            try:
                plan = self._planner.change(key, settled)
                is_made = plan.change is None or self._apply(plan.change, policy)
                outcome = plan.outcome_if(is_made)
                if plan.change is not None and is_made:
                    stored = applied(plan.change, item)
            except ItemCryptoError as error:
                outcome = failed(key, error, Role.READER)
        return Access(settled.shown(view, stored), outcome, len(settled.decrypted))

    def put(
        self,
        key: Item,
        policy: Policy,
        values: Mapping[str, Value | EncryptedValue],
        on_creation: Mapping[str, Value],
        check: Check | None = None,
        view: View = View.CLEAR,
    ) -> tuple[Access, bool]:
        """Set attributes of an item as a writer does, configured ones encrypted in the same write.

        Every other attribute stays as it was. Where somebody else writes in between, the item is read again, so that
        neither write is lost.

        Args:
            key: the item's key.
            policy: what is to be encrypted.
            values: the attributes to set, in the clear; or encrypted by somebody else, admitted
                (``item_crypto.admission``) and to be stored as they are.
            on_creation: more attributes to set where the item does not exist yet.
            check: looks at the item before it is written; the write then rests on all that it saw.
            view: how the item is to be shown, as in :meth:`access`.

        Returns:
            The item after the write, and whether it was created.

        Raises:
            ItemTooLarge: the item would exceed 400 KB, in plaintext or encrypted.
            EncryptionOff: a value is given encrypted that is to be stored in the clear, now if not before.
            PermanentError: another attribute of the item cannot be decrypted.
            OutcomeUnknown: the write was sent, and whether it took effect cannot be told.
            TransientError: nothing was written: somebody else kept writing, or a service did not answer.
            SystemicError: a service refuses.
        """
        for _ in range(_ACCESS_ATTEMPTS):
            item = self._table.get(key)
            policy = self._current(policy)
            if check is not None:
                check(self._seen(key, item, policy))
            values_now = dict(values) if item is not None else {**on_creation, **values}
            plan, settled = self._planner.put(key, item, policy, values_now, whole=check is not None)
            outcome = plan.outcome_if(plan.change is None or self._write(plan.change, item, policy))
            if outcome.status is not Status.SUPERSEDED:
                stored = applied(plan.change, item or key) if plan.change is not None else item or key
                return Access(settled.shown(view, stored), outcome, len(settled.decrypted)), item is None
        raise TransientError("dynamodb", "TooManyConflicts")

    def _apply(self, change: Change, policy: Policy) -> bool:
        """Write if the change's guards hold and ``policy`` still does; False asks for a decision on both anew."""
        return self._current(policy) == policy and self._table.apply(change)

    def delete(self, key: Item, policy: Policy, check: Check | None = None, others: Iterable[str] = ()) -> bool:
        """Delete an item; return whether there was one.

        Args:
            key: the item's key.
            policy: what is encrypted.
            check: looks at the item before it is deleted; the deletion then rests on all that it saw.
            others: attributes that writers may add meanwhile: where one was absent, the deletion rests on that too. A
                condition cannot say that an item has no others.

        Raises:
            OutcomeUnknown: the deletion was sent, and whether it took effect cannot be told.
            PermanentError: ``check`` wants to see the item, and it cannot be decrypted.
            TransientError, SystemicError: nothing was deleted.
        """
        if check is None:
            return self._delete(key, None)
        for _ in range(_ACCESS_ATTEMPTS):
            item = self._table.get(key)
            check(self._seen(key, item, policy))
            if item is None:
                return False
            if self._delete(key, whole_item(item, (*policy.attributes, *others))):
                return True
        raise TransientError("dynamodb", "TooManyConflicts")

    def _seen(self, key: Item, item: Item | None, policy: Policy) -> Callable[[View], Item] | None:
        return None if item is None else lambda view: self._planner.view(key, item, policy, view)

    def _write(self, change: Change, before: Item | None, policy: Policy) -> bool:
        """Make ``change`` of ``before``; return False where somebody wrote in between.

        Nothing is ever written over what may have come after a write of ours. Once an answer is lost, only what
        stands there tells::

            our value                      it took effect
            what was read, unchanged       the very same write again: if the first one arrives late, this one fails
            nothing, or anything else      it may have taken effect, and been followed: OutcomeUnknown
        """
        in_doubt: OutcomeUnknown | None = None
        for _ in range(_SENDINGS):
            if self._current(policy) != policy:
                if in_doubt is None:
                    return False
                break
            try:
                if self._table.apply_once(change):
                    return True
                if in_doubt is None:
                    return False
            except OutcomeUnknown as error:
                in_doubt = error
            except ItemCryptoError:
                if in_doubt is None:
                    raise
            stands = self._standing(change.key, in_doubt)
            if stands is not None and stands_in(change, stands):
                return True
            if before is None or stands != before:
                break
        assert in_doubt is not None  # noqa: S101 - the loop returns or raises else
        raise in_doubt

    def _delete(self, key: Item, guards: Mapping[str, Value | None] | None) -> bool:
        try:
            return self._table.delete(key, guards)
        except OutcomeUnknown as error:
            if self._standing(key, error) is None:
                return True
            raise  # It may be the item that was there, and may be a new one.

    def _standing(self, key: Item, in_doubt: OutcomeUnknown) -> Item | None:
        try:
            return self._table.get(key)
        except ItemCryptoError:
            raise in_doubt from None
