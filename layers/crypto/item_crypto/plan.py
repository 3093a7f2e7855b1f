"""From an item as read to the change that brings it into its form: decide, decrypt, settle, encrypt. Writes nothing.

::

    item ─▶ decide ─▶ Decision ─▶ decrypt, settle ─▶ Settled ─▶ encrypt ─▶ Plan: a Change, and its outcome
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from item_crypto.cipher import ValueCipher
from item_crypto.core.change import Change, change, put, without
from item_crypto.core.codec import Item, Value
from item_crypto.core.context import encryption_context
from item_crypto.core.decide import Action, Decision
from item_crypto.core.decide import decide as decide_stored
from item_crypto.core.encoding import Encoding
from item_crypto.core.policy import Policy, Role
from item_crypto.core.settle import settle
from item_crypto.core.stored_form import (
    EncryptedValue,
    Envelope,
    StoredItem,
    Target,
    View,
    check_size,
    encrypted_name,
    in_the_clear,
)
from item_crypto.errors import ContextUnusable, EncryptionOff, KeyDestroyed, KeyUnusable, PermanentError, TenantShredded
from item_crypto.forms import open_ciphertexts
from item_crypto.keys.identity import Identity
from item_crypto.keys.protocol import Keys
from item_crypto.outcome import Outcome, Status, failed, without_write, written


def decide(item: Item, policy: Policy, role: Role, keys: Keys) -> Decision:
    """Return what ``role`` is to do with ``item`` under ``policy``, where new data keys come from ``keys``.

    Total: what cannot be handled is a Decision with the action FAIL, never an exception. Asks no service.
    """
    envelopes, unknown = open_ciphertexts(item, policy.attributes)
    outdated = frozenset[str]()
    if envelopes:
        try:
            context = encryption_context(item, policy.context_attributes, policy.purpose)
        except ContextUnusable:
            context = {}  # Which key is current for it is then moot: whoever decrypts or writes the item says so.
        outdated = frozenset(
            name
            for name, envelope in envelopes.items()
            if envelope.key is not None and not keys.is_current(Identity(envelope.key), context)
        )
    return decide_stored(StoredItem(item, envelopes, unknown, outdated), policy, role)


@dataclass(frozen=True)
class Settled:
    """An item that was decided on, and what its attributes are to become.

    Attributes:
        decision: what is to be done with it.
        decrypted: the values that were decrypted, by attribute.
        targets: what each changed attribute is to become.
    """

    decision: Decision
    decrypted: Mapping[str, Value] = field(repr=False)
    targets: Mapping[str, Target] = field(repr=False)

    @property
    def view(self) -> dict[str, Value]:
        """The item in the clear, as far as it was decrypted."""
        newest = {name: target.value for name, target in self.targets.items()}
        return in_the_clear(self.decision.item, self.decision.policy.attributes, {**self.decrypted, **newest})

    def shown(self, view: View, stored: Item) -> dict[str, Value]:
        """The item in ``view``, where ``stored`` is how it is stored by now.

        A ciphertext stands for its value where that is to be stored so, and a client can read it.
        """
        if view is View.CLEAR:
            return self.view
        policy = self.decision.policy
        envelopes, _ = open_ciphertexts(stored, policy.attributes)
        encrypted = [
            name
            for name, envelope in envelopes.items()
            if name in policy.encrypted and name not in stored and envelope.is_for_clients
        ]
        clear = {name: value for name, value in self.view.items() if name not in encrypted}
        # As text, however they are stored: a client need not know, and the session's tag stays the same.
        return clear | {encrypted_name(name): Encoding.BASE64.stored(envelopes[name].body) for name in encrypted}


@dataclass(frozen=True)
class Plan:
    """What is to become of a key.

    Attributes:
        outcome: what becomes of it once ``change`` is made, or at once where there is none.
        change: the write; None where the item is left as it is.
        is_followed: whether a newer write in its way leads to the same end by its own trigger.
    """

    outcome: Outcome
    change: Change | None = None
    is_followed: bool = True

    def outcome_if(self, is_made: bool) -> Outcome:
        """Return what became of the key, given whether its change was made; if not, somebody wrote in between."""
        if is_made:
            return self.outcome
        return Outcome(self.outcome.key, Status.SUPERSEDED, "newer-write", unfollowed=not self.is_followed)


class Planner:
    """Plans changes.

    Every method raises PermanentError where an item cannot be handled, and TransientError or SystemicError where KMS
    does not answer or refuses.

    Args:
        cipher: encrypts and decrypts.
        now: returns the time, aware.
    """

    def __init__(self, cipher: ValueCipher, now: Callable[[], datetime]) -> None:
        self._cipher = cipher
        self._now = now

    def plan(self, key: Item, item: Item, policy: Policy, role: Role) -> Plan:
        """Return what is to become of ``item``; nothing is decrypted that the change does not need.

        Where something of it cannot be decrypted, whoever may decrypt does at least what somebody who may not would
        do: what is in plaintext is encrypted, and the outcome is a failure all the same.
        """
        decision = self.decide(item, policy, role)
        if decision.action is not Action.WRITE:
            return Plan(without_write(key, decision))
        try:
            return self.change(key, self.settle(key, decision, decision.to_decrypt))
        except (PermanentError, KeyUnusable) as error:
            if isinstance(error, KeyDestroyed) and any(name in item for name in decision.policy.encrypted):
                raise TenantShredded from error  # What is gone is no failure; what is left in plaintext is one.
            if role is Role.ENCRYPTOR:
                raise
            return self.in_part(key, item, policy, error)

    def in_part(self, key: Item, item: Item, policy: Policy, error: PermanentError | KeyUnusable) -> Plan:
        """Return what somebody who may not decrypt would change, in the place of a plan that failed by ``error``.

        Its outcome is that failure all the same. Raises ``error`` where nothing is to be changed so, or cannot be.
        """
        decision = self.decide(item, policy, Role.ENCRYPTOR)
        if decision.action is not Action.WRITE:
            raise error
        try:
            plan = self.change(key, self.settle(key, decision, {}))
        except PermanentError:
            raise error from None  # Nor does a part of it.
        # What cannot be decrypted is nobody else's to tell: the trigger of a newer write does not look at it.
        outcome = replace(failed(key, error, Role.MIGRATOR), attributes=decision.changed)
        return replace(plan, outcome=outcome, is_followed=False)

    def decide(self, item: Item, policy: Policy, role: Role) -> Decision:
        """Return what is to be done with ``item``."""
        return decide(item, policy, role, self._cipher.keys)

    def settle(self, key: Item, decision: Decision, envelopes: Mapping[str, Envelope]) -> Settled:
        """Decrypt ``envelopes``, and return what the item's attributes are to become."""
        decrypted = self._cipher.decrypt(envelopes, self._context(key, decision.policy)) if envelopes else {}
        return Settled(decision, decrypted, settle(decision, decrypted))

    def change(self, key: Item, settled: Settled) -> Plan:
        """Encrypt what is to be encrypted, and return the change that was decided on."""
        # Also in plaintext, as far as it is known: what is encrypted, a concatenated list too, must be able to go back.
        check_size(settled.view)
        decision = settled.decision
        policy = decision.policy
        ciphertexts = self._encrypted(key, settled.targets, policy)
        kept = {name: policy.encoding.stored(envelope.body) for name, envelope in decision.reencoded.items()}
        made = change(
            key, decision.item, policy.attributes, settled.targets, ciphertexts | kept, self._now(), policy.earlier
        )
        return Plan(written(key, decision), made, decision.is_followed)

    def view(self, key: Item, item: Item, policy: Policy, view: View) -> dict[str, Value]:
        """Return ``item`` in ``view``, as its owner sees it."""
        decision = self.decide(item, policy, Role.READER)
        if decision.error is not None:
            raise decision.error
        return self.settle(key, decision, decision.to_show(view)).shown(view, item)

    def put(
        self,
        key: Item,
        item: Item | None,
        policy: Policy,
        values: Mapping[str, Value | EncryptedValue],
        whole: bool = False,
        removed: Collection[str] = (),
    ) -> tuple[Plan, Settled]:
        """Return the change of a writer who sets ``values``, configured ones encrypted in the same write.

        Also the item as it is to be then. What is left out stays as it was, in the form that it should have, if not in
        the encoding: another writer could make the very same of it, and a lost answer is told by what only we made.
        Raises EncryptionOff where a ciphertext is given for an attribute that ``policy`` does not encrypt.

        Args:
            key: the item's key.
            item: the item as it was read, None for one to be created.
            policy: what is to be encrypted.
            values: the attributes to set, in the clear; or encrypted already, and to be stored as they are.
            whole: whether the write rests on every attribute that was read, and not only on the configured ones.
            removed: configured attributes to remove, in whatever form they are stored.
        """
        policy = policy.for_item(key)
        values, messages = _taken_apart(values)
        for name in messages.keys() - policy.encrypted:
            raise EncryptionOff(name)
        given = {name: value for name, value in values.items() if name in policy.attributes}
        replaced = {*map(encrypted_name, given)}
        # The item as it is to be, before encryption: the given values stand alone, whatever was there.
        base = without(item or key, removed)
        overlay = {name: value for name, value in base.items() if name not in replaced} | dict(values)
        decision = self.decide(overlay, policy, Role.READER)
        if decision.error is not None:
            raise decision.error
        settled = self.settle(key, decision, decision.to_view)
        targets = {name: Target(value, encrypted=False) for name, value in given.items()} | dict(settled.targets)
        targets |= {name: replace(targets[name], message=message) for name, message in messages.items()}
        settled = replace(settled, targets=targets)
        check_size(settled.view)  # Also in plaintext: what is encrypted must be able to go back.
        others = {name: value for name, value in values.items() if name not in given}
        stored = self._encrypted(key, targets, policy)
        status = Status.ENCRYPTED if any(target.encrypted for target in targets.values()) else Status.NOTHING
        written_item = put(
            key, item, policy.attributes, targets, stored, others, self._now(), policy.earlier, whole, removed
        )
        return Plan(Outcome(key, status, "put", tuple(targets)), written_item), settled

    def _encrypted(self, key: Item, targets: Mapping[str, Target], policy: Policy) -> dict[str, Value]:
        # The context is made even where nothing is encrypted: an item without a usable one is not written.
        given = {name: target.message for name, target in targets.items() if target.message is not None}
        values = {name: target.value for name, target in targets.items() if target.encrypted and name not in given}
        # What is encrypted as it is can wait for its key; whatever is in plaintext, or was just given, cannot.
        can_wait = all(targets[name].renewed for name in values)
        messages = self._cipher.messages(values, self._context(key, policy), can_wait) | given
        return {name: policy.encoding.stored(message) for name, message in messages.items()}

    @staticmethod
    def _context(key: Item, policy: Policy) -> dict[str, str]:
        return encryption_context(key, policy.context_attributes, policy.purpose)


def _taken_apart(values: Mapping[str, Value | EncryptedValue]) -> tuple[dict[str, Value], dict[str, bytes]]:
    """Return the values in the clear, and the messages of those that are given encrypted."""
    given = {name: value for name, value in values.items() if isinstance(value, EncryptedValue)}
    clear = {name: value.value if isinstance(value, EncryptedValue) else value for name, value in values.items()}
    return clear, {name: value.message for name, value in given.items()}
