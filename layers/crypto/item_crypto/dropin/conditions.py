"""Conditions, filters and key conditions: translated where DynamoDB can answer, refused where it cannot. Pure.

::

    attribute_exists(history)      ─▶  (attribute_exists(history) OR attribute_exists(encrypted_history))
    attribute_not_exists(history)  ─▶  (attribute_not_exists(history) AND attribute_not_exists(encrypted_history))
    history = :value, size(history), history[0].type = :t, …     refused: DynamoDB sees a ciphertext
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from item_crypto.core.stored_form import encrypted_name
from item_crypto.dropin.expressions import Token, is_sign, paths_in, read_path, tokens
from item_crypto.dropin.placeholders import Placeholders
from item_crypto.dropin.protected import Protected
from item_crypto.errors import ExpressionRefused

_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})
_EXISTENCE: Final = {"attribute_exists": "OR", "attribute_not_exists": "AND"}
_INSTEAD: Final = "compare it in your own code once the item was read, or keep a plain attribute to compare"


def translated(text: str, placeholders: Placeholders, protected: Protected) -> str:
    """Return a condition or filter for the table as it is stored.

    Args:
        text: the caller's expression.
        placeholders: those of the request; gets what the translation needs.
        protected: the attributes that DynamoDB cannot see.

    Raises:
        ExpressionRefused: it needs a value that is encrypted, or names the stored form.
    """
    words = tokens(text)
    depths = _depths(words)
    if min(depths, default=0) < 0 or depths[-1:] != [0]:
        # Joined with another condition, it would no longer be the operand that it is taken for.
        raise ExpressionRefused(None, "the condition's parentheses do not match; correct it")
    result, copied, checked = "", 0, 0
    for at, word in enumerate(words):
        operator = _EXISTENCE.get(word.text)
        if operator is None or not is_sign(words, at + 1, "(") or not _begins_name(words, at + 2):
            continue
        path, behind = read_path(words, at + 2, placeholders.names)
        if path.is_nested or path.root not in protected.attributes or not is_sign(words, behind, ")"):
            continue
        _refuse(words[checked:at], placeholders, protected)
        name = placeholders.name(encrypted_name(path.root))
        whole = text[word.start : words[behind].end]
        either = f"{whole} {operator} {word.text}({name})"
        is_grouped = at > 0 and is_sign(words, at - 1, "(") and is_sign(words, behind + 1, ")")
        result += text[copied : word.start] + (either if is_grouped else f"({either})")
        copied, checked = words[behind].end, behind + 1
    _refuse(words[checked:], placeholders, protected)
    return result + text[copied:]


def grouped(text: str) -> str:
    """Return a condition in parentheses, and in no second pair: DynamoDB refuses those that are redundant."""
    words = tokens(text)
    # What the first token opens, if anything, ends with the last one.
    is_grouped = 0 not in _depths(words)[:-1]
    return text if is_grouped else f"({text})"


def check_key_condition(text: str, placeholders: Placeholders, protected: Protected) -> None:
    """Check that a key condition names no encrypted attribute.

    Raises:
        ExpressionRefused: it does.
    """
    _refuse(tokens(text), placeholders, protected)


def _depths(words: Sequence[Token]) -> list[int]:
    """Return how many parentheses are open behind each token."""
    return list(accumulate((word.text == "(") - (word.text == ")") for word in words))


def _begins_name(words: Sequence[Token], position: int) -> bool:
    return position < len(words) and words[position].kind == "name"


def _refuse(words: Sequence[Token], placeholders: Placeholders, protected: Protected) -> None:
    for path in paths_in(words, placeholders.names, _KEYWORDS):
        protected.refuse(path, _INSTEAD)
