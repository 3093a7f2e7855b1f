"""What is to be done with an item: the table of decisions, as pure functions.

The plaintext attribute is what tells that there is work, never a marker: an unchanged writer knows nothing of markers
and leaves a stale one behind. docs/architecture.md has the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import Final

from item_crypto.core.codec import Item
from item_crypto.core.policy import Policy, Role
from item_crypto.core.stored_form import ENCRYPTED_AT, Envelope, StoredItem, View, conflict_name
from item_crypto.errors import ContextUnusable, PermanentError


class Step(Enum):
    """What is to be done with one attribute."""

    KEEP = "keep"
    ENCRYPT = "encrypt"
    REENCRYPT = "re-encrypt"
    REENCODE = "re-encode"
    DECRYPT = "decrypt"
    DROP = "drop"
    MERGE = "merge"
    RESOLVE = "resolve"
    DEFER = "defer"


class Action(Enum):
    """What is to be done with the item."""

    NOTHING = "nothing"
    WRITE = "write"
    DEFER = "defer"
    FAIL = "fail"


_NEEDS_DECRYPTION: Final = frozenset({Step.REENCRYPT, Step.DECRYPT, Step.MERGE, Step.RESOLVE})


@dataclass(frozen=True)
class Decision:
    """What to do with an item, and why.

    Attributes:
        action: WRITE where at least one attribute changes, even if another is deferred.
        reason: a fixed kebab-case word; for WRITE, the step that gave rise to it; where something is deferred or
            fails, why.
        steps: what to do with each configured attribute that the item has.
        envelopes: the opened ciphertext of each configured attribute that has one.
        item: the item that was decided on. Not shown by ``repr``.
        policy: the policy that was decided by, as it is for this item.
        error: for FAIL, the error that says why.
    """

    action: Action
    reason: str
    steps: Mapping[str, Step]
    envelopes: Mapping[str, Envelope] = field(repr=False)
    item: Item = field(repr=False)
    policy: Policy
    error: PermanentError | None = None

    @cached_property
    def deferred(self) -> tuple[str, ...]:
        """The attributes that somebody with more rights has to deal with."""
        return tuple(name for name, step in self.steps.items() if step is Step.DEFER)

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The attributes that the write changes."""
        return tuple(name for name, step in self.steps.items() if step not in (Step.KEEP, Step.DEFER))

    @cached_property
    def reencoded(self) -> Mapping[str, Envelope]:
        """The ciphertexts that stay, to be stored in the other encoding."""
        return {name: self.envelopes[name] for name, step in self.steps.items() if step is Step.REENCODE}

    @property
    def is_followed(self) -> bool:
        """Whether a newer write that is in the way leads to what is to be done here, by its own trigger.

        That trigger is the encryptor's. It decrypts nothing back, knows no age, leaves the encoding as it is and looks
        at no kept conflict, and at no attribute that is no longer to be encrypted.
        """
        policy = self.policy
        return (
            policy.enabled
            and policy.renew_before is None
            and not self.reencoded
            and all(name in policy.attributes and name not in policy.earlier for name in self.changed)
        )

    @property
    def to_decrypt(self) -> Mapping[str, Envelope]:
        """The ciphertexts whose values :func:`settle` needs."""
        return {name: self.envelopes[name] for name, step in self.steps.items() if step in _NEEDS_DECRYPTION}

    @property
    def to_view(self) -> Mapping[str, Envelope]:
        """The ciphertexts whose values :func:`settle` or a reader of the item needs."""
        only_encrypted = {name: e for name, e in self.envelopes.items() if name not in self.item}
        return {**only_encrypted, **self.to_decrypt}

    def to_show(self, view: View) -> Mapping[str, Envelope]:
        """The ciphertexts whose values are needed to show the item in ``view`` and, where it is written, to do that.

        A write that encrypts needs all of them: it must be able to go back, so the size in the clear is looked at.
        """
        if view is View.CLEAR or not self.reencoded.keys() >= {*self.changed}:
            return self.to_view
        return {name: envelope for name, envelope in self.to_view.items() if not envelope.is_for_clients}


