"""Branch keys over moto, as tests need them."""

from typing import Any, Final

from item_crypto import Keyrings, Reconciler, ValueCipher
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.branch_keys import BranchKeys
from item_crypto.keys.hierarchical import HierarchicalKeys
from tests.scene import POLICY, Scene
from tests.tables import create_table

BRANCH_KEYS: Final = "branch-keys"
TENANTS: Final = Tenants("userId", POLICY.purpose)
ALICE: Final = TENANTS.branch_key_id("alice")
HIERARCHICAL: Final = {
    "KEYRING_TYPE": "hierarchical",
    "BRANCH_KEY_TABLE_NAME": BRANCH_KEYS,
    "TENANT_ATTRIBUTE": "userId",
    "BRANCH_KEY_CACHE_SECONDS": "60",
}
"""The environment of functions that use them."""


def create_branch_key_table(dynamodb: Any, name: str = BRANCH_KEYS) -> None:
    """Create a table of branch keys, keyed as the MPL's key store wants it."""
    create_table(dynamodb, name, "branch-key-id", "type")


class Branches:
    """Branch keys and what works with them, over a scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        if BRANCH_KEYS not in scene.plain.list_tables()["TableNames"]:
            create_branch_key_table(scene.plain)
        self.branch_keys = self.new()

    def new(self, tenants: Tenants = TENANTS, key_arn: str | None = None, **more: Any) -> BranchKeys:
        """Return branch keys that remember nothing."""
        scene = self.scene
        return BranchKeys(scene.dynamodb, scene.kms, BRANCH_KEYS, tenants, key_arn or scene.key_arn, **more)

    def new_over(self, dynamodb: Any) -> BranchKeys:
        """Return branch keys of somebody else, whose calls no fault meets."""
        return BranchKeys(dynamodb, self.scene.kms, BRANCH_KEYS, TENANTS, self.scene.key_arn)

    def keys(self, cache_seconds: int = 60, branch_keys: BranchKeys | None = None, **more: Any) -> HierarchicalKeys:
        """Return keys that remember nothing."""
        scene = self.scene
        kms = Keyrings(scene.kms, scene.key_arn, [scene.earlier_key_arn])
        return HierarchicalKeys(kms, branch_keys or self.branch_keys, cache_seconds, **more)

    def cipher(self, **more: Any) -> ValueCipher:
        return ValueCipher(self.keys(**more))

    def reconciler(self, **more: Any) -> Reconciler:
        return Reconciler(self.scene.table, self.cipher(**more))

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows of the table."""
        rows: list[dict[str, Any]] = self.scene.plain.scan(TableName=BRANCH_KEYS, ConsistentRead=True)["Items"]
        return rows
