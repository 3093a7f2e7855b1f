"""What to do with an item: pure functions from an item as read to the exact conditional write.

Three steps, of which only the cipher's part between them does any I/O::

    decide(item, policy, role)            → Decision: what to do with each attribute, and why
        (decrypt what the decision needs)
    settle(decision, decrypted)           → the value and place that each attribute is to have
        (encrypt what is to be stored encrypted)
    conditional_update(item, …)           → the arguments of one UpdateItem

The plaintext attribute is what tells that there is work, never a marker: an unchanged writer knows nothing of markers
and leaves a stale one behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from item_crypto.core.codec import MAX_ITEM_SIZE, Item, Value, item_size
from item_crypto.core.stored_form import (
    ENCRYPTED_AT,
    ENCRYPTION_VERSION,
    IS_ENCRYPTED,
    MARKERS,
    VERSION,
    Envelope,
    Form,
    conflict_name,
    encrypted_name,
    open_envelope,
)
from item_crypto.errors import (
    ConflictUnresolved,
    ItemTooLarge,
    MarkerUnusable,
    PermanentError,
    UnknownForm,
    UnsupportedValue,
)


class Role(Enum):
    """Who asks. The stream's function may encrypt only; it holds no right to decrypt."""

    ENCRYPTOR = "stream_encryptor"
    READER = "reader"
    MIGRATOR = "migrator"


@dataclass(frozen=True)
class Policy:
    """What is to be encrypted, and how things stand.

    Attributes:
        attributes: names of the attributes to encrypt.
        appended: those among them that are lists whose writers append to them with
            ``list_append(if_not_exists(…))``, so that plaintext beside ciphertext is its continuation.
        context_attributes: names of the key attributes that make the encryption context.
        purpose: the encryption context's ``purpose``.
        key_arn: ARN of the KMS key that new data keys come from.
        enabled: whether encryption is on.
        renew_before: items with an older ``encrypted_at``, or none, are to be re-encrypted; None asks for none.
        decrypt_all: whether the migrator is to decrypt items that are only encrypted (a ``decrypt`` sweep).
    """

    attributes: tuple[str, ...]
    appended: frozenset[str]
    context_attributes: tuple[str, ...]
    purpose: str
    key_arn: str
    enabled: bool
    renew_before: datetime | None = None
    decrypt_all: bool = False


