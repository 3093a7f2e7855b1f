"""The settings of the HTTP API, from its environment; template.yaml sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from encryptor_runtime.settings import Settings, names, required
from http_api.settings import user_claim
from item_crypto.errors import ConfigurationError

SESSION_ID: Final = "sessionId"
USER_ID: Final = "userId"


@dataclass(frozen=True)
class ReaderSettings:
    """What the HTTP API is told.

    Attributes:
        shared: what all functions are told.
        user_index: name of the index by user.
        user_claim: name of the token's claim that names the user.
        trusted_role_ids: ids (``AROA…``) of the IAM roles whose session names are taken for users.
    """

    shared: Settings
    user_index: str
    user_claim: str
    trusted_role_ids: frozenset[str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ReaderSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing or unreadable, or the table's items are no sessions.
        """
        shared = Settings.from_environment(environment)
        if set(shared.context_attributes) != {SESSION_ID, USER_ID}:
            # What keeps users apart is that the user is part of the key.
            raise ConfigurationError(f"CONTEXT_ATTRIBUTES: the API needs a table keyed by {SESSION_ID} and {USER_ID}")
        trusted = frozenset(names(environment.get("TRUSTED_ROLE_IDS", "")))
        if not all(role.startswith("AROA") and role.isalnum() for role in trusted):
            raise ConfigurationError("TRUSTED_ROLE_IDS: a role is listed by its id, AROA…, not by its name or ARN")
        return cls(shared, required(environment, "USER_INDEX_NAME"), user_claim(environment), trusted)
