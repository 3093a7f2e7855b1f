"""What the migrator is told beside what all functions are."""

from typing import Final

import pytest

from item_crypto import ConfigurationError
from migrator.settings import MigratorSettings

ENVIRONMENT: Final = {
    "TABLE_NAME": "sessions",
    "CONTROL_TABLE_NAME": "control",
    "SESSION_ENCRYPTION_KEY_ARN": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "ENCRYPTED_ATTRIBUTES": "history",
    "CONTEXT_ATTRIBUTES": "userId,sessionId",
    "CONTEXT_PURPOSE": "session-encryption",
    "WORK_QUEUE_URL": "https://sqs/work",
    "DEFERRED_QUEUE_URL": "https://sqs/deferred",
    "FAILURE_QUEUE_URL": "https://sqs/failures",
    "POWERTOOLS_SERVICE_NAME": "stack",
}


def settings(**environment: str) -> MigratorSettings:
    return MigratorSettings.from_environment(ENVIRONMENT | environment)


@pytest.mark.parametrize(("text", "segments"), [("", None), (" ", None), ("1", 1), (" 1000 ", 1000)])
def test_segments_at_once_are_as_told(text: str, segments: int | None) -> None:
    assert settings(MIGRATOR_CONCURRENCY=text).concurrency == segments
    assert settings().concurrency is None


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "many", "٣"])
def test_segments_at_once_that_are_no_number_of_them_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="MIGRATOR_CONCURRENCY"):
        settings(MIGRATOR_CONCURRENCY=text)


@pytest.mark.parametrize("name", ["WORK_QUEUE_URL", "DEFERRED_QUEUE_URL", "FAILURE_QUEUE_URL", "CONTROL_TABLE_NAME"])
def test_what_is_needed_and_missing_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        settings(**{name: ""})
