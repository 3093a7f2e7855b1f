"""Branch keys, put together: imported where a stack has any, and nowhere else.

Whoever makes a key also loads the Material Providers Library, which is in a layer of its own.
"""

from encryptor_runtime.clients import Clients
from encryptor_runtime.settings import BranchKeySettings, Settings
from encryptor_runtime.startup import check_branch_key_table
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.branch_keys import BranchKeys
from item_crypto.keys.hierarchical import HierarchicalKeys
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Keys


def branch_keys(settings: Settings, told: BranchKeySettings, clients: Clients, meter: KmsMeter) -> BranchKeys:
    """Return the branch keys of a stack, after checking their table once.

    Args:
        settings: the function's settings.
        told: what it is told of branch keys.
        clients: the services' clients.
        meter: told how long each call to KMS took.

    Raises:
        ConfigurationError: the table is not one of branch keys.
        TransientError, SystemicError: DynamoDB did not answer.
    """
    check_branch_key_table(clients.dynamodb, told.table)
    tenants = Tenants(told.tenant_attribute, settings.purpose)
    return BranchKeys(
        clients.dynamodb, clients.kms, told.table, tenants, settings.key_arn, settings.earlier_key_arns, meter
    )


def over_branch_keys(kms_keys: Keys, found: BranchKeys, told: BranchKeySettings, makes: bool) -> HierarchicalKeys:
    """Return the keys of a stack that has branch keys; ``makes`` says whether a missing one is made."""
    return HierarchicalKeys(kms_keys, found, told.cache_seconds, told.writes, makes)