def decide(stored: StoredItem, policy: Policy, role: Role) -> Decision:
    """Return what ``role`` is to do with an item under ``policy``.

    Pure and total: what cannot be handled is a Decision with the action FAIL, never an exception.
    """
    item = stored.item
    try:
        policy = policy if policy.part is None else policy.for_item(item)
    except ContextUnusable as unusable:
        return Decision(Action.FAIL, unusable.reason, {}, {}, item, policy, unusable)
    for name in policy.attributes:
        if (error := stored.unknown.get(name)) is not None:
            return Decision(Action.FAIL, error.reason, {}, {}, item, policy, error)

    envelopes = {name: stored.envelopes[name] for name in policy.attributes if name in stored.envelopes}
    steps: dict[str, Step] = {}
    reasons: dict[str, str] = {}
    encrypted = policy.encrypted
    for name in policy.attributes:
        if name in item or name in envelopes:
            steps[name], reasons[name] = _step(name, stored, policy, role, name in encrypted)

    if role is Role.MIGRATOR and policy.enabled:
        for name in map(conflict_name, policy.attributes):
            kept = stored.envelopes.get(name)
            if kept is None:
                continue
            if name in stored.outdated or not kept.form.is_current or Step.REENCRYPT in steps.values():
                # Else a key could never be retired: a conflict that nobody looked at would go on needing it.
                steps[name], reasons[name], envelopes[name] = Step.REENCRYPT, "kept-conflict", kept
            elif kept.encoding is not policy.encoding:
                steps[name], reasons[name], envelopes[name] = Step.REENCODE, "other-encoding", kept

    in_doubt = [name for name, envelope in envelopes.items() if name in item and envelope.form.leaves_plaintext]
    if role is Role.ENCRYPTOR and in_doubt:
        # Which of the two is newer is told by is_encrypted, which any write of ours would overwrite: so none.
        return Decision(Action.DEFER, reasons[in_doubt[0]], dict.fromkeys(steps, Step.DEFER), envelopes, item, policy)
    return _decision(steps, reasons, envelopes, item, policy)


def _decision(
    steps: Mapping[str, Step],
    reasons: Mapping[str, str],
    envelopes: Mapping[str, Envelope],
    item: Item,
    policy: Policy,
) -> Decision:
    deferred = [name for name, step in steps.items() if step is Step.DEFER]
    changed = [name for name, step in steps.items() if step not in (Step.KEEP, Step.DEFER)]
    action = Action.WRITE if changed else Action.DEFER if deferred else Action.NOTHING
    names = deferred or changed
    return Decision(action, reasons[names[0]] if names else "as-it-should-be", steps, envelopes, item, policy)


def _step(name: str, stored: StoredItem, policy: Policy, role: Role, encrypts: bool) -> tuple[Step, str]:
    may_decrypt = role is not Role.ENCRYPTOR
    envelope = stored.envelopes.get(name)
    if envelope is None:
        return (Step.ENCRYPT, "plaintext") if encrypts else (Step.KEEP, _not_encrypted(policy))
    if name not in stored.item:
        return _step_of_encrypted(name, envelope, stored, policy, role, encrypts)
    if envelope.form.leaves_plaintext:
        return (Step.RESOLVE if may_decrypt else Step.DEFER), "old-form-with-plaintext"
    if name in policy.appended:
        return (Step.MERGE if may_decrypt else Step.DEFER), "appended"
    return (Step.ENCRYPT if encrypts else Step.DROP), "newer-plaintext"


def _step_of_encrypted(
    name: str, envelope: Envelope, stored: StoredItem, policy: Policy, role: Role, encrypts: bool
) -> tuple[Step, str]:
    if not encrypts:
        # With encryption off, a sweep is asked for it in so many words; an earlier attribute's being one asks for it.
        asked = policy.decrypt_all or policy.enabled
        decrypts_back = role is Role.READER or (role is Role.MIGRATOR and asked)
        return (Step.DECRYPT if decrypts_back else Step.KEEP), _not_encrypted(policy)
    if not envelope.form.is_current:
        reason = "old-form"
    elif name in stored.outdated:
        reason = "earlier-key"
    elif policy.renew_before is not None and _is_older(stored.item, policy.renew_before):
        reason = "aged"
    elif envelope.encoding is not policy.encoding and role is not Role.ENCRYPTOR:
        return Step.REENCODE, "other-encoding"
    else:
        return Step.KEEP, "encrypted"
    return (Step.DEFER if role is Role.ENCRYPTOR else Step.REENCRYPT), reason


def _not_encrypted(policy: Policy) -> str:
    if policy.enabled:
        return "earlier-attribute"
    return "encryption-off" if policy.part is None else "outside-the-part"


def _is_older(item: Item, moment: datetime) -> bool:
    try:
        at = datetime.fromisoformat(item[ENCRYPTED_AT]["S"])
    except (KeyError, TypeError, ValueError):
        return True
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) < moment
