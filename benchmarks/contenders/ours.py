"""This application, by the code that ships: a page of a consistent scan goes to `Reconciler.reconcile_read`."""

from typing import Any, Final

from benchmarks.contenders import ATTRIBUTES, KEY, PURPOSE, Parts, pages
from item_crypto import ItemCipher, Keyrings, Policy, Reconciler, Role, Status, Table, ValueCipher
from item_crypto.core.key import key_of
from item_crypto.dynamodb.batch import Batch

POLICY: Final = Policy(
    attributes=ATTRIBUTES, appended=frozenset(), context_attributes=KEY, purpose=PURPOSE, enabled=True
)


class Ours:
    """A sweep without its messages and counts."""

    def __init__(self, parts: Parts, cipher: ValueCipher, batched: bool) -> None:
        self._parts = parts
        self._cipher = cipher
        self._reconciler = Reconciler(
            Table(parts.dynamodb, parts.table), cipher, batch=Batch(parts.single, parts.table) if batched else None
        )

    def prepare(self) -> None:
        """Nothing is to be prepared."""

    def rewrite(self) -> int:
        """Reconcile every item of the table."""
        count = 0
        for page in pages(self._parts.dynamodb, self._parts.table):
            pairs = ((key_of(item, KEY), item) for item in page)
            outcomes = self._reconciler.reconcile_read(pairs, POLICY, Role.MIGRATOR)
            if any(outcome.status is not Status.ENCRYPTED for outcome in outcomes.values()):
                raise ValueError("an item was not encrypted")
            count += len(outcomes)
        return count

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Decrypt with the library."""
        if ItemCipher(self._cipher, POLICY).decrypt_item(stored) != original:
            raise ValueError("what is decrypted differs")


def make(parts: Parts, batched: bool = False) -> Ours:
    """Return this application with the KMS keyring; what an entry has in its ``options`` are arguments here."""
    return Ours(parts, ValueCipher(Keyrings(parts.kms, parts.key_arn)), batched)
