"""Many items on their way from what was read to what is written: planned side by side, written together.

::

    item ─▶ plan ─┬─ no change ──────────────────────────────────────────────────────▶ outcome
    item ─▶ plan ─┤                                      ┌─ made, or somebody wrote ──▶ outcome
    item ─▶ plan ─┴─ change ─▶ gathered ─▶ policy? ─▶ request ─┼─ not known ─▶ read: what stands? ─┐
       (while a request is under way, the next are planned)    └─ not made ─▶ alone ◀──────────────┘

A change rests on all that it was made of, so it is never made over what came after. To make it again is harmless where
its guards hold once more: it is then what would be planned anew. But a guard that no longer holds may be our own doing,
which is told apart by what stands there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from item_crypto.core.change import Change, guards_hold, stands_in
from item_crypto.core.codec import Item
from item_crypto.core.key import KeyId
from item_crypto.core.policy import Policy, Role
from item_crypto.dynamodb.batch import MOST, MOST_BYTES, Batch
from item_crypto.dynamodb.table import Table
from item_crypto.errors import InvalidRequest, ItemCryptoError, OutcomeUnknown, TransientError
from item_crypto.gathering import Gathering, Portion
from item_crypto.outcome import Outcome, Status, failed
from item_crypto.plan import Plan, Planner

_DECISIONS: Final = 5  # A policy that changes faster than an item is planned is waited for in a queue.
_FEWEST: Final = 2  # Changes that are written together: one alone is an UpdateItem.
_IN_FLIGHT: Final = 2 * MOST_BYTES  # One request under way, and the next.


@dataclass(frozen=True)
class Planned:
    """A change that was decided on.

    Attributes:
        identity: what identifies the key.
        item: the item as it was read. Not shown by ``repr``.
        policy: the policy that was decided by.
        plan: what is to become of the key.
        change: its write.
    """

    identity: KeyId
    item: Item = field(repr=False)
    policy: Policy
    plan: Plan
    change: Change


@dataclass
class Pipeline:
    """Brings items of one table into their form, each by itself; any thread may begin one.

    Attributes:
        table: the table.
        batch: writes several changes in one request; each is written alone where None is given.
        planner: plans.
        current: returns a policy as it is to be acted on now; it may raise TransientError or SystemicError.
        policy: what is to be encrypted.
        role: who asks.
        seconds_left: time that remains; what is not begun when it is used up is to be tried again.
        outcomes: what became of the keys, by what identifies them; of all once :meth:`end` has returned.
    """

    table: Table
    batch: Batch | None
    planner: Planner
    current: Callable[[Policy], Policy]
    policy: Policy
    role: Role
    seconds_left: Callable[[], float]
    outcomes: dict[KeyId, Outcome] = field(default_factory=dict)
    _out_of_time: Event = field(default_factory=Event)
    _gathering: Gathering[Planned] = field(default_factory=lambda: Gathering(MOST, MOST_BYTES, _IN_FLIGHT))

    def begin(self, identity: KeyId, key: Item, item: Item | None | ItemCryptoError) -> None:
        """Plan what is to become of an item as it was read, and have its change written, now or with others.

        Never raises for an item: whatever goes wrong with one is its outcome. What is gathered is written by whoever
        completes a portion, while others plan on; :meth:`end` writes the rest.
        """
        portion: Portion[Planned] | None = None
        try:
            if self.batch is not None:
                self._gathering.room()
            planned = self._planned(identity, key, item)
            size = None
            if self.batch is not None and isinstance(planned, Planned):
                size = self.batch.size_of(planned.change)
            if size is not None and isinstance(planned, Planned):
                portion = self._gathering.add(planned, size)
            else:
                planned = self._upheld(planned)
                self.outcomes[identity] = (
                    planned
                    if isinstance(planned, Outcome)
                    else planned.plan.outcome_if(self.table.apply(planned.change))
                )
        except Exception as error:  # noqa: BLE001 - one item's surprise must not hold up the records behind it
            self.outcomes[identity] = failed(key, error, self.role)
        if portion is not None:
            self._write(portion)

    def end(self) -> None:
        """Write what is still gathered. To be called once, when everything has begun."""
        portion = self._gathering.rest() if self.batch is not None else None
        if portion is not None:
            self._write(portion)

    def _planned(self, identity: KeyId, key: Item, item: Item | None | ItemCryptoError) -> Planned | Outcome:
        if self._out_of_time.is_set() or self.seconds_left() <= 0:
            self._out_of_time.set()
            return Outcome(key, Status.RETRY, "out-of-time")
        if isinstance(item, ItemCryptoError):
            raise item
        if item is None:
            return Outcome(key, Status.NOTHING, "no-such-item")
        policy = self.current(self.policy)
        plan = self.planner.plan(key, item, policy, self.role)
        return plan.outcome if plan.change is None else Planned(identity, item, policy, plan, plan.change)

    def _upheld(self, planned: Planned | Outcome) -> Planned | Outcome:
        """Return what was decided if it still is what the policy asks for; else what is decided now."""
        for _ in range(_DECISIONS):
            if isinstance(planned, Outcome) or self.current(planned.policy) == planned.policy:
                return planned
            key, identity, item = planned.change.key, planned.identity, planned.item
            planned = self._planned(identity, key, item)
        return Outcome(key, Status.RETRY, "policy-keeps-changing")

    def _write(self, portion: Portion[Planned]) -> None:
        try:
            for planned in self._written(portion.entries):
                self._write_alone(planned)
        except Exception as error:  # noqa: BLE001 - as above
            for planned in portion.entries:
                self.outcomes.setdefault(planned.identity, failed(planned.change.key, error, self.role))
        finally:
            self._gathering.done(portion)

    def _write_alone(self, planned: Planned) -> None:
        key = planned.change.key
        try:
            if self.seconds_left() <= 0:
                outcome = Outcome(key, Status.RETRY, "out-of-time")
            else:
                upheld = self._upheld(planned)
                outcome = (
                    upheld if isinstance(upheld, Outcome) else upheld.plan.outcome_if(self.table.apply(upheld.change))
                )
        except Exception as error:  # noqa: BLE001 - as above
            outcome = failed(key, error, self.role)
        self.outcomes[planned.identity] = outcome

    def _written(self, entries: Sequence[Planned]) -> list[Planned]:
        """Write changes in one request; return those that are to be written by themselves."""
        # One reading of the setting for all: by it the request is sent.
        policy = self.current(self.policy)
        together = [planned for planned in entries if planned.policy == policy]
        if self.batch is None or len(together) < _FEWEST:
            return list(entries)
        answers = self.batch.apply([planned.change for planned in together])
        alone = [planned for planned in entries if planned.policy != policy]
        unknown: list[tuple[Planned, OutcomeUnknown]] = []
        for planned, answer in zip(together, answers, strict=True):
            match answer:
                case OutcomeUnknown():
                    unknown.append((planned, answer))
                case TransientError() | InvalidRequest():
                    alone.append(planned)
                case ItemCryptoError():
                    self.outcomes[planned.identity] = failed(planned.change.key, answer, self.role)
                case is_made:
                    self.outcomes[planned.identity] = planned.plan.outcome_if(is_made)
        return alone + self._unmade(unknown)

    def _unmade(self, unknown: Sequence[tuple[Planned, OutcomeUnknown]]) -> list[Planned]:
        """Look for changes whose answers are lost; return those that are to be made again: nothing has changed.

        Where one of them arrives later all the same, whichever is the second fails its condition.
        """
        if not unknown:
            return []
        keys = {planned.identity: planned.change.key for planned, _ in unknown}
        stands = dict.fromkeys(keys, unknown[0][1]) if self.seconds_left() <= 0 else self.table.read(keys)
        unmade = []
        for planned, error in unknown:
            match stands[planned.identity]:
                case ItemCryptoError():
                    self.outcomes[planned.identity] = failed(planned.change.key, error, self.role)
                case None:
                    self.outcomes[planned.identity] = planned.plan.outcome_if(False)
                case item if not stands_in(planned.change, item) and guards_hold(planned.change, item):
                    unmade.append(planned)
                case item:
                    self.outcomes[planned.identity] = planned.plan.outcome_if(stands_in(planned.change, item))
        return unmade
