"""What the table's items are to hold, by the writes that were acknowledged: what nothing else may change."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any] | None
"""An item's attributes in the clear, without its key; None where there is no item."""


@dataclass
class Model:
    """Every item by its session id, with all that it ever was."""

    versions: dict[str, list[State]] = field(default_factory=dict)

    def now(self, session: str) -> State:
        return self.versions.setdefault(session, [None])[-1]

    def age(self, session: str) -> int:
        """Return a point in time, for :meth:`since`."""
        return len(self.versions.setdefault(session, [None])) - 1

    def since(self, session: str, age: int) -> list[State]:
        """Return what the item was at a point in time and ever since."""
        return self.versions[session][age:]

    def put(self, session: str, attributes: Mapping[str, Any]) -> None:
        self.versions.setdefault(session, [None]).append(deepcopy(dict(attributes)))

    def set(self, session: str, attributes: Mapping[str, Any]) -> None:
        self.put(session, (self.now(session) or {}) | dict(attributes))

    def append(self, session: str, name: str, member: Any) -> None:
        members = (self.now(session) or {}).get(name, {"L": []})["L"]
        self.set(session, {name: {"L": [*members, member]}})

    def delete(self, session: str) -> None:
        self.versions.setdefault(session, [None]).append(None)
