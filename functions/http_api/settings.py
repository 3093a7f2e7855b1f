"""The settings that functions behind the HTTP API share; template.yaml sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from encryptor_runtime.settings import Settings, names, required
from item_crypto.errors import ConfigurationError

SESSION_ID: Final = "sessionId"
USER_ID: Final = "userId"


def user_claim(environment: Mapping[str, str]) -> str:
    """Return the name of the token's claim that names the user: ``sub``, which an issuer gives out, by default.

    Raises:
        ConfigurationError: it is set to nothing.
    """
    return required({"USER_CLAIM": "sub", **environment}, "USER_CLAIM")


@dataclass(frozen=True)
class UserSettings:
    """What is told of the users of sessions.

    Attributes:
        user_claim: name of the token's claim that names the user.
        trusted_role_ids: ids (``AROA…``) of the IAM roles whose session names are taken for users.
    """

    user_claim: str
    trusted_role_ids: frozenset[str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "UserSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is unreadable.
        """
        trusted = frozenset(names(environment.get("TRUSTED_ROLE_IDS", "")))
        if not all(role.startswith("AROA") and role.isalnum() for role in trusted):
            raise ConfigurationError("TRUSTED_ROLE_IDS: a role is listed by its id, AROA…, not by its name or ARN")
        return cls(user_claim(environment), trusted)


def settings_of_sessions(environment: Mapping[str, str]) -> Settings:
    """Return what all functions are told, of a table whose items are sessions.

    Raises:
        ConfigurationError: a setting is missing or unreadable, or the table's items are no sessions.
    """
    settings = Settings.from_environment(environment)
    if set(settings.context_attributes) != {SESSION_ID, USER_ID}:
        # What keeps users apart is that the user is part of the key.
        raise ConfigurationError(f"CONTEXT_ATTRIBUTES: the API needs a table keyed by {SESSION_ID} and {USER_ID}")
    return settings
