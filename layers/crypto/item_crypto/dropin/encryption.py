"""How the items of one table are encrypted: an item stored and in the clear, and the record of each use."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import getpid
from typing import Final, TypeVar

from item_crypto.cipher import ValueCipher
from item_crypto.core.change import Change
from item_crypto.core.codec import Item, Value, check_new_value
from item_crypto.core.key import key_of
from item_crypto.core.policy import Policy, Role
from item_crypto.core.stored_form import encrypted_name, is_taken
from item_crypto.dropin.protected import Protected
from item_crypto.dropin.use import DONE, OnAccess, Use, key_digest
from item_crypto.errors import CallRefused, ConfigurationError, ContextUnusable, ItemCryptoError, TransientError
from item_crypto.forms import open_ciphertexts
from item_crypto.keys.cached import CachedKeys
from item_crypto.plan import Planner

_Result = TypeVar("_Result")
_WORKERS: Final = 8  # Threads wait for KMS most of the time.
_DECISIONS: Final = 5  # A setting that changes faster than an item is encrypted is waited for by the caller.


@dataclass(frozen=True)
class Opened:
    """An item in the clear, or why there is none; and the record of it.

    Attributes:
        item: the item in the clear. Not shown by ``repr``.
        use: the record; None where no configured attribute was concerned.
        error: why the item cannot be decrypted.
    """

    item: dict[str, Value] = field(repr=False)
    use: Use | None
    error: ItemCryptoError | None = None


@dataclass(frozen=True)
class Written:
    """A write, ready to be sent.

    Attributes:
        change: what it changes, and what it rests on.
        clear: the item in the clear once it is made, as far as it is known. Not shown by ``repr``.
        use: the record of it.
    """

    change: Change = field(repr=False)
    clear: Mapping[str, Value] = field(repr=False)
    use: Use


class Encryption:
    """How the items of one table are encrypted; may be shared between threads.

    Args:
        cipher: encrypts and decrypts values.
        policy: which attributes, and the encryption context. Its ``enabled`` is the constant that holds where no
            ``current`` is given: there is no default.
        current: returns ``policy`` as it is to be acted on now, such as ``ControlTable(…).current``; what it raises
            reaches the caller, and nothing is written.
        on_access: told of each use of an item.
        cache_seconds: how long a data key is remembered for reading, up to 300. With 0 none is: a key that was
            disabled is then refused at once, and CloudTrail has a line for every item that was read.
        now: returns the time, aware.

    Raises:
        ConfigurationError: ``cache_seconds`` is out of bounds; or an attribute of ``policy`` is part of the key, or
            its name is one of the stored form.
    """

    def __init__(
        self,
        cipher: ValueCipher,
        policy: Policy,
        current: Callable[[Policy], Policy] = lambda policy: policy,
        on_access: OnAccess | None = None,
        cache_seconds: float = 0.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        for name in policy.attributes:
            if is_taken(name):
                raise ConfigurationError(f"{name} is a name of the stored form")
            if name in policy.context_attributes:
                raise ConfigurationError(f"{name} is part of the encryption context")
        self.policy = policy
        self.protected = Protected(policy)
        # What an item looks like in the clear does not depend on the setting.
        self._reading = replace(policy, enabled=True, part=None)
        self._current = current
        self._on_access = on_access
        self._writer = Planner(cipher, now)
        reading = ValueCipher(CachedKeys(cipher.keys, cache_seconds)) if cache_seconds else cipher
        self._reader = Planner(reading, now)
        self._pool_of: tuple[int, ThreadPoolExecutor | None] = (getpid(), None)

    def current(self) -> Policy:
        """Return the policy as it is to be acted on now.

        Raises:
            TransientError, SystemicError: the setting cannot be read; it is never taken for "off".
        """
        return self._current(self.policy)

    def decided(self, work: Callable[[Policy], _Result]) -> _Result:
        """Return what ``work`` makes under the policy, which is still the one to be acted on once it is made.

        ``work`` asks KMS, which may take long; nothing is to be written by a setting that was changed meanwhile.

        Raises:
            TransientError: the setting changes faster.
        """
        policy = self.current()
        for _ in range(_DECISIONS):
            result = work(policy)
            before, policy = policy, self.current()
            if policy == before:
                return result
        raise TransientError("setting", "KeepsChanging")

    # Reading

    def clear(self, operation: str, table: str, items: Sequence[Item]) -> list[dict[str, Value]]:
        """Return items in the clear, in whatever form each is stored, and tell of each use.

        Items may be parts of items: what is not there is not missed.

        Raises:
            PermanentError: one cannot be decrypted.
            TransientError, SystemicError: KMS did not answer, or refuses.
        """

        def open_one(item: Item) -> Opened:
            return self._opened(operation, table, item)

        opened = list(self._pool.map(open_one, items) if len(items) > 1 else map(open_one, items))
        for one in opened:
            self.tell(one.use)
        for one in opened:
            if one.error is not None:
                raise one.error
        return [one.item for one in opened]

    def clear_one(self, operation: str, table: str, item: Item) -> dict[str, Value]:
        """Return one item in the clear, as :meth:`clear` does."""
        return self.clear(operation, table, [item])[0]

    def _opened(self, operation: str, table: str, item: Item) -> Opened:
        decision = self._reader.decide(item, self._reading, Role.READER)
        keys = tuple(sorted({envelope.key for envelope in decision.to_view.values() if envelope.key is not None}))
        try:
            if decision.error is not None:
                raise decision.error
            settled = self._reader.settle(item, decision, decision.to_view)
        except ItemCryptoError as error:
            names = tuple(decision.to_view)
            return Opened({}, self._use(operation, table, item, names, (), keys, error.reason), error)
        decrypted = tuple(settled.decrypted)
        is_concerned = decrypted or any(name in item for name in self.policy.attributes)
        use = self._use(operation, table, item, decrypted, (), keys) if is_concerned else None
        return Opened(settled.view, use)

    # Writing

    def put(self, operation: str, table: str, item: Item, policy: Policy) -> Written:
        """Return the write of a whole item, whatever was there before.

        Raises:
            CallRefused: it has attributes of the stored form.
            ItemTooLarge: it would exceed 400 KB, in plaintext or encrypted.
            PermanentError: it cannot be stored.
            TransientError, SystemicError: KMS did not answer, or refuses.
        """
        self.check(operation, item)
        key = self.key(item)
        values = {name: value for name, value in item.items() if name not in key}
        return self._written(operation, table, key, None, policy, values)

    def put_all(self, operation: str, table: str, items: Sequence[Item | None]) -> list[Written | None]:
        """Return the writes of whole items, each under a data key of its own; None for None.

        Raises: as for :meth:`put`.
        """

        def put_one(item: Item | None, policy: Policy) -> Written | None:
            return None if item is None else self.put(operation, table, item, policy)

        return self.decided(lambda policy: list(self._pool.map(lambda item: put_one(item, policy), items)))

    def update(
        self,
        operation: str,
        table: str,
        key: Item,
        item: Item | None,
        policy: Policy,
        values: Mapping[str, Value],
        removed: Collection[str],
    ) -> Written:
        """Return the write of somebody who sets configured attributes of an item and removes others.

        Raises: as for :meth:`put`.
        """
        self.check(operation, values)
        return self._written(operation, table, key, item, policy, values, removed)

    def _written(
        self,
        operation: str,
        table: str,
        key: Item,
        item: Item | None,
        policy: Policy,
        values: Mapping[str, Value],
        removed: Collection[str] = (),
    ) -> Written:
        try:
            plan, settled = self._writer.put(key, item, policy, values, removed=removed)
        except ItemCryptoError as error:
            self.tell(self._use(operation, table, key, (), (), (), error.reason))
            raise
        assert plan.change is not None  # noqa: S101 - a put always is a change
        encrypted = tuple(name for name in settled.targets if encrypted_name(name) in plan.change.sets)
        decrypted = settled.decision.to_view
        envelopes, _ = open_ciphertexts(plan.change.sets, tuple(encrypted))
        keys = {envelope.key for envelope in (*decrypted.values(), *envelopes.values()) if envelope.key is not None}
        use = self._use(operation, table, key, tuple(decrypted), encrypted, tuple(sorted(keys)))
        return Written(plan.change, settled.view, use)

    def check(self, operation: str, values: Item) -> None:
        """Check what a caller wants to store.

        Raises:
            CallRefused: it has attributes of the stored form.
            UnsupportedValue: a value is none that DynamoDB can hold.
        """
        for name in values:
            if name in self.protected.hidden:
                raise CallRefused(operation, f"{name} belongs to the stored form; leave it out")
        for value in values.values():
            check_new_value(value)

    def key(self, item: Item) -> dict[str, Value]:
        """Return the key of ``item``.

        Raises:
            ContextUnusable: a part of it is missing.
        """
        for name in self.protected.keys:
            if name not in item:
                raise ContextUnusable("a context attribute is missing", name)
        return key_of(item, self.protected.keys)

    # Telling

    def tell(self, use: Use | None) -> None:
        """Tell the hook of a use, if there are both."""
        if use is not None and self._on_access is not None:
            self._on_access(use)

    def _use(
        self,
        operation: str,
        table: str,
        item: Item,
        decrypted: tuple[str, ...],
        encrypted: tuple[str, ...],
        keys: tuple[str, ...],
        outcome: str = DONE,
    ) -> Use:
        names = tuple(sorted(self.protected.keys))
        digest = key_digest(item, names) if self._on_access is not None else ""
        return Use(operation, table, names, digest, decrypted, encrypted, keys, outcome)

    @property
    def _pool(self) -> ThreadPoolExecutor:
        # Threads stay behind when a process forks, as servers do: a pool without them would be waited for without end.
        process, pool = self._pool_of
        if pool is None or process != getpid():
            pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="item-crypto")
            self._pool_of = getpid(), pool
        return pool
