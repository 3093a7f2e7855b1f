"""Where a command's words go: results to standard output, everything else to standard error."""

import json
import re
import sys
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNBOUNDED: Final = 100_000  # Columns where there is no terminal: whatever reads there wraps, or does not, by itself.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Output:
    """Both streams of one command.

    Attributes:
        as_json: whether standard output is for a program.
    """

    def __init__(self, as_json: bool = False) -> None:
        """Write to the process's streams as they are now."""
        self.as_json = as_json
        self._out = _console(sys.stdout)
        self.notes = _console(sys.stderr)

    @property
    def is_terminal(self) -> bool:
        """Tell whether somebody watches what is noted."""
        return self.notes.is_terminal

    @property
    def can_redraw(self) -> bool:
        """Tell whether a line of notes can be taken away again."""
        return self.notes.is_terminal and not self.notes.is_dumb_terminal

    def document(self, document: Any) -> None:
        """Print a JSON document, the one thing that a program reads."""
        sys.stdout.write(f"{json_text(document)}\n")
        sys.stdout.flush()

    def raw(self, text: str) -> None:
        """Print text as it is."""
        sys.stdout.write(f"{text}\n")

    def line(self, text: str = "", style: str = "") -> None:
        """Print a line of the result for people."""
        self._out.print(Text(printable(text), style=style), soft_wrap=True)

    def table(self, table: Table) -> None:
        """Print a table of the result for people: fitted into a terminal, else a line a row, whatever its length."""
        if self._out.is_terminal:
            self._out.print(table)
            return
        with self._out.capture() as captured:
            self._out.print(table)
        self.raw("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def note(self, text: str, style: str = "") -> None:
        """Print a line beside the result."""
        self.notes.print(Text(printable(text), style=style), soft_wrap=True)

    def passing(self, text: str) -> None:
        """Show what holds for a moment: in place on a terminal, where no text takes it away; else as a note."""
        if self.can_redraw:
            self.notes.file.write(f"\r\x1b[2K{printable(text)}")
            self.notes.file.flush()
        elif text:
            self.note(text)


def facts(pairs: list[tuple[str, str]]) -> Table:
    """Return a table of names and values, without lines."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, cell(value))
    return table


def cell(value: object, style: str = "") -> Text:
    """Return a value for a table: never markup, and nothing in it moves the cursor."""
    return Text(printable("" if value is None else str(value)), style=style)


def printable(text: str) -> str:
    """Return `text` with control characters spelled out: item keys and messages are other people's words."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def json_text(document: Any, indent: int | None = 2) -> str:
    """Return JSON that is safe on a terminal too; equal, when parsed, to `document`."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, default=str)
    return "\n".join(printable(line) for line in text.split("\n"))


def _console(stream: Any) -> Console:
    return Console(file=stream, width=None if stream.isatty() else _UNBOUNDED, highlight=False, emoji=False)
