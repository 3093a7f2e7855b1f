"""Switching on or off, for all or for a part, together with the sweep that has to follow."""

import math
from contextlib import suppress
from typing import Final

from encryptor_runtime.clients import longest_call
from encryptor_runtime.messages import StartWork
from encryptor_runtime.queues import WorkQueue
from encryptor_runtime.switch import Switch, SwitchState, VersionConflict
from item_crypto.core.part import Buckets, Part, covers
from item_crypto.errors import SystemicError, TransientError

CONFIRMATION: Final = "switch-off"
"""What whoever switches encryption off, for all or for some, has to say: new writes stay in plaintext from then on."""

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


def narrows(before: SwitchState, enabled: bool, part: Part | None) -> bool:
    """Tell whether a change leaves items without encryption that have it."""
    return before.enabled and not (enabled and covers(part, before.part))


def is_followed(enabled: bool, part: Part | None) -> bool:
    """Tell whether something is done at once for what is in the table: a sweep where encryption is on for all.

    Listed keys are encrypted by themselves. To encrypt some buckets takes a look at every item: that is a sweep of the
    operator's, when they are ready for it, or happens as items are written and read.
    """
    return enabled and not isinstance(part, Buckets)


def switch_and_sweep(
    switch: Switch, work: WorkQueue, enabled: bool, by: str, expected_version: int, part: Part | None = None
) -> SwitchState:
    """Bring the setting to ``enabled``, for ``part`` or for all, and return it.

    Where it is on for all then, an ``encrypt`` sweep follows; where for listed keys, these are encrypted.

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
    if (before.enabled, before.part) == (enabled, part):
        if is_followed(enabled, part):
            work.start(StartWork(by, before.version, again=True), 0)
        return before
    if not is_followed(enabled, part):
        return switch.change(enabled, by, expected_version, part)
    message = StartWork(by, expected_version + 1)
    # To send it may have taken as long as the longest call, and so may the change.
    work.start(message, math.ceil(2 * CHANGE_SECONDS) + _MARGIN)
    setting = switch.change(enabled, by, expected_version, part)
    with suppress(TransientError, SystemicError):  # The first message comes a minute later, and does the same.
        work.start(message, 0)
    return setting
