"""DynamoDB's expressions as far as they have to be understood: tokens and paths. Pure.

There is no kept parser of them for Python, and none is needed: an expression is looked through for the paths that it
names, and a few spans of its text are replaced. Whatever DynamoDB would refuse is left to it. The grammar is the
Developer Guide's ("Using expressions in DynamoDB").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from item_crypto.errors import ExpressionRefused

_TOKEN: Final = re.compile(
    r"(?P<name>#[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*)|(?P<value>:[A-Za-z0-9_]+)|(?P<number>\d+)"
    r"|(?P<sign><>|<=|>=|[][().,=<>+-])|(?P<space>\s+)"
)


@dataclass(frozen=True)
class Token:
    """A word or a sign of an expression.

    Attributes:
        kind: ``name``, ``value`` (a placeholder of one), ``number`` or ``sign``.
        text: as it is written.
        start: where it begins in the expression.
        end: where it ends.
    """

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Path:
    """A document path.

    Attributes:
        steps: the attribute's name, then the names of members and the indexes of elements.
        start: where the path begins in the expression.
        end: where it ends.
    """

    steps: tuple[str | int, ...]
    start: int
    end: int

    @property
    def root(self) -> str:
        """The attribute's name."""
        return str(self.steps[0])

    @property
    def is_nested(self) -> bool:
        """Whether it leads into the attribute."""
        return len(self.steps) > 1


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression.

    Raises:
        ExpressionRefused: it has a character that no expression can have, so that nobody knows what it names.
    """
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionRefused(None, "the expression cannot be read; correct it")
        position = match.end()
        if (kind := match.lastgroup or "space") != "space":
            found.append(Token(kind, match[0], match.start(), match.end()))
    return found


def is_sign(words: Sequence[Token], position: int, sign: str) -> bool:
    """Tell whether the token at ``position`` is ``sign``; False behind the end."""
    return position < len(words) and words[position].text == sign


def read_path(words: Sequence[Token], position: int, names: Mapping[str, str]) -> tuple[Path, int]:
    """Return the path that begins at ``position``, and the position behind it.

    Args:
        words: the tokens.
        position: that of the path's first token, a name.
        names: the request's ``ExpressionAttributeNames``.
    """
    steps: list[str | int] = [_name(words[position], names)]
    at = position + 1
    while True:
        if is_sign(words, at, ".") and at + 1 < len(words) and words[at + 1].kind == "name":
            steps.append(_name(words[at + 1], names))
            at += 2
        elif is_sign(words, at, "[") and at + 1 < len(words) and words[at + 1].kind == "number":
            steps.append(int(words[at + 1].text))
            at += 3 if is_sign(words, at + 2, "]") else 2
        else:
            return Path(tuple(steps), words[position].start, words[at - 1].end), at


def paths_in(words: Sequence[Token], names: Mapping[str, str], keywords: frozenset[str]) -> Iterator[Path]:
    """Return every path that is named among ``words``: all names but functions and ``keywords`` (upper case)."""
    at = 0
    while at < len(words):
        if words[at].kind != "name" or is_sign(words, at + 1, "(") or words[at].text.upper() in keywords:
            at += 1
        else:
            path, at = read_path(words, at, names)
            yield path


def separated(words: Sequence[Token]) -> list[list[Token]]:
    """Return ``words`` in parts, divided by the commas that stand in no parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for word in words:
        depth += (word.text == "(") - (word.text == ")")
        if word.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _name(word: Token, names: Mapping[str, str]) -> str:
    # A placeholder that stands for nothing is DynamoDB's to refuse.
    return names.get(word.text, word.text) if word.text.startswith("#") else word.text
