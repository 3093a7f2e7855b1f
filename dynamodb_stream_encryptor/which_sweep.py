"""Which sweep is meant where none is named."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from dynamodb_stream_encryptor.command import Operator
from dynamodb_stream_encryptor.errors import NotFound, UsageError
from dynamodb_stream_encryptor.follow import Patience
from dynamodb_stream_encryptor.sweep import ACTIVE, Sweep, read_sweep, read_time

_FOLLOWS: Final = timedelta(minutes=3)  # After a change to on; the messages that start its sweep are taken by then.


def find_sweep(operator: Operator, interval: float, patience: Patience | None = None) -> Sweep:
    """Return the sweep to follow where none is named: the one that runs or is paused, else the last one.

    Where encryption was just switched on, the sweep that follows that is waited for.

    Raises:
        NotFound: there never was one.
        UsageError: more than one runs or is paused.
        GaveUpWaiting: the time is up.
    """
    waited = False
    while True:
        status = operator.control.ask("status")
        sweeps = [read_sweep(sweep) for sweep in status.get("sweeps") or ()]
        if any(sweep.active for sweep in sweeps):
            return only_one(sweeps, ACTIVE)
        if not is_expected(status.get("setting") or {}, sweeps, datetime.now(UTC)):
            break
        if not waited:
            waited = True
            operator.output.note("Encryption was just switched on: waiting for the sweep that follows.")
        if patience is not None:
            patience.check_time()
        time.sleep(interval)
    if not sweeps:
        raise NotFound("No sweep was ever started.")
    last = max(sweeps, key=lambda sweep: (sweep.started_at or datetime.min.replace(tzinfo=UTC), sweep.id))
    operator.output.note(f"No sweep runs or is paused. The last one was {last.id}:")
    return last


def is_expected(setting: Mapping[str, Any], sweeps: Sequence[Sweep], now: datetime) -> bool:
    """Tell whether a sweep is about to begin, since encryption was switched on a moment ago."""
    changed_at = read_time(setting.get("changedAt"))
    # Where it is on for a part, none follows by itself.
    is_on_for_all = setting.get("enabled") and setting.get("part") is None
    if not is_on_for_all or changed_at is None or now - changed_at > _FOLLOWS:
        return False
    return not any(sweep.goal == "encrypt" and sweep.setting_version == setting.get("version") for sweep in sweeps)


def only_one(sweeps: Sequence[Sweep], states: Sequence[str]) -> Sweep:
    """Return the one sweep in one of the states.

    Raises:
        NotFound: there is none.
        UsageError: there is more than one.
    """
    found = [sweep for sweep in sweeps if sweep.state in states]
    wanted = " or ".join(states)
    if not found:
        raise NotFound(f"No sweep is {wanted}.")
    if len(found) > 1:
        names = ", ".join(f"{sweep.id} ({sweep.goal}, {sweep.state})" for sweep in found)
        raise UsageError(f"More than one sweep is {wanted}; name one of {names}.", "ambiguous")
    return found[0]
