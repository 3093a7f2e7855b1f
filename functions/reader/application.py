"""The functions' parts, each put together on the first invocation of a process."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

from encryptor_runtime.runtime import Runtime, compose
from encryptor_runtime.settings import Settings
from encryptor_runtime.telemetry import Telemetry
from reader.access import invocation
from reader.sessions import Sessions
from reader.settings import ReaderSettings, cache_seconds


@dataclass(frozen=True)
class Reader:
    """What the HTTP API works with."""

    settings: ReaderSettings
    runtime: Runtime
    sessions: Sessions

    @property
    def telemetry(self) -> Telemetry:
        """Where the function logs, counts and audits."""
        return self.runtime.telemetry

    def invocation(self, context: Any) -> AbstractContextManager[None]:
        """Name the invocation in every line within, and write its metrics at the end, whatever happens."""
        return invocation(self.runtime, context)


@cache
def reader() -> Reader:
    """Return the parts of the HTTP API for this process's environment.

    Raises:
        ConfigurationError: the settings, the table or the key cannot work; asked again on the next invocation.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    settings = ReaderSettings.from_environment(os.environ)
    runtime = compose(settings.shared, "reader", read_cache_seconds=settings.cache_seconds)
    return Reader(settings, runtime, Sessions(runtime, settings.user_index))


@cache
def item_reader() -> Runtime:
    """Return the parts of the item reader for this process's environment; raises what :func:`reader` does."""
    shared = Settings.from_environment(os.environ)
    return compose(shared, "item_reader", read_cache_seconds=cache_seconds(os.environ))
