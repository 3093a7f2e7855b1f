"""The part that encryption is to be on for, as an operator gives it, and in words.

::

    --keys '{"sessionId": "dlg-1", "userId": "alice"}'     one key, or several with commas between them
    --keys-file FILE                                       one key a line, empty lines left out
    --part 0.25%                                           of all keys, by their hash: 25 of 10,000 buckets
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

from dynamodb_stream_encryptor.counted import counted
from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.item_key import read_key

_PERCENT: Final = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?\s*%?", re.ASCII)
_BUCKETS_OF_A_PERCENT: Final = 100
_MOST: Final = 1_000_000  # Characters of a file of keys: a hundred keys of 3 KB each are less.

Part: TypeAlias = Mapping[str, Any]
"""As the control function takes it: ``{"buckets": 100}`` or ``{"keys": […]}``."""


def part_of(keys: Sequence[str], keys_file: Path | None, percent: str | None) -> Part | None:
    """Return the part that the options name; None where none does.

    Raises:
        UsageError: they cannot be read, or name more than one.
    """
    named = [bool(keys), keys_file is not None, percent is not None]
    if sum(named) > 1:
        raise UsageError("--keys, --keys-file and --part exclude each other.")
    if percent is not None:
        return {"buckets": _buckets(percent)}
    if keys_file is not None:
        return {"keys": _read_all(_lines(keys_file))}
    return {"keys": _read_all(keys)} if keys else None


def part_text(part: Mapping[str, Any]) -> str:
    """Return a part of the setting in words."""
    match part:
        case {"buckets": int(number), "of": int(of)} if of > 0:
            percent = f"{number * 100 / of:.2f}".rstrip("0").rstrip(".")
            return f"{percent}% of the keys"
        case {"keys": int(number)}:
            return counted(number, "listed key")
    return "a part"


def narrows(before: Mapping[str, Any], part: Part | None) -> bool:
    """Tell whether encryption would be on for less than before: new writes of others stay in plaintext then.

    Args:
        before: the answer to `config`.
        part: the part that it would be on for; None for all.
    """
    setting = before.get("setting") or {}
    now = setting.get("part")
    if not setting.get("enabled") or part is None:
        return False
    match now, part:
        case {"buckets": int(number)}, {"buckets": int(other)}:
            return other < number
        case {"keys": _}, {"keys": list(keys)}:
            typed = [_identity(key) for key in keys]
            return not all(_identity(key) in typed for key in before.get("listedKeys") or [None])
    return True


def _identity(key: Any) -> Any:
    """Return what tells a key from others, however it is spelled: 1 and 1.0 are one; what is none, as it is."""
    try:
        return {name: _content(part) for name, part in key.items()}
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        return key


def _content(part: Mapping[str, Any]) -> tuple[str, Any]:
    match part:
        case {"N": str(digits)}:
            return "N", Decimal(digits)
        case {"B": str(text)}:
            return "B", base64.b64decode(text)
    ((kind, content),) = part.items()
    return kind, content


def _buckets(percent: str) -> int:
    match = _PERCENT.fullmatch(percent.strip())
    number = 0 if match is None else int(match[1]) * _BUCKETS_OF_A_PERCENT + int((match[2] or "").ljust(2, "0"))
    if not number:
        raise UsageError(
            "--part must be a percentage from 0.01% to 99.99%, with two decimals at most. For all, leave it out."
        )
    return number


def _read_all(texts: Iterable[str]) -> list[dict[str, dict[str, str]]]:
    keys = [read_key(text) for given in texts for text in _several(given)]
    if not keys:
        raise UsageError("No key is given.")
    return keys


def _several(text: str) -> Iterator[str]:
    """Return the keys in a text, each as it was typed, so that a number keeps its digits."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    decoder = json.JSONDecoder()
    while True:
        try:
            _, end = decoder.raw_decode(text)
        except (json.JSONDecodeError, RecursionError):
            yield text  # Whoever reads it says what is wrong with it.
            return
        key, rest = text[:end], text[end:].lstrip()
        if not rest.startswith(","):
            yield text if rest else key
            return
        yield key
        text = rest[1:].lstrip()


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}).") from None
    if len(text) > _MOST:
        raise UsageError(f"{path} is too large for a file of 100 keys.")
    return [line for line in text.splitlines() if line.strip()]
