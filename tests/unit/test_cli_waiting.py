"""An answer that takes long is told of: on standard error, counted, and taken away again on a terminal."""

import io
import re
import threading

import pytest
from rich.console import Console

from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.waiting import waiting


class Screen(io.StringIO):
    """Text that was written, and an event for when there is enough of it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words, self.reached = words, threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.words in self.getvalue():
            self.reached.set()
        return written


def noted(screen: Screen, *, terminal: bool, as_json: bool = False) -> Output:
    output = Output(as_json)
    output.notes = Console(file=screen, force_terminal=terminal, width=80, _environ={"TERM": "xterm"})
    return output


@pytest.mark.parametrize("as_json", [False, True])
def test_lines_in_a_log_and_nothing_on_standard_output(capsys, as_json):
    screen = Screen(" 0 s\nTrying dead letters again … 0 s\n")
    with waiting(noted(screen, terminal=False, as_json=as_json), "redrive", first=0.01, between=0.01):
        assert screen.reached.wait(10)
    assert capsys.readouterr().out == ""
    assert {re.sub(r"[0-9]+ s$", "# s", line) for line in screen.getvalue().splitlines()} == {
        "Trying dead letters again … # s"
    }


def test_a_line_that_is_drawn_again_and_taken_away_on_a_terminal():
    screen = Screen("Reading the failure queue … 0 s")
    with waiting(noted(screen, terminal=True), "failures", first=0.01, between=0.01):
        assert screen.reached.wait(10)
    drawn = screen.getvalue()
    assert "\n" not in drawn
    assert drawn.endswith("\r\x1b[2K")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_quick_answer_leaves_nothing(terminal):
    screen = Screen("x")
    with waiting(noted(screen, terminal=terminal), "status", first=60.0):
        pass
    assert screen.getvalue() == ""


def test_it_ends_with_the_error_of_what_it_waits_for():
    screen = Screen("Looking for the stack … 0 s")

    def wait_and_fail() -> None:
        with waiting(noted(screen, terminal=False), "Looking for the stack", first=0.01, between=0.01):
            assert screen.reached.wait(10)
            raise KeyError

    with pytest.raises(KeyError):
        wait_and_fail()
    assert not [thread for thread in threading.enumerate() if thread.name == "waiting"]
