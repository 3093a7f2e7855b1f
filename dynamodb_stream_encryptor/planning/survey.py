"""What is in a table: of each attribute how many items have it, of which type and size. Pure, in bounded memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dynamodb_stream_encryptor.planning.sizes import Sizes
from item_crypto.core.codec import Item, item_size, value_size

MOST_NAMES: Final = 300
"""Attributes that are told apart; those of further names are counted together."""


@dataclass
class Attribute:
    """What was seen of one attribute.

    Attributes:
        name: its name.
        types: how many items have it in which of DynamoDB's types.
        sizes: its sizes, each with its name's, as DynamoDB counts it.
    """

    name: str
    types: Counter[str] = field(default_factory=Counter)
    sizes: Sizes = field(default_factory=Sizes)

    def as_json(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {
            "name": self.name,
            "items": self.sizes.count,
            "types": dict(self.types.most_common()),
            "sizes": self.sizes.as_json(),
        }


class Survey:
    """Counts items.

    Attributes:
        sizes: the items' sizes.
        others: how many values had one of the names that are not told apart.
    """

    def __init__(self) -> None:
        self.sizes = Sizes()
        self.others = 0
        self._attributes: dict[str, Attribute] = {}

    def add(self, item: Item) -> None:
        """Count an item."""
        self.sizes.add(item_size(item))
        for name, value in item.items():
            attribute = self._attributes.get(name)
            if attribute is None:
                if len(self._attributes) >= MOST_NAMES:
                    self.others += 1
                    continue
                attribute = self._attributes[name] = Attribute(name)
            attribute.types[next(iter(value))] += 1
            attribute.sizes.add(len(name.encode()) + value_size(value))

    @property
    def items(self) -> int:
        """How many items were counted."""
        return self.sizes.count

    def attributes(self) -> Sequence[Attribute]:
        """Return the attributes, those that take the most bytes first."""
        return sorted(self._attributes.values(), key=lambda attribute: (-attribute.sizes.total, attribute.name))

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.attributes())

    def __getitem__(self, name: str) -> Attribute:
        return self._attributes.get(name) or Attribute(name)
