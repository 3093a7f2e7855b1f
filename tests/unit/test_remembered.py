"""The control table remembers every attribute that was ever configured, and a start that forgets one is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from encryptor_runtime.remembered import RememberedAttributes, check_attributes
from encryptor_runtime.settings import Settings
from item_crypto import ConfigurationError, SystemicError, TransientError
from tests.faults import failing
from tests.scene import CLIENT
from tests.tables import create_table

THEN, LATER = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)
SETTINGS = Settings.from_environment(
    {
        "TABLE_NAME": "sessions",
        "SESSION_ENCRYPTION_KEY_ARN": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "ENCRYPTED_ATTRIBUTES": "history,configuration",
        "CONTEXT_ATTRIBUTES": "userId,sessionId",
        "CONTEXT_PURPOSE": "session-encryption",
    }
)


@pytest.fixture
def dynamodb(aws: None) -> Any:
    client = boto3.client("dynamodb", **CLIENT)
    create_table(client, "control", "id", "part")
    return client


def remembered(dynamodb: Any, now: datetime = THEN) -> RememberedAttributes:
    return RememberedAttributes(dynamodb, "control", lambda: now)


def listing(attributes: str, earlier: str = "") -> Settings:
    return replace(
        SETTINGS,
        attributes=tuple(attributes.split(",")),
        earlier_attributes=tuple(filter(None, earlier.split(","))),
    )


def test_first_start_when_nothing_is_remembered_then_all_that_is_listed_is(dynamodb: Any) -> None:
    check_attributes(remembered(dynamodb), listing("history,configuration", "name"))

    assert remembered(dynamodb).since().keys() == {"history", "configuration", "name"}


def test_start_when_it_adds_an_attribute_then_it_is_remembered_and_the_others_keep_their_date(dynamodb: Any) -> None:
    check_attributes(remembered(dynamodb), listing("history"))
    check_attributes(remembered(dynamodb, LATER), listing("history,configuration"))

    rows = dynamodb.scan(TableName="control")["Items"]
    assert {row["part"]["S"]: row["since"]["S"] for row in rows} == {
        "history": THEN.isoformat(),
        "configuration": LATER.isoformat(),
    }


def test_two_starts_when_they_add_the_same_attribute_at_once_then_both_go_on(dynamodb: Any) -> None:
    remembered(dynamodb).add(["history"])
    remembered(dynamodb, LATER).add(["history"])

    (row,) = dynamodb.scan(TableName="control")["Items"]
    assert row["since"]["S"] == THEN.isoformat()


def test_start_when_it_forgets_an_attribute_then_it_is_refused_with_the_sentence_that_mends_it(dynamodb: Any) -> None:
    check_attributes(remembered(dynamodb), listing("history,configuration,name"))

    with pytest.raises(ConfigurationError, match="configuration was encrypted before") as refusal:
        check_attributes(remembered(dynamodb), listing("history,extra", "name"))
    assert "EarlierAttributes (EARLIER_ATTRIBUTES) to configuration,name" in str(refusal.value)
    assert "extra" not in remembered(dynamodb).since()

    # What the sentence says, done.
    check_attributes(remembered(dynamodb), listing("history,extra", "configuration,name"))
    check_attributes(remembered(dynamodb), listing("history,configuration,name,extra"))


def test_start_when_an_earlier_attribute_is_left_out_later_then_it_is_refused_still(dynamodb: Any) -> None:
    check_attributes(remembered(dynamodb), listing("history", "configuration"))

    with pytest.raises(ConfigurationError, match="configuration"):
        check_attributes(remembered(dynamodb), listing("history"))


@pytest.mark.parametrize("operation", ["Query", "PutItem"])
@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", TransientError), ("AccessDeniedException", SystemicError)]
)
def test_start_when_the_table_does_not_answer_then_it_does_not_go_on(
    dynamodb: Any, operation: str, code: str, error: type[Exception]
) -> None:
    with failing(dynamodb, f"dynamodb.{operation}", code), pytest.raises(error):
        check_attributes(remembered(dynamodb), SETTINGS)


@pytest.mark.parametrize("earlier", ["history", "userId", "is_encrypted", "encrypted_name", "name_conflict"])
def test_earlier_attribute_when_it_collides_then_refused(earlier: str) -> None:
    environment = {
        "TABLE_NAME": "sessions",
        "SESSION_ENCRYPTION_KEY_ARN": SETTINGS.key_arn,
        "ENCRYPTED_ATTRIBUTES": "history",
        "EARLIER_ATTRIBUTES": earlier,
        "CONTEXT_ATTRIBUTES": "userId,sessionId",
        "CONTEXT_PURPOSE": "p",
    }
    with pytest.raises(ConfigurationError, match=f"EARLIER_ATTRIBUTES: {earlier}"):
        Settings.from_environment(environment)


def test_appended_attribute_when_it_became_an_earlier_one_then_it_may_stay_listed() -> None:
    environment = {
        "TABLE_NAME": "sessions",
        "SESSION_ENCRYPTION_KEY_ARN": SETTINGS.key_arn,
        "ENCRYPTED_ATTRIBUTES": "configuration",
        "EARLIER_ATTRIBUTES": "history",
        "APPENDED_ATTRIBUTES": "history",
        "CONTEXT_ATTRIBUTES": "userId,sessionId",
        "CONTEXT_PURPOSE": "p",
    }
    policy = Settings.from_environment(environment).policy
    assert policy.attributes == ("configuration", "history")
    assert policy.encrypted == {"configuration"}