class Step(Enum):
    """What is to be done with one attribute."""

    KEEP = "keep"
    ENCRYPT = "encrypt"
    REENCRYPT = "re-encrypt"
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
        policy: the policy that was decided by.
        error: for FAIL, the error that says why.
    """

    action: Action
    reason: str
    steps: Mapping[str, Step]
    envelopes: Mapping[str, Envelope] = field(repr=False)
    item: Item = field(repr=False)
    policy: Policy
    error: PermanentError | None = None

    @property
    def deferred(self) -> tuple[str, ...]:
        """The attributes that somebody with more rights has to deal with."""
        return tuple(name for name, step in self.steps.items() if step is Step.DEFER)

    @property
    def changed(self) -> tuple[str, ...]:
        """The attributes that the write changes."""
        return tuple(name for name, step in self.steps.items() if step not in (Step.KEEP, Step.DEFER))

    @property
    def to_decrypt(self) -> Mapping[str, Envelope]:
        """The ciphertexts whose values :func:`settle` needs."""
        return {name: self.envelopes[name] for name, step in self.steps.items() if step in _NEEDS_DECRYPTION}

    @property
    def to_view(self) -> Mapping[str, Envelope]:
        """The ciphertexts whose values :func:`settle` or a reader of the item needs."""
        only_encrypted = {name: e for name, e in self.envelopes.items() if name not in self.item}
        return {**only_encrypted, **self.to_decrypt}


def decide(item: Item, policy: Policy, role: Role) -> Decision:
    """Return what ``role`` is to do with ``item`` under ``policy``.

    Pure and total: what cannot be handled is a Decision with the action FAIL, never an exception.
    """
    envelopes: dict[str, Envelope] = {}
    for name in policy.attributes:
        if encrypted_name(name) in item:
            try:
                envelopes[name] = open_envelope(item[encrypted_name(name)])
            except UnknownForm as error:
                return Decision(Action.FAIL, error.reason, {}, {}, item, policy, error)

    reasons: dict[str, str] = {}
    steps: dict[str, Step] = {}
    for name in policy.attributes:
        if name in item or name in envelopes:
            steps[name], reasons[name] = _step(name, item, envelopes.get(name), policy, role)

    if role is Role.MIGRATOR and policy.enabled:
        for name in map(conflict_name, policy.attributes):
            envelope = _kept_conflict(item, name)
            if envelope is not None and (
                envelope.key_arn != policy.key_arn or envelope.form is Form.LISA or Step.REENCRYPT in steps.values()
            ):
                # Else a key could never be retired: a conflict that nobody looked at would go on needing it.
                steps[name], reasons[name], envelopes[name] = Step.REENCRYPT, "kept-conflict", envelope

    if role is Role.ENCRYPTOR and "old-form-with-plaintext" in reasons.values():
        # Which of the two is newer is told by is_encrypted, which any write of ours would overwrite: so none.
        steps = dict.fromkeys(steps, Step.DEFER)
        return Decision(Action.DEFER, "old-form-with-plaintext", steps, envelopes, item, policy)

    def decision(action: Action, names: list[str]) -> Decision:
        reason = reasons[names[0]] if names else "as-it-should-be"
        return Decision(action, reason, steps, envelopes, item, policy)

    deferred = [name for name, step in steps.items() if step is Step.DEFER]
    changed = [name for name, step in steps.items() if step not in (Step.KEEP, Step.DEFER)]
    if changed:
        return decision(Action.WRITE, deferred or changed)
    return decision(Action.DEFER if deferred else Action.NOTHING, deferred)


def _step(name: str, item: Item, envelope: Envelope | None, policy: Policy, role: Role) -> tuple[Step, str]:
    may_decrypt = role is not Role.ENCRYPTOR
    if envelope is None:
        return (Step.ENCRYPT, "plaintext") if policy.enabled else (Step.KEEP, "encryption-off")
    if name not in item:
        return _step_of_encrypted(item, envelope, policy, role)
    if envelope.form is Form.LISA:
        return (Step.RESOLVE if may_decrypt else Step.DEFER), "old-form-with-plaintext"
    if name in policy.appended:
        return (Step.MERGE if may_decrypt else Step.DEFER), "appended"
    return (Step.ENCRYPT if policy.enabled else Step.DROP), "newer-plaintext"


def _step_of_encrypted(item: Item, envelope: Envelope, policy: Policy, role: Role) -> tuple[Step, str]:
    may_decrypt = role is not Role.ENCRYPTOR
    if not policy.enabled:
        decrypts_back = role is Role.READER or (role is Role.MIGRATOR and policy.decrypt_all)
        return (Step.DECRYPT, "encryption-off") if decrypts_back else (Step.KEEP, "encryption-off")
    if envelope.form is Form.LISA:
        reason = "old-form"
    elif envelope.key_arn != policy.key_arn:
        reason = "earlier-key"
    elif policy.renew_before is not None and _is_older(item, policy.renew_before):
        reason = "aged"
    else:
        return Step.KEEP, "encrypted"
    return (Step.REENCRYPT if may_decrypt else Step.DEFER), reason


def _kept_conflict(item: Item, name: str) -> Envelope | None:
    """Return the conflict kept under ``name``, or None where there is none or it is unreadable, as ``verify`` tells."""
    try:
        return open_envelope(item[encrypted_name(name)]) if encrypted_name(name) in item else None
    except UnknownForm:
        return None


def _is_older(item: Item, moment: datetime) -> bool:
    try:
        at = datetime.fromisoformat(item[ENCRYPTED_AT]["S"])
    except (KeyError, TypeError, ValueError):
        return True
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) < moment


@dataclass(frozen=True)
class Target:
    """The value that an attribute is to have.

    Attributes:
        value: the value. Not shown by ``repr``.
        encrypted: whether it is to be stored encrypted.
        renewed: whether it is the value that stands there already, to be stored under a new data key.
    """

    value: Value = field(repr=False)
    encrypted: bool
    renewed: bool = False


def settle(decision: Decision, decrypted: Mapping[str, Value]) -> dict[str, Target]:
    """Return what each changed attribute is to become, by name; a kept conflict under ``conflict_name``.

    Args:
        decision: a Decision with the action WRITE.
        decrypted: the values of ``decision.to_decrypt``; more do no harm.

    Raises:
        MarkerUnusable: two values differ and ``is_encrypted`` does not tell which is the newer one.
        UnsupportedValue: a value to be concatenated is no list.
    """
    item, enabled = decision.item, decision.policy.enabled
    targets: dict[str, Target] = {}
    lost: dict[str, Target] = {}
    for name in decision.changed:
        match decision.steps[name]:
            case Step.ENCRYPT:
                targets[name] = Target(item[name], encrypted=True)
            case Step.REENCRYPT:
                targets[name] = Target(decrypted[name], encrypted=True, renewed=True)
            case Step.DECRYPT:
                targets[name] = Target(decrypted[name], encrypted=False)
            case Step.DROP:
                targets[name] = Target(item[name], encrypted=False)
            case Step.MERGE:
                targets[name] = Target(_concatenated(decrypted[name], item[name]), encrypted=enabled)
            case Step.RESOLVE:
                winner, loser = _resolved(item, item[name], decrypted[name])
                targets[name] = Target(winner, encrypted=enabled)
                if loser is not None:
                    lost[conflict_name(name)] = Target(loser, encrypted=True)
    return targets | lost  # A new conflict over a renewed one is refused where it would be written.


def _concatenated(earlier: Value, appended: Value) -> Value:
    if "L" not in earlier or "L" not in appended:
        raise UnsupportedValue("an appended attribute is not a list")
    return {"L": [*earlier["L"], *appended["L"]]}


def _resolved(item: Item, plaintext: Value, decrypted: Value) -> tuple[Value, Value | None]:
    """Return the newer value and, where the two differ, the other one."""
    if _is_same(plaintext, decrypted):
        return plaintext, None
    match item.get(IS_ENCRYPTED):
        case {"BOOL": True}:
            return decrypted, plaintext  # LISA encrypted last and left the old plaintext where it was.
        case {"BOOL": False}:
            return plaintext, decrypted
        case _:
            raise MarkerUnusable("is_encrypted does not tell which of two values is the newer one")


def _is_same(plaintext: Value, decrypted: Value) -> bool:
    """Tell whether ``decrypted`` is ``plaintext`` after LISA's ordinary JSON.

    There a number is text (a Decimal, as boto3 gives it) or a number in another spelling (a float: 1.0 for 1).
    """
    match plaintext, decrypted:
        case {"N": number}, {"N": other}:
            return Decimal(number) == Decimal(other)
        case {"N": number}, {"S": text}:
            return bool(number == text)
        case {"L": members}, {"L": others}:
            return len(members) == len(others) and all(map(_is_same, members, others))
        case {"M": members}, {"M": others}:
            return members.keys() == others.keys() and all(_is_same(members[name], others[name]) for name in members)
        case _:
            return plaintext == decrypted


def conditional_update(
    item: Item,
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    ciphertexts: Mapping[str, str],
    now: datetime,
    also_set: Mapping[str, Value] | None = None,
    must_exist: tuple[str, bool] | None = None,
) -> dict[str, Any]:
    """Return the arguments of the one UpdateItem that turns ``item`` into what ``targets`` say.

    The condition: every configured ``X``, every ``encrypted_X`` and ``is_encrypted`` still has the value, or the
    absence, that was read. So whoever writes in between makes the update fail, and nothing of theirs is lost::

        we       read history=A ───────────────────────── update if history=A, encrypted_history absent, …
        writer                    put history=B                └─ fails: B stays, and B's own trigger follows
        LISA                      set encrypted_history=C      └─ fails likewise, though history is still A
        owner                     delete                       └─ fails: the item is not re-created

    Args:
        item: the item as read; empty for one that does not exist.
        attributes: the configured attributes.
        targets: what each attribute is to become.
        ciphertexts: base64 text for each target to be stored encrypted.
        now: the time of the data key, aware.
        also_set: other attributes to set.
        must_exist: a key attribute's name, and whether it must exist (True) or must not (False); for a write that
            does not rest on an attribute's value.

    Raises:
        ConflictUnresolved: a conflict is to be kept where an earlier one still stands.
        ItemTooLarge: the item would be larger than DynamoDB allows.
        ValueError: nothing would guard the write.
    """
    conflicts = check_conflicts(item, attributes, targets)
    result = stored_form(item, attributes, targets, ciphertexts, now) | dict(also_set or {})
    check_size(result)
    guarded = [*attributes, *map(encrypted_name, attributes), IS_ENCRYPTED, *conflicts]
    return _expressions(item, result, guarded, must_exist, frozenset(also_set or ()))


def stored_form(
    item: Item,
    attributes: tuple[str, ...],
    targets: Mapping[str, Target],
    ciphertexts: Mapping[str, str],
    now: datetime,
) -> dict[str, Value]:
    """Return ``item`` with ``targets`` in their places and its markers as they have to be; arguments as above."""
    result = dict(item)
    for name, target in targets.items():
        stored, other = name, encrypted_name(name)
        if target.encrypted:
            stored, other = other, stored
        result[stored] = {"S": ciphertexts[name]} if target.encrypted else target.value
        result.pop(other, None)
    _mark(result, attributes, targets, now)
    return result


def check_conflicts(item: Item, attributes: tuple[str, ...], targets: Mapping[str, Target]) -> list[str]:
    """Check that no conflict is to be kept where an earlier one stands; return the names to keep them under.

    Raises:
        ConflictUnresolved: one is.
    """
    kept = {encrypted_name(name): target for name, target in targets.items() if name not in attributes}
    if any(name in item and not target.renewed for name, target in kept.items()):
        raise ConflictUnresolved("an earlier conflict of the attribute still stands")
    return list(kept)


def check_size(item: Item) -> None:
    """Check that DynamoDB can hold ``item``.

    Raises:
        ItemTooLarge: it is over 400 KB.
    """
    size = item_size(item)
    if size > MAX_ITEM_SIZE:
        raise ItemTooLarge(f"the item would have {size} bytes", size)


def in_the_clear(item: Item, policy: Policy, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return ``item`` with ``values`` in the place of ciphertexts and markers: equal to what its writer wrote."""
    hidden = {*MARKERS, *map(encrypted_name, policy.attributes)}
    hidden |= {encrypted_name(conflict_name(name)) for name in policy.attributes}
    return {name: value for name, value in item.items() if name not in hidden} | dict(values)


