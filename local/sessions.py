"""Chat sessions from a file, one JSON object a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from local.errors import LocalStackError
from local.item_lines import numbered_lines, read_object

SAMPLES: Final = Path(__file__).with_name("demo_sessions.jsonl")
"""A dozen sessions, written for the demo."""

_KEY: Final = ("sessionId", "userId")


def load_sessions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the sessions in a `.jsonl` or `.jsonl.gz` file, numbers as `Decimal`, which is what boto3 takes.

    Raise `LocalStackError`, naming the line, for a file that cannot be read or a line that is no session.
    """
    for number, line in numbered_lines(path):
        place = f"{path.name}, line {number}"
        yield _session(read_object(line, place), place)


def _session(session: dict[str, Any], place: str) -> dict[str, Any]:
    for name in _KEY:
        if not isinstance(session.get(name), str) or not session[name]:
            raise LocalStackError(f"{place}: {name} must be a text that is not empty")
    return session
