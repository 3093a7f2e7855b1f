"""Switching on or off, together with the sweep that has to follow."""

import time
from collections.abc import Callable
from typing import Final

from encryptor_runtime.messages import StartWork
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch, SwitchState

CONFIRMATION: Final = "switch-off"
"""What whoever switches encryption off has to say, since new writes stay in plaintext from then on."""

_MARGIN: Final = 1  # second, for clocks


def switch_and_sweep(
    switch: Switch,
    work: WorkQueue,
    enabled: bool,
    by: str,
    expected_version: int,
    clock: Callable[[], float] = time.monotonic,
) -> SwitchState:
    """Change the setting; switching on queues an ``encrypt`` sweep.

    The sweep's message is sent first, under the version that the change is going to make, and begins one cache
    lifetime later, when no function can still act on the old setting::

        send "sweep under version 4" ── change to version 4 ──┬─ made: the sweep begins
                                                              ├─ made, but after the message arrived: sent again
                                                              └─ conflict, crash: the sweep is dropped

    The other way round, a crash between the two would leave plaintext that no trigger points at.

    Raises:
        VersionConflict: somebody else changed the setting first.
        TransientError, SystemicError: SQS or DynamoDB did not answer; the setting may have been changed all the same.
    """
    if not enabled:
        return switch.change(enabled, by, expected_version)
    message = StartWork(by, expected_version + 1)
    delay = int(switch.cache_seconds) + _MARGIN
    sent = clock()
    work.start(message, delay)
    setting = switch.change(enabled, by, expected_version)
    if clock() - sent >= delay:
        work.start(message, delay)
    return setting
