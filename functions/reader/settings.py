"""The settings of the readers, from their environment; template.yaml sets every one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from encryptor_runtime.settings import Settings, required
from http_api.settings import UserSettings, settings_of_sessions
from item_crypto.errors import ConfigurationError
from item_crypto.keys.cached import MAX_SECONDS


@dataclass(frozen=True)
class ReaderSettings:
    """What the HTTP API is told.

    Attributes:
        shared: what all functions are told.
        user_index: name of the index by user.
        users: what is told of the users.
        cache_seconds: for how long data keys are remembered for reading; 0: not at all.
    """

    shared: Settings
    user_index: str
    users: UserSettings
    cache_seconds: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ReaderSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing or unreadable, or the table's items are no sessions.
        """
        return cls(
            settings_of_sessions(environment),
            required(environment, "USER_INDEX_NAME"),
            UserSettings.from_environment(environment),
            cache_seconds(environment),
        )


def cache_seconds(environment: Mapping[str, str]) -> float:
    """Return for how long data keys are remembered for reading, in seconds; not at all where nothing is said.

    Raises:
        ConfigurationError: it is no number from 0 to 300.
    """
    text = environment.get("READ_CACHE_SECONDS", "0").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) > MAX_SECONDS:
        raise ConfigurationError(f"READ_CACHE_SECONDS must be a number of seconds from 0 to {MAX_SECONDS:.0f}")
    return float(text)
