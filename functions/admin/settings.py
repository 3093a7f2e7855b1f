"""The settings of the admin function, from its environment; template.yaml sets every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from encryptor_runtime.settings import SwitchSettings, required
from http_api.settings import user_claim
from item_crypto.errors import ConfigurationError

COGNITO_GROUPS: Final = "cognito:groups"
"""The claim in which Amazon Cognito names a user's groups."""


@dataclass(frozen=True)
class AdminSettings:
    """What the admin function is told.

    Attributes:
        switch: what all functions are told of the setting.
        control_table: name of the control table, which this function cannot do without.
        work_queue_url: where the sweep that follows switching on is queued.
        group_claim: name of the token's claim that names the user's groups.
        group: the administrators' group.
        user_claim: name of the token's claim that names the user.
        key_arn: the KMS key that audit lines name; nothing else is done with it.
        control_function: the control function's name; None where no issuer is configured, and so no route asks it.
        service: the dimension of the stack's metrics.
    """

    switch: SwitchSettings
    control_table: str
    work_queue_url: str
    group_claim: str
    group: str
    user_claim: str
    key_arn: str
    control_function: str | None = None
    service: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "AdminSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing or unreadable, or the group's name could not be told from two names.
        """
        switch = SwitchSettings.from_environment(environment)
        settings = cls(
            switch=switch,
            control_table=switch.required_table(),
            work_queue_url=required(environment, "WORK_QUEUE_URL"),
            group_claim=required({"ADMIN_GROUP_CLAIM": COGNITO_GROUPS, **environment}, "ADMIN_GROUP_CLAIM"),
            group=required({"ADMIN_GROUP": "admin", **environment}, "ADMIN_GROUP"),
            user_claim=user_claim(environment),
            key_arn=environment.get("SESSION_ENCRYPTION_KEY_ARN", "").strip(),
            control_function=environment.get("CONTROL_FUNCTION_NAME", "").strip() or None,
            service=environment.get("POWERTOOLS_SERVICE_NAME", "").strip(),
        )
        if settings.group.split() != [settings.group]:
            raise ConfigurationError("ADMIN_GROUP: a group's name must have no white space")
        return settings