def _mark(result: dict[str, Value], attributes: tuple[str, ...], targets: Mapping[str, Target], now: datetime) -> None:
    encrypted = [name for name in attributes if encrypted_name(name) in result]
    if not encrypted:
        for marker in MARKERS:
            result.pop(marker, None)
        return
    result[ENCRYPTION_VERSION] = {"S": VERSION}
    result[IS_ENCRYPTED] = {"BOOL": not any(name in result for name in attributes)}
    if all(name in targets for name in encrypted):
        result[ENCRYPTED_AT] = {"S": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    # Else an older data key is still in use, and encrypted_at tells the age of the oldest one.


def _expressions(
    item: Item, result: Item, guarded: list[str], must_exist: tuple[str, bool] | None, always_set: frozenset[str]
) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Value] = {}

    def name_of(attribute: str) -> str:
        return names.setdefault(attribute, f"#{len(names)}")

    def value_of(value: Value) -> str:
        placeholder = f":{len(values)}"
        values[placeholder] = value
        return placeholder

    conditions = [
        f"{name_of(attribute)} = {value_of(item[attribute])}"
        if attribute in item
        else f"attribute_not_exists({name_of(attribute)})"
        for attribute in guarded
    ]
    if must_exist is not None:
        function = "attribute_exists" if must_exist[1] else "attribute_not_exists"
        conditions.append(f"{function}({name_of(must_exist[0])})")
    elif not any(attribute in item for attribute in guarded):
        raise ValueError("an item without any of the configured attributes is never written")
    sets = [
        f"{name_of(attribute)} = {value_of(value)}"
        for attribute, value in result.items()
        # What a writer gave is set even if it is the same: DynamoDB takes no empty expression.
        if item.get(attribute) != value or attribute in always_set
    ]
    removes = [name_of(attribute) for attribute in item if attribute not in result]
    clauses = (["SET " + ", ".join(sets)] if sets else []) + (["REMOVE " + ", ".join(removes)] if removes else [])
    return {
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {placeholder: attribute for attribute, placeholder in names.items()},
        "ExpressionAttributeValues": values,
    }
