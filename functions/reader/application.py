"""The functions' parts, each put together on the first invocation of a process."""

import os
from dataclasses import dataclass
from functools import cache

from encryptor_runtime.runtime import Runtime, compose
from encryptor_runtime.settings import Settings
from encryptor_runtime.telemetry import Telemetry
from item_crypto.errors import ItemCryptoError
from reader.sessions import Sessions
from reader.settings import ReaderSettings


@dataclass(frozen=True)
class Reader:
    """What the HTTP API works with."""

    settings: ReaderSettings
    runtime: Runtime
    sessions: Sessions


@cache
def reader() -> Reader:
    """Return the parts of the HTTP API for this process's environment.

    Raises:
        ConfigurationError: the settings, the table or the key cannot work; asked again on the next invocation.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    settings = ReaderSettings.from_environment(os.environ)
    runtime = compose(settings.common, "reader")
    return Reader(settings, runtime, Sessions(runtime, settings.user_index))


@cache
def item_reader() -> Runtime:
    """Return the parts of the item reader for this process's environment.

    Raises:
        ConfigurationError, TransientError, SystemicError: as for :func:`reader`.
    """
    return compose(Settings.from_environment(os.environ), "item_reader")


def log_failed_start(function: str, error: ItemCryptoError) -> None:
    """Log why a function cannot start; those errors name settings and services, never a value."""
    Telemetry(function, key_arn="").problem("the function cannot start", reason=error.reason, detail=str(error))
