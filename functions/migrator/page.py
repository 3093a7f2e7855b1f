"""One page of a sweep: the items of a consistent scan, reconciled or counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from encryptor_runtime.messages import Goal, Hint
from encryptor_runtime.queues import KeyQueues
from encryptor_runtime.telemetry import Telemetry
from item_crypto.cipher import ValueCipher
from item_crypto.core.codec import Item
from item_crypto.core.context import encryption_context
from item_crypto.core.key import key_id, key_of
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import Envelope
from item_crypto.errors import PermanentError, SystemicError
from item_crypto.keys.identity import Identity
from item_crypto.outcome import Outcome, Status
from migrator.census import CONFLICTS, DECRYPTED, VALUES, Standing, has_conflict, keys_needed, places, standing, strays
from migrator.persistent import Persistent
from migrator.progress import Sweep

_COUNTED: Final = {
    Status.ENCRYPTED: "encrypted",
    Status.DECRYPTED: "decrypted",
    Status.NOTHING: "nothing",
    Status.SUPERSEDED: "superseded",
    Status.DEFERRED: "deferred",
    Status.DESTROYED: "destroyed",
    Status.FAILED: "failed",
    Status.RETRY: "retried",
}


@dataclass
class Tally:
    """What became of a page's items.

    Attributes:
        counts: how many items of which outcome; for ``verify``, what `migrator.census` names.
        under_key: how many items need which KMS key.
    """

    counts: Counter[str] = field(default_factory=Counter)
    under_key: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Pages:
    """Works pages off.

    Attributes:
        persistent: reconciles.
        cipher: decrypts, for a deep ``verify``.
        keys: where dead letters go, and keys that are still throttled.
        telemetry: counts and audits.
    """

    persistent: Persistent
    cipher: ValueCipher
    keys: KeyQueues
    telemetry: Telemetry

    def work_off(
        self, sweep: Sweep, items: Sequence[Item], policy: Policy, counted: Mapping[str, int] | None = None
    ) -> Tally:
        """Do with ``items`` what the sweep is for, and return what became of them.

        Args:
            sweep: the sweep.
            items: the page.
            policy: what is to be encrypted.
            counted: what was counted in the segment before.

        Raises:
            TransientError, SystemicError: a service refuses; the page has to be redone.
        """
        if sweep.goal is Goal.VERIFY:
            return self._verify(items, policy, sweep.deep, counted or {})
        return self._reconcile(sweep, items, policy)

    def _reconcile(self, sweep: Sweep, items: Sequence[Item], policy: Policy) -> Tally:
        pairs = {}
        for item in items:
            key = key_of(item, policy.context_attributes)
            pairs[key_id(key)] = (key, item)
        outcomes = self.persistent.items(pairs, policy)
        self.telemetry.outcomes(outcomes.values())
        for outcome in outcomes.values():
            if outcome.status is Status.SYSTEMIC:
                # Before any letter is sent: the page is redone, and would send them again each time.
                raise SystemicError("sweep", outcome.reason)
        tally = Tally()
        for outcome in outcomes.values():
            self._pass_on(sweep, outcome)
            tally.counts[_COUNTED[outcome.status]] += 1
        return tally

    def _pass_on(self, sweep: Sweep, outcome: Outcome) -> None:
        match outcome.status:
            case Status.FAILED:
                self.keys.dead_letter(Hint(outcome.key), outcome.reason, aim=sweep.aim)
            case Status.RETRY:
                # One hot item does not hold up its segment.
                self.keys.postpone(Hint(outcome.key), outcome.reason, sweep.aim)
            case _:
                pass

    def _verify(self, items: Sequence[Item], policy: Policy, deep: bool, counted: Mapping[str, int]) -> Tally:
        tally = Tally()
        for item in items:
            state, envelopes = standing(item, policy, self.cipher.keys)
            if deep:
                decrypted = self._decrypted(item, envelopes, policy)
                tally.counts[DECRYPTED] += decrypted
                if decrypted < len(envelopes):
                    state = Standing.UNDECRYPTABLE
            tally.counts[state.value] += 1
            tally.counts[VALUES] += len(envelopes)
            tally.counts[CONFLICTS] += has_conflict(envelopes, policy)
            tally.counts += places(item, policy)
            tally.counts += strays(item, policy, {**counted, **tally.counts})
            tally.under_key += keys_needed(envelopes, self.cipher.keys)
        return tally

    def _decrypted(self, item: Item, envelopes: Mapping[str, Envelope], policy: Policy) -> int:
        """Return how many of an item's values can be decrypted."""
        try:
            context = encryption_context(item, policy.context_attributes, policy.purpose)
        except PermanentError:
            return 0
        try:
            return len(self.cipher.decrypt(envelopes, context))
        except (PermanentError, SystemicError):
            # One of them cannot: that says nothing of the others, which are counted one by one.
            return sum(self._decrypts(name, envelope, context) for name, envelope in envelopes.items())

    def _decrypts(self, name: str, envelope: Envelope, context: Mapping[str, str]) -> bool:
        try:
            self.cipher.decrypt({name: envelope}, context)
        except PermanentError:
            return False
        except SystemicError:
            if envelope.key is None or self.cipher.keys.is_current(Identity(envelope.key), context):
                raise  # Nothing can be decrypted: the page is redone.
            return False  # An earlier key that is disabled or denied: these values cannot, and others can.
        return True
