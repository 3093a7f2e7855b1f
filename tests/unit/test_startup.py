from dataclasses import replace
from typing import Any

import boto3
import pytest

from encryptor_runtime.settings import Settings
from encryptor_runtime.startup import check_key, check_regions, check_table, refuse_unsafe_table
from item_crypto import ConfigurationError, SystemicError, TransientError
from tests.faults import failing
from tests.scene import CLIENT, TABLE, Scene
from tests.tables import key_schema
from tests.unit.test_settings import ENVIRONMENT

SETTINGS = Settings.from_environment(ENVIRONMENT | {"TABLE_NAME": TABLE})


def description(**changes: Any) -> dict[str, Any]:
    return {"KeySchema": key_schema("sessionId", "userId")} | changes


def index(*names: str) -> list[dict[str, Any]]:
    return [{"KeySchema": key_schema(*names)}]


def test_table_and_key_when_they_are_as_the_settings_say_then_accepted(scene: Scene) -> None:
    check_table(scene.dynamodb, SETTINGS)
    check_key(scene.kms, scene.key_arn)


@pytest.mark.parametrize("kind", ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"])
@pytest.mark.parametrize("name", ["history", "encrypted_history", "is_encrypted", "configuration"])
def test_attribute_to_encrypt_when_it_is_an_index_key_then_refused(kind: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match="ENCRYPTED_ATTRIBUTES"):
        refuse_unsafe_table(description(**{kind: index("userId", name)}), SETTINGS)


def test_attribute_to_encrypt_when_it_is_a_table_key_then_refused() -> None:
    keyed = description(KeySchema=key_schema("history"))

    with pytest.raises(ConfigurationError, match="ENCRYPTED_ATTRIBUTES"):
        refuse_unsafe_table(keyed, SETTINGS)


def test_index_on_other_attributes_when_checked_then_accepted() -> None:
    refuse_unsafe_table(description(GlobalSecondaryIndexes=index("userId", "startTime")), SETTINGS)


@pytest.mark.parametrize("names", [("userId",), ("sessionId",), ("userId", "sessionId", "tenant"), ("user", "session")])
def test_context_when_it_is_not_the_whole_key_and_nothing_else_then_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="CONTEXT_ATTRIBUTES"):
        refuse_unsafe_table(description(), replace(SETTINGS, context_attributes=names))


REPLICAS = [{"RegionName": "eu-west-1"}]


@pytest.mark.parametrize(
    ("table", "single", "accepted"),
    [
        pytest.param({"Replicas": REPLICAS}, False, False, id="last writer wins"),
        pytest.param({"Replicas": REPLICAS, "MultiRegionConsistency": "EVENTUAL"}, False, False, id="eventual"),
        pytest.param({"Replicas": REPLICAS}, True, True, id="one writing Region"),
        pytest.param({"Replicas": REPLICAS, "MultiRegionConsistency": "STRONG"}, False, True, id="strong"),
        pytest.param({"Replicas": []}, False, True, id="no replicas"),
    ],
)
def test_table_with_replicas_when_checked_then_only_safe_ones_are_accepted(
    table: dict[str, Any], single: bool, accepted: bool
) -> None:
    settings = replace(SETTINGS, single_writing_region=single)
    if accepted:
        refuse_unsafe_table(description(**table), settings)
    else:
        with pytest.raises(ConfigurationError, match="SINGLE_WRITING_REGION"):
            refuse_unsafe_table(description(**table), settings)


def test_key_when_it_is_disabled_or_asymmetric_then_refused(scene: Scene) -> None:
    disabled = scene.kms.create_key()["KeyMetadata"]
    scene.kms.disable_key(KeyId=disabled["KeyId"])
    asymmetric = scene.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]

    with pytest.raises(ConfigurationError, match="Disabled"):
        check_key(scene.kms, disabled["Arn"])
    with pytest.raises(ConfigurationError, match="symmetric"):
        check_key(scene.kms, asymmetric["Arn"])


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", TransientError), ("AccessDeniedException", SystemicError)]
)
def test_service_when_it_refuses_to_describe_then_the_class_tells_whether_it_passes(
    scene: Scene, code: str, error: type[Exception]
) -> None:
    kms, dynamodb = boto3.client("kms", **CLIENT), boto3.client("dynamodb", **CLIENT)

    with failing(kms, "kms", code), pytest.raises(error):
        check_key(kms, scene.key_arn)
    with failing(dynamodb, "dynamodb", code), pytest.raises(error):
        check_table(dynamodb, SETTINGS)


def test_keys_when_they_are_in_the_functions_region_then_accepted() -> None:
    check_regions(SETTINGS.key_arn.split(":")[3], SETTINGS)


@pytest.mark.parametrize("setting", ["key_arn", "earlier_key_arns"])
def test_key_when_it_is_in_another_region_then_refused(setting: str) -> None:
    region = SETTINGS.key_arn.split(":")[3]
    elsewhere = SETTINGS.key_arn.replace(region, "ap-south-1")
    settings = replace(SETTINGS, **{setting: elsewhere if setting == "key_arn" else (elsewhere,)})

    with pytest.raises(ConfigurationError, match=r"the key is in ap-south-1, and the function in"):
        check_regions(region, settings)
