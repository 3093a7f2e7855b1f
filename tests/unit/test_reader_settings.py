"""The HTTP API's settings."""

import pytest

from item_crypto import ConfigurationError
from reader.settings import ReaderSettings

ENVIRONMENT = {
    "TABLE_NAME": "sessions",
    "SESSION_ENCRYPTION_KEY_ARN": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "ENCRYPTED_ATTRIBUTES": "history,configuration",
    "CONTEXT_ATTRIBUTES": "userId,sessionId",
    "CONTEXT_PURPOSE": "session-encryption",
    "USER_INDEX_NAME": "byUserId",
    "USER_CLAIM": "sub",
    "TRUSTED_ROLE_IDS": "AROATRUSTED, AROAOTHER",
}


def test_given_the_templates_environment_when_read_then_every_setting_is_there() -> None:
    settings = ReaderSettings.from_environment(ENVIRONMENT)

    assert settings.user_index == "byUserId"
    assert settings.users.user_claim == "sub"
    assert settings.users.trusted_role_ids == {"AROATRUSTED", "AROAOTHER"}
    assert settings.shared.table == "sessions"
    assert settings.cache_seconds == 0


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), (" 60 ", 60), ("0.5", 0.5), ("300", 300)])
def test_given_seconds_to_remember_data_keys_when_read_then_they_are_those(text: str, seconds: float) -> None:
    assert ReaderSettings.from_environment({**ENVIRONMENT, "READ_CACHE_SECONDS": text}).cache_seconds == seconds


def test_given_no_claim_when_read_then_it_is_the_one_that_every_function_takes() -> None:
    environment = {name: text for name, text in ENVIRONMENT.items() if name != "USER_CLAIM"}

    assert ReaderSettings.from_environment(environment).users.user_claim == "sub"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("USER_INDEX_NAME", "", "USER_INDEX_NAME is not set"),
        ("USER_CLAIM", " ", "USER_CLAIM is not set"),
        ("CONTEXT_ATTRIBUTES", "tenant,sessionId", "CONTEXT_ATTRIBUTES: the API needs"),
        ("CONTEXT_ATTRIBUTES", "sessionId", "CONTEXT_ATTRIBUTES: the API needs"),
        ("TRUSTED_ROLE_IDS", "arn:aws:iam::111122223333:role/backend", "TRUSTED_ROLE_IDS: a role is listed by its id"),
        ("TRUSTED_ROLE_IDS", "AROATRUSTED:alice", "TRUSTED_ROLE_IDS: a role is listed by its id"),
        *(
            ("READ_CACHE_SECONDS", text, "READ_CACHE_SECONDS must be")
            for text in ("", "soon", "-1", "300.1", "1e2", "inf")
        ),
    ],
)
def test_given_a_setting_that_cannot_work_when_read_then_it_is_refused_by_name(
    name: str, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        ReaderSettings.from_environment({**ENVIRONMENT, name: text})
