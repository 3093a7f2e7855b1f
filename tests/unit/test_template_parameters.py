"""The parameters of template.yaml: each says what it is and refuses what it must."""

import re

import pytest

from tests.unit.sam_template import Stack, source, translated

SOURCE = source()
TEMPLATE = translated()
PARAMETERS = SOURCE["Parameters"]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000001"
REPLICA_KEY = f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-{'0' * 32}"
ALIAS = "arn:aws:kms:eu-west-1:111122223333:alias/sessions"
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/chats/stream/2026-01-02T08:30:00.000"


def accepts(parameter: dict, value: str) -> bool:
    """Judge as CloudFormation does: a pattern must match the whole value."""
    if "AllowedValues" in parameter:
        return value in map(str, parameter["AllowedValues"])
    if parameter["Type"] == "Number":
        return parameter["MinValue"] <= float(value) <= parameter["MaxValue"]
    return re.fullmatch(parameter["AllowedPattern"], value) is not None


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_described_and_constrained(name):
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    if parameter["Type"] == "Number":
        assert "AllowedValues" in parameter or {"MinValue", "MaxValue"} <= parameter.keys()
    else:
        assert "AllowedValues" in parameter or {"AllowedPattern", "ConstraintDescription"} <= parameter.keys()


@pytest.mark.parametrize("name", PARAMETERS)
def test_default_is_accepted(name):
    assert accepts(PARAMETERS[name], str(PARAMETERS[name]["Default"]))


def test_every_parameter_is_grouped_once_for_the_console():
    groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TableName", "Chats_2-eu.west"),
        ("TableStreamArn", STREAM),
        ("TableKeyArn", KEY),
        ("KmsKeyArn", KEY),
        ("KmsKeyArn", REPLICA_KEY),
        ("EarlierKeyArns", KEY),
        ("EarlierKeyArns", f"{KEY},{REPLICA_KEY}"),
        ("KeyRotationDays", "2560"),
        ("EncryptedAttributes", "history"),
        ("ContextAttributes", "tenant,purpose_of_use"),
        ("JwtIssuer", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc"),
        ("JwtAudience", "one,two"),
        ("TrustedRoleIds", "AROAEXAMPLEEXAMPLEEX,AROAEXAMPLEEXAMPLEEY"),
        ("AllowedOrigins", "https://chat.example.com,http://localhost:5173"),
        ("StreamRetries", "-1"),
        ("SettingCacheSeconds", "0"),
        ("ReadCacheSeconds", "0"),
        ("ReadCacheSeconds", "300"),
        ("AdminGroupClaim", "custom:groups"),
        ("MigratorConcurrency", "2"),
        ("CatchUpScheduleExpression", ""),
        ("CatchUpScheduleExpression", "rate(6 hours)"),
        ("ReencryptScheduleExpression", "rate(1 day)"),
        ("ReencryptScheduleExpression", "cron(30 3 ? * MON-FRI *)"),
    ],
)
def test_good_value_is_accepted(name, value):
    assert accepts(PARAMETERS[name], value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TableName", "arn:aws:dynamodb:eu-west-1:111122223333:table/chats"),
        ("TableStreamArn", STREAM.partition("/stream/")[0]),
        ("KmsKeyArn", ALIAS),
        ("KmsKeyArn", "alias/sessions"),
        ("KmsKeyArn", "00000000-0000-4000-8000-000000000001"),
        ("KmsKeyArn", "*"),
        ("KmsKeyArn", f"{KEY},{KEY}"),
        ("TableKeyArn", ALIAS),
        ("EarlierKeyArns", f"{KEY},{ALIAS}"),
        ("EarlierKeyArns", f"{KEY}, {KEY}"),
        ("EarlierKeyArns", f"{KEY},"),
        ("KeyRotationDays", "30"),
        ("EncryptedAttributes", ""),
        ("EncryptedAttributes", "history, configuration"),
        ("ContextAttributes", ""),
        ("ContextAttributes", "purpose"),
        ("ContextAttributes", "userId,purpose"),
        ("ContextAttributes", "userId,aws-crypto-public-key"),
        ("ContextPurpose", ""),
        ("ContextPurpose", "*"),
        ("ContextPurpose", "${aws:username}"),
        ("EncryptionEnabled", "yes"),
        ("JwtIssuer", "http://issuer.example"),
        ("JwtAudience", "one,,two"),
        ("TrustedRoleIds", "AIDAEXAMPLEEXAMPLEEX"),
        ("AllowedOrigins", "*"),
        ("AllowedOrigins", "https://*.example.com"),
        ("AllowedOrigins", "https://chat.example.com/"),
        ("StreamRecordAge", "86400"),
        ("OldestFailureAlarmDays", "14"),
        ("SettingCacheSeconds", "900"),
        ("ReadCacheSeconds", "301"),
        ("ReadCacheSeconds", "-1"),
        ("AdminGroup", ""),
        ("AdminGroup", "*"),
        ("MigratorConcurrency", "1"),
        ("MigratorMemory", "128"),
        ("CatchUpScheduleExpression", "daily"),
        ("CatchUpScheduleExpression", "rate(1 minute)"),
        ("CatchUpScheduleExpression", "rate(0 days)"),
        ("ReencryptScheduleExpression", "cron(30 3 * * *)"),
        ("ReencryptScheduleExpression", "at(2026-01-02T08:30:00)"),
        ("ReencryptAfterDays", "0"),
        ("UseFipsEndpoint", ""),
    ],
)
def test_bad_value_is_refused(name, value):
    assert not accepts(PARAMETERS[name], value)


@pytest.mark.parametrize(
    ("given", "broken"),
    [
        ({}, set()),
        ({"TableName": "chats", "TableStreamArn": STREAM}, set()),
        ({"TableName": "chats"}, {"TableAndStream"}),
        ({"TableStreamArn": STREAM}, {"TableAndStream"}),
        ({"JwtIssuer": "https://issuer.example", "JwtAudience": "web"}, set()),
        ({"JwtIssuer": "https://issuer.example"}, {"IssuerAndAudience"}),
        ({"JwtAudience": "web"}, {"IssuerAndAudience"}),
        ({"UserIndexName": "mine"}, {"IndexOfTheMadeTable"}),
        ({"UserIndexName": "mine", "TableName": "chats", "TableStreamArn": STREAM}, set()),
    ],
)
def test_what_belongs_together_is_given_together(given, broken):
    assert Stack(TEMPLATE, given).broken_rules() == broken
