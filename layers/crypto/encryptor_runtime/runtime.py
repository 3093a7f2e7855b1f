"""The parts that every function needs, put together once a process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from encryptor_runtime.clients import Clients
from encryptor_runtime.remembered import RememberedAttributes, check_attributes
from encryptor_runtime.settings import Settings
from encryptor_runtime.startup import check_key, check_regions, check_table
from encryptor_runtime.switch import Switch
from encryptor_runtime.telemetry import Telemetry
from item_crypto.cipher import ValueCipher
from item_crypto.core.policy import Policy
from item_crypto.dynamodb.batch import Batch
from item_crypto.dynamodb.table import Table
from item_crypto.keys.cached import CachedKeys
from item_crypto.keys.kms import Keyrings
from item_crypto.keys.meter import KmsMeter
from item_crypto.keys.protocol import Keys
from item_crypto.reconcile import Reconciler

if TYPE_CHECKING:
    from item_crypto.keys.branch_keys import BranchKeys


@dataclass(frozen=True)
class Runtime:
    """What a function works with."""

    settings: Settings
    clients: Clients
    table: Table
    cipher: ValueCipher
    meter: KmsMeter
    reconciler: Reconciler
    telemetry: Telemetry
    switch: Switch | None
    branch_keys: "BranchKeys | None" = None

    def begin(self, context: Any) -> None:
        """Begin an invocation: name it in every line that follows, and take no setting over from the one before."""
        self.telemetry.begin(context)
        if self.switch is not None:
            self.switch.forget()

    def policy(self) -> Policy:
        """Return what is to be encrypted, by the setting as it is now.

        Raises:
            TransientError, SystemicError: the setting cannot be read; it is never taken for "off".
        """
        policy = self.settings.policy
        return policy if self.switch is None else self.switch.read().applied_to(policy)


def compose(
    settings: Settings,
    function: str,
    clients: Clients | None = None,
    sleep: Callable[[float], None] = time.sleep,
    makes_branch_keys: bool = False,
    read_cache_seconds: float = 0.0,
) -> Runtime:
    """Return the parts for ``settings``, after checking the table and the key once.

    Args:
        settings: the function's settings.
        function: the function's name in audit lines.
        clients: the services' clients; new ones where None is given.
        sleep: waits a number of seconds.
        makes_branch_keys: whether a branch key that an item needs and that is missing is made; only whoever is no part
            of the data path makes any.
        read_cache_seconds: for how long the data keys of items that are accessed are remembered; 0: not at all. No
            write, and nobody's message that is to be stored, rests on one that is.

    Raises:
        ConfigurationError: the table or the key is not what the settings say, or ``read_cache_seconds`` out of bounds.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    clients = clients or Clients()
    dynamodb, kms = clients.dynamodb, clients.kms
    check_table(dynamodb, settings)
    check_regions(kms.meta.region_name, settings)
    check_key(kms, settings.key_arn)
    table = Table(dynamodb, settings.table, sleep, single=clients.dynamodb_single)
    meter = KmsMeter()
    keys: Keys = Keyrings(kms, settings.key_arn, settings.earlier_key_arns, meter)
    remembered: Keys = CachedKeys(keys, read_cache_seconds, meter=meter) if read_cache_seconds else keys
    found = None
    if (told := settings.branch_keys) is not None:
        # Loaded here: most stacks have none.
        composed = import_module("encryptor_runtime.branch_keys")
        found = composed.branch_keys(settings, told, clients, meter)
        hierarchical = composed.over_branch_keys(keys, found, told, makes_branch_keys)
        # Data keys under a branch key are not remembered too: that would spare no call, and outlive the branch key.
        keys, remembered = hierarchical, hierarchical.over(remembered)
    cipher = ValueCipher(keys, settings.signed)
    reading = ValueCipher(remembered) if read_cache_seconds else cipher
    switch = None
    setting = settings.switch
    if setting.control_table is not None:
        check_attributes(RememberedAttributes(dynamodb, setting.control_table), settings)
        switch = Switch(dynamodb, setting.control_table, setting.enabled, setting.cache_seconds)
    telemetry = Telemetry(function, settings.key_arn)
    reconciler = Reconciler(
        table,
        cipher,
        current=lambda policy: policy if switch is None else switch.read().applied_to(policy),
        batch=Batch(clients.dynamodb_single, settings.table, sleep) if settings.batched_writes else None,
        reading=reading,
    )
    return Runtime(settings, clients, table, cipher, meter, reconciler, telemetry, switch, found)
