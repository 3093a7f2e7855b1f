"""What became of a key."""

import traceback
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath

from item_crypto.core.codec import Item
from item_crypto.core.decide import Action, Decision
from item_crypto.core.policy import Role
from item_crypto.errors import (
    ItemCryptoError,
    KeyDestroyed,
    KeyNotListed,
    KeyNotReady,
    KeyUnusable,
    PermanentError,
    SystemicError,
    TransientError,
)


class Status(Enum):
    """What became of a key."""

    ENCRYPTED = "encrypted"
    DECRYPTED = "decrypted"
    NOTHING = "nothing-to-do"
    SUPERSEDED = "superseded"
    DEFERRED = "deferred"
    DESTROYED = "key-destroyed"
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
        unfollowed: for a write that lost its race, whether the winner's own trigger does not lead to what it was for.
        known_elsewhere: for a failure, whether somebody with newer settings may do better: amid a change of the key,
            functions that are updated already write under a key that the others do not know yet.
    """

    key: Item
    status: Status
    reason: str
    attributes: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    unfollowed: bool = False
    known_elsewhere: bool = False


def without_write(key: Item, decision: Decision) -> Outcome:
    """Return what becomes of a key whose item is left as it is."""
    if decision.error is not None:
        return Outcome(key, Status.FAILED, decision.error.reason)
    status = Status.DEFERRED if decision.action is Action.DEFER else Status.NOTHING
    return Outcome(key, status, decision.reason, (), decision.deferred)


def written(key: Item, decision: Decision) -> Outcome:
    """Return what becomes of a key once the write that was decided on is made."""
    if decision.deferred:
        return Outcome(key, Status.DEFERRED, decision.reason, decision.changed, decision.deferred)
    policy = decision.policy
    is_encrypted = policy.enabled and not policy.earlier.issuperset(decision.changed)
    status = Status.ENCRYPTED if is_encrypted else Status.DECRYPTED
    return Outcome(key, status, decision.reason, decision.changed)


def failed(key: Item, error: Exception, role: Role) -> Outcome:
    """Return what ``error`` makes of a key."""
    match error:
        case KeyDestroyed():
            return Outcome(key, Status.DESTROYED, error.reason)
        case KeyNotReady() if role is not Role.MIGRATOR:
            # Whoever makes keys is behind the migrator, which itself can only try again.
            return Outcome(key, Status.DEFERRED, error.reason)
        case PermanentError():
            return Outcome(key, Status.FAILED, error.reason, known_elsewhere=isinstance(error, KeyNotListed))
        case TransientError():
            return Outcome(key, Status.RETRY, f"{error.service}-{error.code}")
        case KeyUnusable():
            # Items under the other keys can succeed, so they are not to wait for this one.
            return Outcome(key, Status.FAILED, f"{error.service}-{error.code}")
        case SystemicError():
            return Outcome(key, Status.SYSTEMIC, f"{error.service}-{error.code}")
        case ItemCryptoError():
            return Outcome(key, Status.FAILED, error.reason)
    # A surprise is told by its type and place: its text may quote a value.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(frame.filename).name}:{frame.lineno}"
    return Outcome(key, Status.FAILED, f"unexpected-{type(error).__name__}-at-{place}")
