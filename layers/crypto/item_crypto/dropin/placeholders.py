"""The placeholders of one request: the caller's, and those that a rewritten expression needs. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from item_crypto.core.codec import Value

NAMES: Final = "ExpressionAttributeNames"
VALUES: Final = "ExpressionAttributeValues"
_PLACEHOLDER: Final = re.compile(r"[#:][A-Za-z0-9_]+")
_OURS: Final = "item_crypto_"


class Placeholders:
    """Names and values of one request.

    Args:
        request: what the caller gave, in the client's style.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.names: dict[str, str] = dict(request.get(NAMES) or {})
        self.values: dict[str, Value] = dict(request.get(VALUES) or {})
        self._of_names: dict[str, str] = {}
        self._number = 0

    def name(self, attribute: str) -> str:
        """Return the placeholder of ours for an attribute."""
        if attribute not in self._of_names:
            placeholder = self._new("#", self.names)
            self._of_names[attribute] = placeholder
            self.names[placeholder] = attribute
        return self._of_names[attribute]

    def value(self, value: Value) -> str:
        """Return a new placeholder for a value."""
        placeholder = self._new(":", self.values)
        self.values[placeholder] = value
        return placeholder

    def arguments(self, before: Iterable[str], after: Iterable[str]) -> dict[str, Any]:
        """Return the request's two arguments.

        DynamoDB refuses a placeholder that no expression uses. So one that only the caller's expression used goes;
        one that it did not use either stays, for DynamoDB to refuse.

        Args:
            before: the caller's expressions.
            after: what is sent in their place.
        """
        gone = _used(before) - (_used(after))
        names = {name: attribute for name, attribute in self.names.items() if name not in gone}
        values = {name: value for name, value in self.values.items() if name not in gone}
        return ({NAMES: names} if names else {}) | ({VALUES: values} if values else {})

    def _new(self, sign: str, taken: Mapping[str, Any]) -> str:
        while True:
            placeholder = f"{sign}{_OURS}{self._number}"
            self._number += 1
            if placeholder not in taken:
                return placeholder


def _used(expressions: Iterable[str]) -> set[str]:
    return {placeholder for text in expressions for placeholder in _PLACEHOLDER.findall(text)}
