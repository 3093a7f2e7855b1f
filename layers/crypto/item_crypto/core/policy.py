"""What is to be encrypted, and who asks."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from item_crypto.core.codec import Item
from item_crypto.core.encoding import Encoding
from item_crypto.core.part import Part


class Role(Enum):
    """Who asks. The stream's function may encrypt only; it holds no right to decrypt."""

    ENCRYPTOR = "stream_encryptor"
    READER = "reader"
    MIGRATOR = "migrator"


@dataclass(frozen=True)
class Policy:
    """What is to be encrypted, and how things stand. Under which key is the keys' own matter.

    Attributes:
        attributes: names of the attributes to encrypt, and of those that items may still be encrypted in.
        appended: those among them that are lists whose writers append to them with
            ``list_append(if_not_exists(…))``, so that plaintext beside ciphertext is its continuation.
        context_attributes: names of the key attributes that make the encryption context.
        purpose: the encryption context's ``purpose``.
        enabled: whether encryption is on: for all items, or for those of ``part``.
        renew_before: items with an older ``encrypted_at``, or none, are to be re-encrypted; None asks for none.
        decrypt_all: whether the migrator is to decrypt items that are only encrypted (a ``decrypt`` sweep).
        earlier: those among ``attributes`` that are no longer to be encrypted. What is encrypted of them is read like
            all else, and brought back to plaintext by whoever may decrypt; what is in plaintext stays.
        part: the items that encryption is on for; None for all. To an item outside of it, encryption is off. So what
            concerns one item is asked of :meth:`for_item`, and never of a policy that has a part.
        encoding: how ciphertexts are stored. One in the other encoding is read like any, and put into this one by
            whoever may decrypt, though that needs no key.
    """

    attributes: tuple[str, ...]
    appended: frozenset[str]
    context_attributes: tuple[str, ...]
    purpose: str
    enabled: bool
    renew_before: datetime | None = None
    decrypt_all: bool = False
    earlier: frozenset[str] = frozenset()
    part: Part | None = None
    encoding: Encoding = Encoding.BASE64

    def for_item(self, item: Item) -> "Policy":
        """Return what holds for ``item``, or for the item of a key: on where it is in the part, else off.

        Raises:
            ContextUnusable: there is a part, and the item's key cannot be told. It is then neither in nor out.
        """
        if self.part is None or not self.enabled:
            return self
        return replace(self, enabled=self.part.has(item, self.context_attributes))

    @property
    def encrypted(self) -> frozenset[str]:
        """The attributes whose values are to be stored encrypted, by the policy of an item."""
        return frozenset(self.attributes) - self.earlier if self.enabled else frozenset()
