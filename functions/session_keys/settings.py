"""The settings of the function, from its environment; template.yaml sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from encryptor_runtime.settings import Settings
from http_api.settings import UserSettings, settings_of_sessions


@dataclass(frozen=True)
class KeySettings:
    """What the function is told.

    Attributes:
        shared: what all functions are told.
        control_table: name of the control table, which this function cannot do without.
        users: what is told of the users.
    """

    shared: Settings
    control_table: str
    users: UserSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "KeySettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing or unreadable, or the table's items are no sessions.
        """
        shared = settings_of_sessions(environment)
        return cls(shared, shared.switch.required_table(), UserSettings.from_environment(environment))
