"""Chat sessions from a file, one JSON object a line."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from local.errors import LocalStackError

SAMPLES: Final = Path(__file__).with_name("demo_sessions.jsonl")
"""A dozen sessions, written for the demo."""

_KEY: Final = ("sessionId", "userId")


def load_sessions(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the sessions in a `.jsonl` or `.jsonl.gz` file, numbers as `Decimal`, which is what boto3 takes.

    Raise `LocalStackError`, naming the line, for a file that cannot be read or a line that is no session.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _session(line, f"{path.name}, line {number}")
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise LocalStackError(f"cannot read {path}: {error}") from error


def _session(line: str, place: str) -> dict[str, Any]:
    try:
        session = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        raise LocalStackError(f"{place}: not JSON") from None
    if not isinstance(session, dict):
        raise LocalStackError(f"{place}: not an object")
    for name in _KEY:
        if not isinstance(session.get(name), str) or not session[name]:
            raise LocalStackError(f"{place}: {name} must be a text that is not empty")
    return session
