"""Hints in, outcomes out: reconciles keys in the stream function's role, and measures it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from encryptor_runtime.messages import Hint
from encryptor_runtime.queues import KeyQueues
from encryptor_runtime.runtime import Runtime
from encryptor_runtime.telemetry import Telemetry
from item_crypto.core.decide import Policy, Role
from item_crypto.dynamodb.table import KeyId
from item_crypto.reconcile import Outcome, Status

_PORTION: Final = 50  # Keys that are reconciled under one reading of the setting: about a second's work.
_RESERVE: Final = 15.0  # Seconds kept back for the item in hand, whose calls have time-outs, and for the queues.


class Encryptor:
    """Encrypts what hints point at.

    Args:
        runtime: the parts of every function.
        failures: where failures go.
        clock: returns the time in epoch seconds.
    """

    def __init__(self, runtime: Runtime, failures: KeyQueues, clock: Callable[[], float] = time.time) -> None:
        self._runtime = runtime
        self._clock = clock
        self.failures = failures

    @property
    def telemetry(self) -> Telemetry:
        """The function's logs, metrics and audit lines."""
        return self._runtime.telemetry

    def policy(self) -> Policy:
        """Return what is to be encrypted, by the setting as it is now.

        Raises:
            TransientError, SystemicError: the setting cannot be read; it is never taken for "off".
        """
        return self._runtime.policy()

    @property
    def table(self) -> str:
        """The table's name."""
        return self._runtime.table.name

    def reconcile(self, hints: Mapping[KeyId, Hint], context: Any) -> dict[KeyId, Outcome]:
        """Reconcile the keys of ``hints`` and return what became of each.

        Raises:
            TransientError, SystemicError: the setting cannot be read.

        Args:
            hints: keys that may need work.
            context: Lambda's context of the invocation.
        """

        def seconds_left() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE

        keys = [hint.key for hint in hints.values()]
        outcomes: dict[KeyId, Outcome] = {}
        for start in range(0, len(keys), _PORTION):
            outcomes |= self._runtime.reconciler.reconcile(
                # Asked again for each portion: a large batch must not outlive the setting that it began under.
                keys[start : start + _PORTION],
                self.policy(),
                Role.ENCRYPTOR,
                seconds_left,
            )
        self._measure(hints, outcomes)
        return outcomes

    def _measure(self, hints: Mapping[KeyId, Hint], outcomes: Mapping[KeyId, Outcome]) -> None:
        now = self._clock()
        self.telemetry.milliseconds(
            "PlaintextWindow",
            (
                max(0.0, now - written_at) * 1000
                for key, outcome in outcomes.items()
                if outcome.status is Status.ENCRYPTED and (written_at := hints[key].written_at) is not None
            ),
        )
        self.telemetry.kms(self._runtime.cipher.meter.drain())
