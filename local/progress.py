"""How far a command is, while it counts something up: a bar on a terminal, and a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_INTERVAL: Final = 2.0  # Seconds between lines: silence for longer looks like a standstill.


@contextmanager
def counting(what: str, total: int, *, now: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int], None]]:
    """Yield what is to be called with how many more are done, and show that on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console, what, total, now)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda more: progress.advance(bar, more)


def _lines(console: Console, what: str, total: int, now: Callable[[], float]) -> Callable[[int], None]:
    done, told = 0, now()

    def advance(more: int) -> None:
        nonlocal done, told
        done += more
        if now() - told >= _INTERVAL and done < total:
            told = now()
            console.print(f"{done:,} of {total:,} {what}", highlight=False)

    return advance
