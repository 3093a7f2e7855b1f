"""Switching on or off, together with the sweep that has to follow."""

import math
from contextlib import suppress
from typing import Final

from encryptor_runtime.clients import longest_call
from encryptor_runtime.messages import StartWork
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch, SwitchState, VersionConflict
from item_crypto.errors import SystemicError, TransientError

CONFIRMATION: Final = "switch-off"
"""What whoever switches encryption off has to say, since new writes stay in plaintext from then on."""

CHANGE_SECONDS: Final = longest_call()
"""For how long a change of the setting is under way at most: then it holds, or never will."""

_MARGIN: Final = 1  # second, for clocks


def settled_after(cache_seconds: float) -> float:
    """Return how many seconds after a change of the setting nothing is written by the old one any more.

    A write is sent no later than one cache lifetime after the setting was read, and is then under way for as long as
    the client's time-outs and attempts allow::

        read the old setting ── cache lifetime ──▶ last write is sent ── longest call ──▶ it took effect, or never will
           change, at the earliest
    """
    return cache_seconds + longest_call() + _MARGIN


def switch_and_sweep(switch: Switch, work: WorkQueue, enabled: bool, by: str, expected_version: int) -> SwitchState:
    """Bring the setting to ``enabled`` and return it; where it is on then, an ``encrypt`` sweep follows.

    Two messages ask for the sweep, which starts once however often it is asked for. The one that is sent before the
    change is held back until the change has been made or cannot be made any more::

        send "sweep under version 4", for later ── change to version 4 ─┬─ made ── send it for now: the sweep starts
                                                                        ├─ made, and then a crash: it starts later
                                                                        └─ conflict, crash: it is dropped

    The other way round, a crash between the two would leave plaintext that no trigger points at. Asking for what the
    setting says already makes no version and stops no sweep; if it is on, the sweep is asked for again.

    Raises:
        VersionConflict: somebody else changed the setting first.
        TransientError, SystemicError: SQS or DynamoDB did not answer; the setting may have been changed all the same.
    """
    before = switch.read_now()
    if before.version != expected_version:
        raise VersionConflict(before)
    if before.enabled == enabled:
        if enabled:
            work.start(StartWork(by, before.version, again=True), 0)
        return before
    if not enabled:
        return switch.change(enabled, by, expected_version)
    message = StartWork(by, expected_version + 1)
    # To send it may have taken as long as the longest call, and so may the change.
    work.start(message, math.ceil(2 * CHANGE_SECONDS) + _MARGIN)
    setting = switch.change(enabled, by, expected_version)
    with suppress(TransientError, SystemicError):  # The first message comes a minute later, and does the same.
        work.start(message, 0)
    return setting
