"""Reconcile until it holds: for goals that no stream trigger follows.

A failed condition means a newer write, which has a trigger of its own. Where that leads to what was to be done,
nothing more is. But the stream's function never decrypts, knows no age and looks at no kept conflict: for these the
key is reconciled again; where its writer never pauses, it is left as one that failed for now.
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

    def items(
        self, items: Mapping[KeyId, tuple[Item, Item]], policy: Policy, seconds_left: Callable[[], float]
    ) -> dict[KeyId, Outcome]:
        """Reconcile items that were just read consistently, given as key and item.

        Nothing is begun when the time is used up; what was not begun, or would be tried again, failed for now.
        """
        outcomes = self.reconciler.reconcile_read(items.values(), policy, Role.MIGRATOR, seconds_left)
        return self._again({identity: key for identity, (key, _) in items.items()}, outcomes, policy, seconds_left)

    def keys(
        self, keys: Mapping[KeyId, Item], policy: Policy, seconds_left: Callable[[], float]
    ) -> dict[KeyId, Outcome]:
        """Reconcile keys, else as :meth:`items`."""
        outcomes = self.reconciler.reconcile(keys.values(), policy, Role.MIGRATOR, seconds_left)
        return self._again(keys, outcomes, policy, seconds_left)

    def _again(
        self,
        keys: Mapping[KeyId, Item],
        outcomes: dict[KeyId, Outcome],
        policy: Policy,
        seconds_left: Callable[[], float],
    ) -> dict[KeyId, Outcome]:
        for attempt in range(1, _ATTEMPTS):
            unsettled = [keys[identity] for identity, outcome in outcomes.items() if _is_unsettled(outcome)]
            if not unsettled:
                return outcomes
            wait = random.uniform(0, _FIRST_WAIT * 2**attempt)  # noqa: S311 - no secret hangs on it
            if seconds_left() <= wait:
                break
            self.sleep(wait)
            outcomes |= self.reconciler.reconcile(unsettled, policy, Role.MIGRATOR, seconds_left)
        # Superseded each time, and nothing else will come for it: not done, whatever the status says.
        return {
            identity: replace(outcome, status=Status.RETRY) if _is_unsettled(outcome) else outcome
            for identity, outcome in outcomes.items()
        }


def _is_unsettled(outcome: Outcome) -> bool:
    return outcome.status is Status.RETRY or outcome.unfollowed
