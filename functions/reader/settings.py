"""The settings of the HTTP API, from its environment; template.yaml sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from encryptor_runtime.settings import Settings, required
from http_api.settings import UserSettings, settings_of_sessions


@dataclass(frozen=True)
class ReaderSettings:
    """What the HTTP API is told.

    Attributes:
        shared: what all functions are told.
        user_index: name of the index by user.
        users: what is told of the users.
    """

    shared: Settings
    user_index: str
    users: UserSettings

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
        )
