"""The function's parts, put together on the first invocation of a process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

from encryptor_runtime.clients import CLIENT_CONFIG
from encryptor_runtime.startup import check_regions
from encryptor_runtime.switch import Switch
from encryptor_runtime.telemetry import Telemetry
from item_crypto.core.codec import Item
from item_crypto.core.context import encryption_context
from item_crypto.keys.bare import BareKeys
from item_crypto.keys.meter import KmsMeter
from session_keys.settings import KeySettings

CONNECT: Final = 1  # Seconds.
READ: Final = 2
ATTEMPTS: Final = 2  # The second is for a connection that was closed while the environment was frozen.

# A client that is told to try again does: nothing is gained by trying for longer than the API waits, and KMS's quota is
# everybody's.
_CONFIG: Final = CLIENT_CONFIG.merge(
    Config(connect_timeout=CONNECT, read_timeout=READ, retries={"mode": "standard", "total_max_attempts": ATTEMPTS})
)


@dataclass(frozen=True)
class SessionKeys:
    """What the function works with: the table is not among it."""

    settings: KeySettings
    switch: Switch
    keys: BareKeys
    meter: KmsMeter
    telemetry: Telemetry

    @contextmanager
    def invocation(self, context: Any) -> Iterator[None]:
        """Name the invocation in every line within, and write its metrics at the end, whatever happens."""
        self.switch.forget()
        with self.telemetry.invocation(context):
            try:
                yield
            finally:
                self.telemetry.kms(self.meter.drain())

    def context(self, key: Item) -> dict[str, str]:
        """Return the encryption context of the session of ``key``."""
        shared = self.settings.shared
        return encryption_context(key, shared.context_attributes, shared.purpose)


@cache
def session_keys() -> SessionKeys:
    """Return the parts for this process's environment.

    Raises:
        ConfigurationError: the settings cannot work; asked again on the next invocation.
    """
    settings = KeySettings.from_environment(os.environ)
    shared = settings.shared
    kms = boto3.client("kms", config=_CONFIG)
    check_regions(kms.meta.region_name, shared)
    meter = KmsMeter()
    return SessionKeys(
        settings,
        Switch(
            boto3.client("dynamodb", config=_CONFIG),
            settings.control_table,
            shared.switch.enabled,
            shared.switch.cache_seconds,
        ),
        BareKeys(kms, shared.key_arn, shared.earlier_key_arns, meter),
        meter,
        Telemetry("session_keys", shared.key_arn),
    )
