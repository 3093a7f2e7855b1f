"""What is checked once, before the first item: that the table and the key are what the settings say.

A refusal here is a clear sentence about one setting. Without it the same mistake would surface as a failure of every
item, or worse, as ciphertexts that cannot be told apart or decrypted later.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from encryptor_runtime.settings import Settings
from item_crypto.core.stored_form import IS_ENCRYPTED, encrypted_name
from item_crypto.errors import ConfigurationError
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient


def check_key(kms: "KMSClient", key_arn: str) -> None:
    """Check that ``key_arn`` names an enabled symmetric encryption key.

    Raises:
        ConfigurationError: it does not.
        TransientError, SystemicError: KMS did not answer, or refuses.
    """
    with translated("kms"):
        key = kms.describe_key(KeyId=key_arn)["KeyMetadata"]
    if key.get("KeySpec") != "SYMMETRIC_DEFAULT":  # The one spec of symmetric encryption keys.
        raise ConfigurationError("SESSION_ENCRYPTION_KEY_ARN: not a symmetric encryption key")
    if key.get("KeyState") != "Enabled":
        raise ConfigurationError(f"SESSION_ENCRYPTION_KEY_ARN: the key is {key['KeyState']}")


def check_branch_key_table(dynamodb: "DynamoDBClient", name: str) -> None:
    """Check that a table can hold branch keys: it is keyed as the key store of the MPL reads it.

    Raises:
        ConfigurationError: it is not.
        TransientError, SystemicError: DynamoDB did not answer, or refuses.
    """
    with translated("dynamodb"):
        table = dynamodb.describe_table(TableName=name)["Table"]
    found = [(part["AttributeName"], part["KeyType"]) for part in table["KeySchema"]]
    if sorted(found) != [("branch-key-id", "HASH"), ("type", "RANGE")]:
        raise ConfigurationError("BRANCH_KEY_TABLE_NAME: the table is not keyed by branch-key-id and type")


def check_regions(region: str, settings: Settings) -> None:
    """Check that every key is in ``region``: the keyrings ask one KMS endpoint, which knows no other Region's keys.

    Raises:
        ConfigurationError: one is not.
    """
    named = {"SESSION_ENCRYPTION_KEY_ARN": (settings.key_arn,), "EARLIER_KEY_ARNS": settings.earlier_key_arns}
    for name, arns in named.items():
        for arn in arns:
            if arn.split(":")[3] != region:
                raise ConfigurationError(f"{name}: the key is in {arn.split(':')[3]}, and the function in {region}")


def check_table(dynamodb: "DynamoDBClient", settings: Settings) -> None:
    """Check that the table can be encrypted as ``settings`` say.

    Raises:
        ConfigurationError: an attribute to encrypt is a key of the table or of an index; the encryption context
            does not name the whole key; the table is written in several Regions.
        TransientError, SystemicError: DynamoDB did not answer, or refuses.
    """
    with translated("dynamodb"):
        table = dynamodb.describe_table(TableName=settings.table)["Table"]
    refuse_unsafe_table(table, settings)


def refuse_unsafe_table(table: Mapping[str, Any], settings: Settings) -> None:
    """Check a table's description, as DescribeTable gives it.

    Raises:
        ConfigurationError: as for :func:`check_table`.
    """
    key = {part["AttributeName"] for part in table["KeySchema"]}
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
    index_keys = {part["AttributeName"] for index in indexes for part in index["KeySchema"]}
    for name in settings.attributes:
        if name in key | index_keys or {encrypted_name(name), IS_ENCRYPTED} & (key | index_keys):
            raise ConfigurationError(
                f"ENCRYPTED_ATTRIBUTES: {name} or its stored form is a key of the table or an index"
            )
    if set(settings.context_attributes) != key:
        # Fewer, and two items would share a context, so that their ciphertexts could be exchanged unnoticed.
        raise ConfigurationError("CONTEXT_ATTRIBUTES: must be the table's key attributes, all of them and no others")
    consistency = table.get("MultiRegionConsistency", "EVENTUAL")
    if table.get("Replicas") and consistency != "STRONG" and not settings.single_writing_region:
        # Conditions hold within a Region; last writer wins between them, and could undo a write unseen.
        raise ConfigurationError(
            "TABLE_NAME: the table has replicas in other Regions; set SINGLE_WRITING_REGION only if one Region writes"
        )
