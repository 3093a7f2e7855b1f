"""Says on standard error that an answer is still awaited, once that takes longer than a moment."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dynamodb_stream_encryptor.output import Output

_DOING: Final = {
    "branch-keys": "Reading the branch keys",
    "config": "Reading the setting",
    "decrypt-item": "Decrypting the item",
    "discard": "Looking for the dead letter",
    "failures": "Reading the failure queue",
    "look-at-tenant": "Looking at the tenant's items",
    "make-branch-key": "Making the branch key",
    "judge": "Judging the verification",
    "redrive": "Trying dead letters again",
    "report": "Putting the evidence together",
    "rotate-branch-key": "Rotating the branch key",
    "set-config": "Changing the setting",
    "shred-tenant": "Looking at the tenant's items, and destroying its branch key",
    "start": "Starting the sweep",
    "status": "Asking how things stand",
}
"""What is awaited, by what the control function was asked."""

_ANYTHING: Final = "Waiting for the control function"
_FIRST: Final = 2.0  # Seconds of silence that nobody minds.
_BETWEEN: Final = 10.0  # Seconds between two lines in a log.
_REDRAWN: Final = 0.5  # Seconds between two looks of the one line on a terminal.


@contextmanager
def waiting(output: Output, command: str, *, first: float = _FIRST, between: float | None = None) -> Iterator[None]:
    """Say what is awaited for as long as the block takes: one line that counts on a terminal, else a line now and then.

    Args:
        output: where notes go.
        command: what the control function is asked; anything else is a sentence of its own.
        first: seconds after which something is said at all.
        between: seconds between two lines, where not as usual.
    """
    doing = _DOING.get(command, _ANYTHING if command.islower() else command)
    ended = threading.Event()
    pause = between or (_REDRAWN if output.can_redraw else _BETWEEN)
    thread = threading.Thread(target=_tell, args=(output, doing, ended, first, pause), daemon=True, name="waiting")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _tell(output: Output, doing: str, ended: threading.Event, first: float, pause: float) -> None:
    began, told = time.monotonic(), False
    while not ended.wait(pause if told else first):
        told = True
        output.passing(f"{doing} … {time.monotonic() - began:.0f} s")
    if told:
        output.passing("")
