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
from functools import partial
from threading import Event
from typing import Final

from item_crypto.core.change import Change, guards_hold, stands_in
from item_crypto.core.codec import Item
from item_crypto.core.key import KeyId, key_id
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
        key: the item's key.
        item: the item as it was read. Not shown by ``repr``.
        policy: the policy that was decided by.
        plan: what is to become of the key.
        change: its write.
    """

    key: Item
    item: Item = field(repr=False)
    policy: Policy
    plan: Plan
    change: Change


class Pipeline:
    """Brings items of one table into their form, each by itself; any thread may begin one.

    Args:
        table: the table.
        batch: writes several changes in one request; each is written alone where None is given.
        planner: plans.
        current: returns a policy as it is to be acted on now; it may raise TransientError or SystemicError.
        policy: what is to be encrypted.
        role: who asks.
        seconds_left: time that remains; what is not begun when it is used up is to be tried again.
    """

    def __init__(
        self,
        table: Table,
        batch: Batch | None,
        planner: Planner,
        current: Callable[[Policy], Policy],
        policy: Policy,
        role: Role,
        seconds_left: Callable[[], float],
    ) -> None:
        self.outcomes: dict[KeyId, Outcome] = {}
        self._table = table
        self._batch = batch
        self._planner = planner
        self._current = current
        self._policy = policy
        self._role = role
        self._seconds_left = seconds_left
        self._out_of_time = Event()
        self._gathering: Gathering[Planned] = Gathering(MOST, MOST_BYTES, _IN_FLIGHT)

    def begin(self, key: Item, item: Item | None | ItemCryptoError) -> None:
        """Plan what is to become of an item as it was read, and have its change written, now or with others.

        Never raises for an item: whatever goes wrong with one is its outcome. What is gathered is written by whoever
        completes a portion, while others plan on; :meth:`end` writes the rest.
        """
        self._gathering.room()
        portion = None
        try:
            outcome: Outcome | None
            if self._is_over():
                outcome = Outcome(key, Status.RETRY, "out-of-time")
            elif isinstance(item, ItemCryptoError):
                outcome = failed(key, item, self._role)
            elif item is None:
                outcome = Outcome(key, Status.NOTHING, "no-such-item")
            else:
                outcome, portion = self._begun(key, item)
        except Exception as error:  # noqa: BLE001 - one item's surprise must not hold up the records behind it
            outcome = failed(key, error, self._role)
        if outcome is not None:
            self.outcomes[key_id(key)] = outcome
        if portion is not None:
            self._write(portion)

    def end(self) -> None:
        """Write what is still gathered. To be called once, when everything has begun."""
        portion = self._gathering.rest()
        if portion is not None:
            self._write(portion)

    def _begun(self, key: Item, item: Item) -> tuple[Outcome | None, Portion[Planned] | None]:
        planned = self._planned(key, item)
        if isinstance(planned, Outcome):
            return planned, None
        size = None if self._batch is None else self._batch.size_of(planned.change)
        if size is None:
            return self._alone(planned), None
        return None, self._gathering.add(planned, size)

    def _planned(self, key: Item, item: Item) -> Planned | Outcome:
        policy = self._current(self._policy)
        plan = self._planner.plan(key, item, policy, self._role)
        return plan.outcome if plan.change is None else Planned(key, item, policy, plan, plan.change)

    def _alone(self, planned: Planned) -> Outcome:
        """Write one change by itself, if it still is what the policy asks for."""
        for decision in range(_DECISIONS):
            if decision:
                again = self._planned(planned.key, planned.item)
                if isinstance(again, Outcome):
                    return again
                planned = again
            if self._current(planned.policy) == planned.policy:
                return planned.plan.outcome_if(self._table.apply(planned.change))
        return Outcome(planned.key, Status.RETRY, "policy-keeps-changing")

    def _write(self, portion: Portion[Planned]) -> None:
        try:
            for planned in self._written(portion.entries):
                self._settle(planned, partial(self._alone_in_time, planned))
        except Exception as error:  # noqa: BLE001 - as above
            for planned in portion.entries:
                self.outcomes.setdefault(key_id(planned.key), failed(planned.key, error, self._role))
        finally:
            self._gathering.done(portion)

    def _written(self, entries: Sequence[Planned]) -> list[Planned]:
        """Write changes in one request; return those that are to be written by themselves."""
        # One reading of the setting for all: by it the request is sent.
        policy = self._current(self._policy)
        together = [planned for planned in entries if planned.policy == policy]
        if self._batch is None or len(together) < _FEWEST:
            return list(entries)
        answers = self._batch.apply([planned.change for planned in together])
        alone = [planned for planned in entries if planned.policy != policy]
        unknown: list[tuple[Planned, OutcomeUnknown]] = []
        for planned, answer in zip(together, answers, strict=True):
            match answer:
                case OutcomeUnknown():
                    unknown.append((planned, answer))
                case TransientError() | InvalidRequest():
                    alone.append(planned)
                case ItemCryptoError():
                    self.outcomes[key_id(planned.key)] = failed(planned.key, answer, self._role)
                case is_made:
                    self.outcomes[key_id(planned.key)] = planned.plan.outcome_if(is_made)
        return alone + self._unmade(unknown)

    def _unmade(self, unknown: Sequence[tuple[Planned, OutcomeUnknown]]) -> list[Planned]:
        """Look for changes whose answers are lost; return those that are to be made again: nothing has changed.

        Where one of them arrives later all the same, whichever is the second fails its condition.
        """
        if not unknown:
            return []
        keys = {key_id(planned.key): planned.key for planned, _ in unknown}
        stands = dict.fromkeys(keys, unknown[0][1]) if self._is_over() else self._table.read(keys)
        unmade = []
        for planned, error in unknown:
            identity = key_id(planned.key)
            match stands[identity]:
                case ItemCryptoError():
                    self.outcomes[identity] = failed(planned.key, error, self._role)
                case None:
                    self.outcomes[identity] = planned.plan.outcome_if(False)
                case item if not stands_in(planned.change, item) and guards_hold(planned.change, item):
                    unmade.append(planned)
                case item:
                    self.outcomes[identity] = planned.plan.outcome_if(stands_in(planned.change, item))
        return unmade

    def _alone_in_time(self, planned: Planned) -> Outcome:
        return Outcome(planned.key, Status.RETRY, "out-of-time") if self._is_over() else self._alone(planned)

    def _settle(self, planned: Planned, work: Callable[[], Outcome]) -> None:
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001 - as above
            outcome = failed(planned.key, error, self._role)
        self.outcomes[key_id(planned.key)] = outcome

    def _is_over(self) -> bool:
        if not self._out_of_time.is_set() and self._seconds_left() <= 0:
            self._out_of_time.set()
        return self._out_of_time.is_set()
