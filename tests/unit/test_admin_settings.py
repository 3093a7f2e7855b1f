"""The admin function's settings."""

import pytest

from admin.settings import AdminSettings
from encryptor_runtime.settings import SwitchSettings
from item_crypto.errors import ConfigurationError
from tests.unit.test_admin_identity import ENVIRONMENT


def test_given_the_least_when_read_then_the_rest_has_defaults() -> None:
    assert AdminSettings.from_environment(ENVIRONMENT) == AdminSettings(
        switch=SwitchSettings(control_table="control", enabled=True, cache_seconds=5),
        control_table="control",
        work_queue_url="https://sqs.example/work",
        group_claim="cognito:groups",
        group="admin",
        user_claim="sub",
        key_arn="",
    )


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("CONTROL_TABLE_NAME", "", "CONTROL_TABLE_NAME is not set"),
        ("WORK_QUEUE_URL", " ", "WORK_QUEUE_URL is not set"),
        ("SESSION_ENCRYPTION_ENABLED", "", "SESSION_ENCRYPTION_ENABLED must be true or false"),
        ("SETTING_CACHE_SECONDS", "soon", "SETTING_CACHE_SECONDS must be a number of seconds"),
        ("USER_CLAIM", "", "USER_CLAIM is not set"),
        ("ADMIN_GROUP_CLAIM", "", "ADMIN_GROUP_CLAIM is not set"),
        ("ADMIN_GROUP", "", "ADMIN_GROUP is not set"),
        ("ADMIN_GROUP", "our admins", "ADMIN_GROUP: a group's name must have no white space"),
        ("ADMIN_GROUP", "our\tadmins", "ADMIN_GROUP: a group's name must have no white space"),
    ],
)
def test_given_a_setting_that_cannot_work_when_read_then_it_is_refused_by_name(
    name: str, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        AdminSettings.from_environment({**ENVIRONMENT, name: text})
