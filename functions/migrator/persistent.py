"""Reconcile until it holds: for goals that no stream trigger follows.

A failed condition means a newer write. For ``encrypt`` that write has a trigger of its own. For ``decrypt`` there is
none, since the stream's function never decrypts, so the key is reconciled again; where its writer never pauses, it is
left as one that failed for now.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from item_crypto.core.codec import Item
from item_crypto.core.key import KeyId
from item_crypto.core.policy import Policy, Role
from item_crypto.outcome import Outcome, Status
from item_crypto.reconcile import Reconciler

_ATTEMPTS: Final = 6
_FIRST_WAIT: Final = 0.1  # seconds; doubles with each attempt, with full jitter.


@dataclass(frozen=True)
class Persistent:
    """A reconciler that tries throttled keys again, and superseded ones where nothing else will.

    Attributes:
        reconciler: the reconciler.
        sleep: waits a number of seconds.
    """

    reconciler: Reconciler
    sleep: Callable[[float], None]

    def items(self, items: Mapping[KeyId, tuple[Item, Item]], policy: Policy) -> dict[KeyId, Outcome]:
        """Reconcile items that were just read consistently, given as key and item."""
        outcomes = self.reconciler.reconcile_read(items.values(), policy, Role.MIGRATOR)
        return self._again({identity: key for identity, (key, _) in items.items()}, outcomes, policy)

    def keys(self, keys: Mapping[KeyId, Item], policy: Policy) -> dict[KeyId, Outcome]:
        """Reconcile keys."""
        return self._again(keys, self.reconciler.reconcile(keys.values(), policy, Role.MIGRATOR), policy)

    def _again(
        self, keys: Mapping[KeyId, Item], outcomes: dict[KeyId, Outcome], policy: Policy
    ) -> dict[KeyId, Outcome]:
        for attempt in range(1, _ATTEMPTS):
            unsettled = [keys[identity] for identity, outcome in outcomes.items() if _is_unsettled(outcome, policy)]
            if not unsettled:
                return outcomes
            self.sleep(random.uniform(0, _FIRST_WAIT * 2**attempt))  # noqa: S311 - no secret hangs on it
            outcomes |= self.reconciler.reconcile(unsettled, policy, Role.MIGRATOR)
        # Superseded each time, and nothing else will come for it: not done, whatever the status says.
        return {
            identity: replace(outcome, status=Status.RETRY) if _is_unsettled(outcome, policy) else outcome
            for identity, outcome in outcomes.items()
        }


def _is_unsettled(outcome: Outcome, policy: Policy) -> bool:
    return outcome.status is Status.RETRY or (outcome.status is Status.SUPERSEDED and not policy.enabled)
