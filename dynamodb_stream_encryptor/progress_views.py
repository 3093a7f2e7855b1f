"""Ways to show a sweep while it goes on: bars on a terminal, plain lines, lines of JSON, nothing."""

import json
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.progress import (
    duration,
    end_time,
    progress,
    progress_line,
    segment_fraction,
    segments,
    speeds,
    standstill,
)
from dynamodb_stream_encryptor.sweep import Segment, Sweep

_SECONDS_BETWEEN_LINES: Final = 5.0
_BAR_WIDTH: Final = 40
_ROWS_BESIDE: Final = 8  # Lines of the terminal that are not segments.


class View(Protocol):
    """Shows readings of one sweep."""

    def show(self, sweep: Sweep, document: Any) -> None:
        """Show a reading; `document` is what it was read from."""

    def close(self) -> None:
        """Leave the screen as it is to stay."""


class Nothing:
    """Shows nothing: who waits wants the end."""

    def show(self, sweep: Sweep, document: Any) -> None:
        """Leave it."""

    def close(self) -> None:
        """Leave it."""


class Bars:
    """A bar for the whole and one for each segment, redrawn in place."""

    def __init__(self, console: Console) -> None:
        """Draw on a terminal."""
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def close(self) -> None:
        """Leave the last drawing where it is."""
        self._live.stop()

    def show(self, sweep: Sweep, document: Any) -> None:  # noqa: ARG002 - the views share a signature
        """Redraw."""
        rows = max(self._console.height - _ROWS_BESIDE, 4)
        self._live.update(drawing(sweep, rows), refresh=True)


class Lines:
    """A plain line now and then, for logs."""

    def __init__(self, output: Output, clock: Callable[[], float] = time.monotonic) -> None:
        """Write notes; `clock` returns seconds that only go forward."""
        self._output = output
        self._clock = clock
        self._last: tuple[float, str, str] | None = None

    def close(self) -> None:
        """Leave what was written."""

    def show(self, sweep: Sweep, document: Any) -> None:  # noqa: ARG002 - the views share a signature
        """Write a line if there is news: a new state at once, new numbers every few seconds."""
        line, now = progress_line(sweep), self._clock()
        if self._last is not None:
            then, state, text = self._last
            if text == line or (state == sweep.state and now - then < _SECONDS_BETWEEN_LINES):
                return
        self._output.note(line)
        self._last = (now, sweep.state, line)


class JsonLines:
    """A line of JSON on standard output for every reading that brings news."""

    def __init__(self, output: Output) -> None:
        """Write to standard output."""
        self._output = output
        self._last = ""

    def close(self) -> None:
        """Leave what was written."""

    def show(self, sweep: Sweep, document: Any) -> None:  # noqa: ARG002 - the views share a signature
        """Write the control function's own answer."""
        line = json.dumps(document)
        if line != self._last:
            self._output.raw(line)
            self._last = line


def drawing(sweep: Sweep, rows: int) -> RenderableType:
    """Return the bars; of the segments at most `rows`, those at work first."""
    now = progress(sweep)
    colour = {"done": "green", "running": "cyan", "paused": "yellow"}.get(sweep.state, "red")
    head = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    head.add_row(
        Text(f"{sweep.goal} {sweep.id}", style="bold"),
        _bar(now.fraction, colour),
        f"{now.per_cent} %",
        Text(sweep.state, style=colour),
    )
    seen = counted(sweep.scanned, "item")
    if sweep.estimated_items:
        seen = f"{sweep.scanned:,} of about {counted(sweep.estimated_items, 'item')}"
    left = f"{duration(now.seconds_left)} left" if sweep.state == "running" else ""
    counts = ", ".join(f"{name} {number:,}" for name, number in sweep.counts.items() if number)
    lines: list[RenderableType] = [
        head,
        Text("   ".join(filter(None, [seen, *speeds(sweep), left, end_time(sweep)]))),
        Text(segments(sweep), style="dim"),
        Text(counts, style="dim"),
    ]
    if words := standstill(sweep):
        lines.append(Text(words, style="yellow"))
    return Group(*lines, _segments(sweep, rows))


def _segments(sweep: Sweep, rows: int) -> RenderableType:
    at_work_first = sorted(sweep.details, key=lambda segment: (segment.state == "done", segment.number))
    shown, hidden = at_work_first[:rows], len(at_work_first) - rows
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for segment in sorted(shown, key=lambda segment: segment.number):
        table.add_row(*_segment_row(segment, sweep))
    if hidden > 0:
        table.add_row(Text(f"and {counted(hidden, 'more segment')}", style="dim"))
    return table


def _segment_row(segment: Segment, sweep: Sweep) -> tuple[RenderableType, ...]:
    colour = {"done": "green", "running": "cyan"}.get(segment.state, "bright_black")
    return (
        Text(f"  segment {segment.number}", style="dim"),
        _bar(segment_fraction(segment, sweep), colour, _BAR_WIDTH // 2),
        Text(counted(segment.scanned, "item")),
        Text(counted(segment.pages, "page"), style="dim"),
        Text(segment.state, style="dim"),
    )


def _bar(fraction: float, colour: str, width: int = _BAR_WIDTH) -> ProgressBar:
    return ProgressBar(
        total=1.0, completed=fraction, width=width, style="bright_black", complete_style=colour, finished_style=colour
    )
