"""Projections: widened to what decryption needs, and what comes back narrowed to what was asked for. Pure.

::

    history[0].type, title   ─▶   title, history, encrypted_history, is_encrypted, sessionId, userId
                             ◀─   title, and of the decrypted history its first element's type
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from item_crypto.core.codec import Item, Value
from item_crypto.core.stored_form import IS_ENCRYPTED, encrypted_name
from item_crypto.dropin.expressions import Path, read_path, separated, tokens
from item_crypto.dropin.placeholders import Placeholders
from item_crypto.dropin.protected import Protected
from item_crypto.errors import ExpressionRefused

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Narrowing:
    """What was asked for, where more is read.

    Attributes:
        kept: the attributes that DynamoDB has projected already.
        paths: the paths asked for within each encrypted attribute; an empty one is all of it.
    """

    kept: frozenset[str]
    paths: Mapping[str, Sequence[Steps]]

    def apply(self, item: Item) -> dict[str, Value]:
        """Return what was asked for of an item in the clear."""
        result = {name: value for name, value in item.items() if name in self.kept}
        for name, paths in self.paths.items():
            projected = _projected(item[name], paths) if name in item else None
            if projected is not None:
                result[name] = projected
        return result


def widened(text: str, placeholders: Placeholders, protected: Protected) -> tuple[str, Narrowing | None]:
    """Return the projection to be sent, and how to narrow what it brings; None where it names nothing encrypted.

    Args:
        text: the caller's projection.
        placeholders: those of the request; gets what the wider projection needs.
        protected: the attributes that DynamoDB cannot see.

    Raises:
        ExpressionRefused: it names the stored form, or two paths overlap.
    """
    paths = [_path(part, placeholders) for part in separated(tokens(text))]
    encrypted: dict[str, list[Steps]] = {}
    others: list[Path] = []
    for path in paths:
        protected.refuse_hidden(path.root)
        if path.root in protected.attributes:
            encrypted.setdefault(path.root, []).append(path.steps[1:])
        else:
            others.append(path)
    if not encrypted:
        return text, None
    for name, steps in encrypted.items():
        _refuse_overlap(name, steps)
    kept = frozenset(path.root for path in others)
    needed = [*encrypted, *map(encrypted_name, encrypted), IS_ENCRYPTED, *(set(protected.keys) - kept)]
    parts = [*(text[path.start : path.end] for path in others), *map(placeholders.name, needed)]
    return ", ".join(parts), Narrowing(kept, encrypted)


def _path(part: Sequence[Any], placeholders: Placeholders) -> Path:
    if part and part[0].kind == "name":
        path, behind = read_path(part, 0, placeholders.names)
        if behind == len(part):
            return path
    raise ExpressionRefused(None, "the projection is no list of paths; correct it")


def _refuse_overlap(name: str, paths: Sequence[Steps]) -> None:
    for number, one in enumerate(paths):
        for other in paths[number + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                raise ExpressionRefused(name, "two paths of the projection overlap; name the outer one only")


def _projected(value: Value, paths: Sequence[Steps]) -> Value | None:
    """Return what ``paths`` lead to within ``value``: maps with those members only, lists without gaps."""
    if () in paths:
        return value
    ((kind, content),) = value.items()
    below: dict[str | int, list[Steps]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    members: Mapping[str | int, Value] = {}
    if kind == "M":
        members = {step: content[step] for step in below if isinstance(step, str) and step in content}
    elif kind == "L":
        indexes = sorted(step for step in below if isinstance(step, int) and step < len(content))
        members = {index: content[index] for index in indexes}
    found = {step: part for step, member in members.items() if (part := _projected(member, below[step])) is not None}
    if not found:
        return None
    return {"M": found} if kind == "M" else {"L": list(found.values())}
