"""Update expressions: what they do to encrypted attributes, taken out; all else stays as it is written. Pure.

::

    SET history = :h, title = :t REMOVE configuration ADD views :one
        sets      history: :h
        removes   configuration
        rest      SET title = :t  ADD views :one
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from item_crypto.dropin.expressions import Path, Token, is_sign, paths_in, read_path, separated, tokens
from item_crypto.dropin.placeholders import Placeholders
from item_crypto.dropin.protected import Protected
from item_crypto.errors import ExpressionRefused

_CLAUSES: Final = ("SET", "REMOVE", "ADD", "DELETE")
_NO_KEYWORDS: Final[frozenset[str]] = frozenset()
_WHOLE: Final = "read the item, change the value and SET the whole attribute"


@dataclass(frozen=True)
class Setting:
    """What an encrypted attribute is set to.

    Attributes:
        placeholder: that of the value.
        if_absent: whether it is set only where the item lacks the attribute (``if_not_exists``).
    """

    placeholder: str
    if_absent: bool


@dataclass(frozen=True)
class Update:
    """An update expression.

    Attributes:
        sets: what encrypted attributes are set to.
        removes: the encrypted attributes that are removed.
        rest: everything else, by its clause, as it is written.
    """

    sets: Mapping[str, Setting]
    removes: tuple[str, ...]
    rest: Mapping[str, Sequence[str]]

    @property
    def touched(self) -> tuple[str, ...]:
        """The encrypted attributes that it names."""
        return (*self.sets, *self.removes)


def taken_apart(text: str, placeholders: Placeholders, protected: Protected) -> Update:
    """Return what an update expression does.

    Raises:
        ExpressionRefused: it needs or changes a part of an encrypted value, or names the stored form.
    """
    sets: dict[str, Setting] = {}
    removes: list[str] = []
    rest: dict[str, list[str]] = {}
    for clause, words in _clauses(tokens(text)).items():
        for action in separated(words):
            path = _target(action, placeholders)
            protected.refuse_hidden(path.root)
            if path.root not in protected.attributes:
                for operand in paths_in(action, placeholders.names, _NO_KEYWORDS):
                    protected.refuse(operand, "read the item, and SET what you make of the value")
                rest.setdefault(clause, []).append(text[action[0].start : action[-1].end])
                continue
            if path.is_nested or clause in ("ADD", "DELETE"):
                protected.refuse(path, _WHOLE)
            if path.root in sets or path.root in removes:
                raise ExpressionRefused(path.root, "the expression names the attribute twice; name it once")
            if clause == "SET":
                sets[path.root] = _setting(path, action, placeholders, protected)
            elif path.end == action[-1].end:
                removes.append(path.root)
            else:
                raise ExpressionRefused(path.root, "more than a path follows REMOVE; correct it")
    return Update(sets, tuple(removes), rest)


def rendered(clauses: Mapping[str, Sequence[str]]) -> str:
    """Return the update expression of ``clauses``; empty for none."""
    return " ".join(f"{clause} {', '.join(clauses[clause])}" for clause in _CLAUSES if clauses.get(clause))


def _clauses(words: Sequence[Token]) -> dict[str, list[Token]]:
    clauses: dict[str, list[Token]] = {}
    current: list[Token] | None = None
    for word in words:
        keyword = word.text.upper()
        if keyword in _CLAUSES:  # All four are reserved words, so no attribute is called so without a placeholder.
            if keyword in clauses:
                raise ExpressionRefused(None, f"the expression has two clauses {keyword}; join them")
            current = clauses[keyword] = []
        elif current is None:
            raise ExpressionRefused(None, "the update expression begins with no clause; correct it")
        else:
            current.append(word)
    return clauses


def _target(action: Sequence[Token], placeholders: Placeholders) -> Path:
    if not action or action[0].kind != "name":
        raise ExpressionRefused(None, "the update expression cannot be read; correct it")
    return read_path(action, 0, placeholders.names)[0]


def _setting(path: Path, action: Sequence[Token], placeholders: Placeholders, protected: Protected) -> Setting:
    """Return what the attribute of ``path``, all of it, is set to."""
    operand = [word for word in action if word.start >= path.end]
    match [word.text if word.kind != "value" else ":" for word in operand]:
        case ["=", ":"]:
            return Setting(_known(operand[1].text, path, placeholders), if_absent=False)
        case ["=", "if_not_exists", "(", *_, ",", ":", ")"]:
            default, behind = read_path(operand, 3, placeholders.names)
            if default.steps == path.steps and is_sign(operand, behind, ",") and behind == len(operand) - 3:
                return Setting(_known(operand[-2].text, path, placeholders), if_absent=True)
        case ["=", "list_append", *_]:
            protected.refuse(path, f"{_WHOLE}, or append by a plain client to a list in AppendedAttributes")
    protected.refuse(path, "SET it to a value that you give")
    raise AssertionError  # pragma: no cover - it is protected


def _known(placeholder: str, path: Path, placeholders: Placeholders) -> str:
    if placeholder not in placeholders.values:
        raise ExpressionRefused(path.root, f"{placeholder} stands for no value; give it one")
    return placeholder
