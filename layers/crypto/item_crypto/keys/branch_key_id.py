"""Which branch key an item needs: one a tenant, or one for all, told by the item's key and nothing else. Pure.

::

    {"userId": "user-24", "sessionId": "dlg-35143226", "purpose": "session-encryption"}
         │                                                        │
         └── tenant ── sha256(purpose, "userId", "user-24") ──────┘  ──▶  tenant-6b1f…

The identifier is a digest, so that any text can be a tenant: one of 2 KB, one with a slash, one that looks like
another's identifier. It holds the purpose, so that two stacks that share a table by mistake share no key, and the
attribute's name, so that user 7 and customer 7 are two tenants. It stands in the header of each message and tells who
a tenant is to nobody who does not know that already.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from item_crypto.core.context import PURPOSE
from item_crypto.errors import ConfigurationError, ContextUnusable

_PREFIX: Final = "tenant-"
_IDENTIFIER: Final = re.compile(rf"{_PREFIX}[0-9a-f]{{64}}")
_SEPARATOR: Final = b"\0"


def is_branch_key_id(text: str) -> bool:
    """Tell whether ``text`` has the shape of a branch key's identifier."""
    return _IDENTIFIER.fullmatch(text) is not None


@dataclass(frozen=True)
class Tenants:
    """What tells one tenant from another.

    Attributes:
        attribute: the member of the encryption context whose value is the tenant; None where all items are one
            tenant's.
        purpose: the encryption context's ``purpose``.
    """

    attribute: str | None
    purpose: str

    def __post_init__(self) -> None:
        if self.attribute == PURPOSE:
            raise ConfigurationError("the purpose tells no tenant from another")

    def tenant(self, context: Mapping[str, str]) -> str:
        """Return the tenant that an item of ``context`` belongs to: as text, empty where all belong to one.

        Raises:
            ContextUnusable: the context does not say.
        """
        if context.get(PURPOSE) != self.purpose:
            raise ContextUnusable("the context is for another purpose", PURPOSE)
        if self.attribute is None:
            return ""
        if not context.get(self.attribute):
            raise ContextUnusable("the context names no tenant", self.attribute)
        return context[self.attribute]

    def branch_key_id(self, tenant: str) -> str:
        """Return the identifier of the branch key of ``tenant``: the same one each time, and no other tenant's."""
        parts = (self.purpose, self.attribute or "", tenant)
        # Each part's digest has one length, so that no two lists of parts are the same bytes.
        digests = _SEPARATOR.join(hashlib.sha256(part.encode()).digest() for part in parts)
        return _PREFIX + hashlib.sha256(digests).hexdigest()

    def of_context(self, context: Mapping[str, str]) -> str:
        """Return the identifier of the branch key that an item of ``context`` needs.

        Raises:
            ContextUnusable: the context does not say.
        """
        return self.branch_key_id(self.tenant(context))
