"""This application, by the code that ships: a page of a consistent scan goes to `Reconciler.reconcile_read`."""

from dataclasses import replace
from typing import Any, Final

from benchmarks.contenders import ATTRIBUTES, KEY, PURPOSE, Parts, pages
from item_crypto import Encoding, ItemCipher, Keyrings, Policy, Reconciler, Role, Status, Table, ValueCipher
from item_crypto.core.key import key_of
from item_crypto.dynamodb.batch import Batch
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.branch_keys import BranchKeys
from item_crypto.keys.hierarchical import HierarchicalKeys

TENANT: Final = "userId"
BRANCH_KEYS: Final = "branch-keys"
POLICY: Final = Policy(
    attributes=ATTRIBUTES, appended=frozenset(), context_attributes=KEY, purpose=PURPOSE, enabled=True
)

UNCHECKED: Final = True
"""Requests are not checked before they are sent, as by the functions' client of the table."""


class Ours:
    """A sweep without its messages and counts."""

    def __init__(
        self, parts: Parts, cipher: ValueCipher, batched: bool, policy: Policy, branch_keys: BranchKeys | None
    ) -> None:
        self._parts = parts
        self._policy = policy
        self._branch_keys = branch_keys
        self._cipher = cipher
        self._reconciler = Reconciler(
            Table(parts.dynamodb, parts.table), cipher, batch=Batch(parts.single, parts.table) if batched else None
        )

    def prepare(self) -> None:
        """Make the key of each tenant who has none, where tenants have keys."""
        if self._branch_keys is None:
            return
        if self._branch_keys.table not in self._parts.dynamodb.list_tables()["TableNames"]:
            create_branch_key_table(self._parts.dynamodb, self._branch_keys.table)
        for page in pages(self._parts.dynamodb, self._parts.table):
            for tenant in {item[TENANT]["S"] for item in page}:
                self._branch_keys.make(tenant)

    def rewrite(self) -> int:
        """Reconcile every item of the table."""
        count = 0
        for page in pages(self._parts.dynamodb, self._parts.table):
            pairs = ((key_of(item, KEY), item) for item in page)
            outcomes = self._reconciler.reconcile_read(pairs, self._policy, Role.MIGRATOR)
            if any(outcome.status is not Status.ENCRYPTED for outcome in outcomes.values()):
                raise ValueError("an item was not encrypted")
            count += len(outcomes)
        return count

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Decrypt with the library."""
        if ItemCipher(self._cipher, self._policy).decrypt_item(stored) != original:
            raise ValueError("what is decrypted differs")


def make(parts: Parts, batched: bool = False, encoding: str = Encoding.BASE64.value, tenants: bool = False) -> Ours:
    """Return this application; what an entry has in its ``options`` are arguments here.

    Args:
        parts: what a contender works with.
        batched: whether many items are written in one request.
        encoding: how ciphertexts are stored.
        tenants: whether each tenant has a branch key, which is kept for an hour.
    """
    policy = replace(POLICY, encoding=Encoding(encoding))
    kms_keys = Keyrings(parts.kms, parts.key_arn)
    if not tenants:
        return Ours(parts, ValueCipher(kms_keys), batched, policy, None)
    told = Tenants(TENANT, PURPOSE)
    branch_keys = BranchKeys(parts.dynamodb, parts.kms, BRANCH_KEYS, told, parts.key_arn)
    return Ours(parts, ValueCipher(HierarchicalKeys(kms_keys, branch_keys, 3600)), batched, policy, branch_keys)


def create_branch_key_table(dynamodb: Any, name: str) -> None:
    """Create a table of branch keys, keyed as the template's is."""
    keys = {"branch-key-id": "HASH", "type": "RANGE"}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )
