"""One page of a sweep: the items of a consistent scan, reconciled or counted."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from encryptor_runtime.messages import Goal, Hint
from encryptor_runtime.queues import KeyQueues
from encryptor_runtime.telemetry import Telemetry
from item_crypto.cipher import ValueCipher
from item_crypto.core.codec import Item
from item_crypto.core.context import encryption_context
from item_crypto.core.key import KeyId, key_id, key_of
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import Envelope
from item_crypto.errors import KeyDestroyed, KeyUnusable, PermanentError, SystemicError
from item_crypto.outcome import Outcome, Status
from migrator.allowance import Allowance
from migrator.census import CONFLICTS, Standing, encodings, has_conflict, keys_needed, places, standing, strays
from migrator.counts import DECRYPTED, OUTSIDE, VALUES
from migrator.persistent import Persistent
from migrator.progress import Sweep

WITHOUT_LETTER: Final = "withoutLetter"
"""Counted beside ``failed``: items that failed once their sweep had sent all the dead letters that it may."""

COUNTED: Final = {
    Status.ENCRYPTED: "encrypted",
    Status.DECRYPTED: "decrypted",
    Status.NOTHING: "nothing",
    Status.SUPERSEDED: "superseded",
    Status.DEFERRED: "deferred",
    Status.DESTROYED: "destroyed",
    Status.FAILED: "failed",
    Status.RETRY: "retried",
}
"""By which names sweeps count what became of items."""


@dataclass
class Tally:
    """What became of a page's items.

    Attributes:
        counts: how many items of which outcome; for ``verify``, what `migrator.counts` names.
        under_key: how many items need which KMS key.
        left: how many of them, the last ones, were not looked at for want of time.
    """

    counts: Counter[str] = field(default_factory=Counter)
    under_key: Counter[str] = field(default_factory=Counter)
    left: int = 0


@dataclass(frozen=True)
class Pages:
    """Works pages off.

    Attributes:
        persistent: reconciles.
        cipher: decrypts, for a deep ``verify``.
        keys: where dead letters go, and keys that are still throttled.
        telemetry: counts and audits.
        allowance: how many dead letters a sweep may send.
    """

    persistent: Persistent
    cipher: ValueCipher
    keys: KeyQueues
    telemetry: Telemetry
    allowance: Allowance

    def work_off(
        self,
        sweep: Sweep,
        items: Sequence[Item],
        policy: Policy,
        seconds_left: Callable[[], float],
        counted: Mapping[str, int] | None = None,
    ) -> Tally:
        """Do with ``items`` what the sweep is for, and return what became of them.

        Args:
            sweep: the sweep.
            items: the page.
            policy: what is to be encrypted.
            seconds_left: time that remains; items not begun when it is used up are left to be tried again. A
                verification looks at one at least, and leaves them to the next page.
            counted: what was counted in the segment before.

        Raises:
            TransientError, SystemicError: a service refuses; the page has to be redone.
        """
        if sweep.goal is Goal.VERIFY:
            return self._verify(items, policy, sweep.deep, counted or {}, seconds_left)
        return self._reconcile(sweep, items, policy, seconds_left)

    def _reconcile(
        self, sweep: Sweep, items: Sequence[Item], policy: Policy, seconds_left: Callable[[], float]
    ) -> Tally:
        pairs = {}
        for item in items:
            key = key_of(item, policy.context_attributes)
            pairs[key_id(key)] = (key, item)
        outcomes = self.persistent.items(pairs, policy, seconds_left)
        self.telemetry.outcomes(outcomes.values())
        for outcome in outcomes.values():
            if outcome.status is Status.SYSTEMIC:
                # Before any letter is sent: the page is redone, and would send them again each time.
                raise SystemicError("sweep", outcome.reason)
        tally = Tally(Counter(COUNTED[outcome.status] for outcome in outcomes.values()))
        tally.counts[WITHOUT_LETTER] += self._pass_on(sweep, outcomes, policy)
        return tally

    def _pass_on(self, sweep: Sweep, outcomes: Mapping[KeyId, Outcome], policy: Policy) -> int:
        """Leave to others what is not done; return how many items failed without a dead letter."""
        failed = [outcome for outcome in outcomes.values() if outcome.status is Status.FAILED]
        granted = self.allowance.take(sweep.id, len(failed))
        for outcome in failed[:granted]:
            if outcome.known_elsewhere and policy.enabled:
                # Whoever takes deferred keys gives it time before it makes the dead letter. While encryption is off for
                # all items, nobody writes under a key that is new.
                self.keys.postpone(Hint(outcome.key), outcome.reason, sweep.aim)
            else:
                self.keys.dead_letter(Hint(outcome.key), outcome.reason, aim=sweep.aim)
        for outcome in outcomes.values():
            if outcome.status is Status.RETRY:
                # One hot item does not hold up its segment.
                self.keys.postpone(Hint(outcome.key), outcome.reason, sweep.aim)
        return len(failed) - granted

    def _verify(
        self,
        items: Sequence[Item],
        policy: Policy,
        deep: bool,
        counted: Mapping[str, int],
        seconds_left: Callable[[], float],
    ) -> Tally:
        tally = Tally()
        for place, item in enumerate(items):
            if place and seconds_left() <= 0:
                tally.left = len(items) - place
                break
            where = OUTSIDE if _is_outside(item, policy) else ""
            state, envelopes = standing(item, policy, self.cipher.keys)
            gone = 0
            if deep:
                decrypted, gone = self._decrypted(item, envelopes, policy)
                tally.counts[DECRYPTED] += decrypted
                if decrypted + gone < len(envelopes):
                    state = Standing.UNDECRYPTABLE
                elif gone and state is Standing.ENCRYPTED:
                    state = Standing.SHREDDED
            tally.counts[where + state.value] += 1
            tally.counts[VALUES] += len(envelopes) - gone  # Nobody is to decrypt what was destroyed on purpose.
            tally.counts += encodings(envelopes)
            tally.counts[where + CONFLICTS] += has_conflict(envelopes, policy)
            tally.counts += places(item, policy)
            tally.counts += strays(item, policy, {**counted, **tally.counts})
            tally.under_key += keys_needed(envelopes, self.cipher.keys)
        return tally

    def _decrypted(self, item: Item, envelopes: Mapping[str, Envelope], policy: Policy) -> tuple[int, int]:
        """Return how many of an item's values can be decrypted, and of how many the key was destroyed."""
        try:
            context = encryption_context(item, policy.context_attributes, policy.purpose)
        except PermanentError:
            return 0, 0
        try:
            return len(self.cipher.decrypt(envelopes, context)), 0
        except (PermanentError, KeyUnusable):
            # One of them cannot: that says nothing of the others, which are counted one by one.
            found = Counter(self._state(name, envelope, context) for name, envelope in envelopes.items())
        return found[Standing.ENCRYPTED], found[Standing.SHREDDED]

    def _state(self, name: str, envelope: Envelope, context: Mapping[str, str]) -> Standing:
        try:
            self.cipher.decrypt({name: envelope}, context)
        except KeyDestroyed:
            return Standing.SHREDDED
        except (PermanentError, KeyUnusable):
            return Standing.UNDECRYPTABLE
        return Standing.ENCRYPTED


def _is_outside(item: Item, policy: Policy) -> bool:
    """Tell whether an item is outside of the part that encryption is on for; one that cannot be told is in it."""
    try:
        return policy.enabled and not policy.for_item(item).enabled
    except PermanentError:
        return False
