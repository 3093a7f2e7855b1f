"""A sweep that stands still is told, with what helps."""

import io

import pytest
from rich.console import Console

from dynamodb_stream_encryptor.progress import progress_line, standstill
from dynamodb_stream_encryptor.progress_views import drawing
from dynamodb_stream_encryptor.sweep import read_sweep
from tests.fake_control import sweep


def running(minutes, **fields):
    return read_sweep(
        sweep(
            **{"goal": "encrypt", "state": "running", "finishedAt": None, "minutesWithoutProgress": minutes, **fields}
        )
    )


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (None, ""),
        (0, ""),
        (1, ""),
        (2, "no progress for 2 min; `resume sweep-1`"),
        (4, "no progress for 4 min; `resume sweep-1`"),
        (125, "no progress for 2 h 05 min; `resume sweep-1`"),
    ],
)
def test_standstill(minutes, words):
    assert standstill(running(minutes)) == words


@pytest.mark.parametrize("state", ["paused", "done", "cancelled", "stopped"])
def test_a_sweep_that_does_not_run_does_not_stand_still(state):
    assert standstill(running(9, state=state)) == ""


def test_a_line_tells_it():
    assert progress_line(running(4)).endswith(", no progress for 4 min; `resume sweep-1`")


def test_the_drawing_tells_it():
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(drawing(running(4), 10))
    assert "no progress for 4 min; `resume sweep-1`" in console.file.getvalue()
