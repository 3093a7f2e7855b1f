"""Hints in, outcomes out: reconciles keys in the stream function's role, and measures it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from encryptor_runtime.messages import Hint
from encryptor_runtime.queues import KeyQueues
from encryptor_runtime.runtime import Runtime
from item_crypto.core.codec import Item
from item_crypto.core.decide import Action
from item_crypto.core.key import KeyId
from item_crypto.core.policy import Role
from item_crypto.outcome import Outcome, Status
from item_crypto.plan import decide

_RESERVE: Final = 15.0  # Seconds kept back for the item in hand, whose calls have time-outs, and for the queues.


@dataclass(frozen=True)
class Encryptor:
    """Encrypts what hints point at.

    Attributes:
        runtime: the parts of every function.
        failures: where failures go.
        clock: returns the time in epoch seconds.
    """

    runtime: Runtime
    failures: KeyQueues
    clock: Callable[[], float] = time.time

    def needs_work(self, item: Item) -> bool:
        """Tell whether ``item``, as a record's image has it, is to be changed or deferred.

        Raises:
            TransientError, SystemicError: the setting cannot be read.
        """
        decision = decide(item, self.runtime.policy(), Role.ENCRYPTOR, self.runtime.cipher.keys)
        return decision.action is not Action.NOTHING

    def reconcile(self, hints: Mapping[KeyId, Hint], context: Any) -> dict[KeyId, Outcome]:
        """Reconcile the keys of ``hints`` and return what became of each.

        Args:
            hints: keys that may need work.
            context: Lambda's context of the invocation.

        Raises:
            TransientError, SystemicError: the setting cannot be read.
        """

        def seconds_left() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE

        keys = [hint.key for hint in hints.values()]
        # The reconciler asks for the setting again at each item, since a batch may outlive the one it began under.
        outcomes = self.runtime.reconciler.reconcile(keys, self.runtime.policy(), Role.ENCRYPTOR, seconds_left)
        self._measure(hints, outcomes)
        return outcomes

    def _measure(self, hints: Mapping[KeyId, Hint], outcomes: Mapping[KeyId, Outcome]) -> None:
        now = self.clock()
        self.runtime.telemetry.milliseconds(
            "PlaintextWindow",
            (
                max(0.0, now - written_at) * 1000
                for key, outcome in outcomes.items()
                if outcome.status is Status.ENCRYPTED and (written_at := hints[key].written_at) is not None
            ),
        )
        self.runtime.telemetry.kms(self.runtime.meter.drain())
