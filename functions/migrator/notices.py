"""What somebody should be told of a sweep: that it ended, that items failed, that it stands still. Pure.

A notice holds numbers, names and times: no value of an item, and no key of one. Each has a mark, by which it is sent
once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from encryptor_runtime.messages import Goal
from evidence.counted import counted
from migrator import views
from migrator.progress import Segment, State, Sweep, came_forward

TOLD_WITHIN: Final = timedelta(hours=6)
"""For how long after its end a sweep's end is told: a stack that is updated does not tell of all that ever was."""

SCHEDULED: Final = "schedule"
"""Who starts the sweeps of the schedules: of these, only what did not go well is told."""

_SUBJECT: Final = 100  # Characters, of ASCII (SNS API reference, "Publish").


@dataclass(frozen=True)
class Notice:
    """One notice.

    Attributes:
        event: ``ended``, ``failed`` or ``stalled``.
        sweep: the sweep's id.
        mark: by which it is told once.
        subject: a line for people.
        text: the message.
    """

    event: str
    sweep: str
    mark: str
    subject: str
    text: str


def is_looked_at(found: Sweep, now: datetime) -> bool:
    """Tell whether anything of a sweep may have to be told: what it was long ago is history."""
    return found.finished_at is None or now - found.finished_at < TOLD_WITHIN


def due(
    found: Sweep, segments: Sequence[Segment], now: datetime, stalled_after: timedelta, stack: str
) -> Iterator[Notice]:
    """Yield what is to be told of a sweep as it is now, whether it was told already or not.

    Args:
        found: the sweep.
        segments: its segments.
        now: the time, aware.
        stalled_after: for how long a sweep that runs may commit no page.
        stack: the stack's name.
    """
    shown = views.sweep(found, segments, now)
    failed: int = shown["itemsFailed"]
    if found.state not in (State.RUNNING, State.PAUSED):
        went_well = found.state is State.DONE and not failed
        if is_looked_at(found, now) and not (found.started_by == SCHEDULED and went_well):
            how = f"ended: {found.state.value}" + (f", {counted(failed, 'item')} failed" if failed else "")
            yield _notice("ended", found.id, how, shown, stack, _next_step(found, failed, stack))
        return
    if failed:
        yield _notice(
            "failed", found.id, f"goes on, {counted(failed, 'item')} failed", shown, stack, _list_failures(stack)
        )
    last = came_forward(found, segments)
    if found.state is State.RUNNING and now - last >= stalled_after:
        minutes = int((now - last).total_seconds() // 60)
        step = (
            f"`stream-encryptor resume {found.id} --stack {stack}` queues it again where its messages were lost; the "
            "migrator's log says more."
        )
        # The last commit, or resume, names the standstill: one that ends and comes again is another.
        yield _notice(
            "stalled", f"{found.id}#{last.isoformat()}", f"stands still for {minutes} min", shown, stack, step
        )


def _notice(event: str, mark: str, how: str, shown: Mapping[str, Any], stack: str, step: str) -> Notice:
    subject = f"Sweep {shown['id']} ({shown['goal']}) {how} - {stack}"
    facts = {
        "stack": stack,
        "sweep": shown["id"],
        "goal": shown["goal"],
        "state": shown["state"] + (f" ({shown['reason']})" if shown["reason"] else ""),
        "items": f"{shown['scanned']:,} of about {shown['estimatedItems']:,}",
        "failed": f"{shown['itemsFailed']:,}",
        **{f"counted {name}": f"{number:,}" for name, number in sorted(shown["counts"].items()) if number},
        **{
            f"counted {name}, outside of the part": f"{number:,}"
            for name, number in sorted(shown["outside"].items())
            if number
        },
        "segments": f"{shown['segmentsDone']} of {shown['segments']} done",
        "started": shown["startedAt"],
        "ended": shown["finishedAt"],
    }
    lines = [f"{name}: {value}" for name, value in facts.items() if value is not None]
    return Notice(event, shown["id"], f"{event}#{mark}", subject[:_SUBJECT], "\n".join([subject, "", *lines, "", step]))


def _next_step(found: Sweep, failed: int, stack: str) -> str:
    if failed:
        return _list_failures(stack)
    if found.state is State.DONE and found.goal is Goal.VERIFY:
        return f"`stream-encryptor watch {found.id} --stack {stack}` tells what it found."
    if found.state is State.DONE:
        return f"`stream-encryptor verify --stack {stack}` counts what is in the table now."
    return f"`stream-encryptor status --stack {stack}` shows how things stand."


def _list_failures(stack: str) -> str:
    return f"`stream-encryptor failures list --stack {stack}` shows what failed, and why."
