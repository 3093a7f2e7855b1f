"""What the operator's status rests on: what the services say of the table, its stream's mapping, its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from encryptor_runtime.clients import Clients
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ENABLED: Final = ("Enabled", "Enabling", "Creating", "Updating")
"""States of an event source mapping that delivers, or is about to."""


def mapping_state(mappings: "LambdaClient", mapping_id: str) -> str:
    """Return the state of an event source mapping.

    Raises:
        TransientError, SystemicError: Lambda does not answer.
    """
    with translated("lambda"):
        return str(mappings.get_event_source_mapping(UUID=mapping_id)["State"])


@dataclass(frozen=True)
class Queries:
    """Asks the services; every method raises TransientError or SystemicError where one does not answer.

    Attributes:
        clients: the services' clients.
        table: the table's name.
        key_arn: the current key.
        mapping_id: the stream's event source mapping; None where it is not told.
    """

    clients: Clients
    table: str
    key_arn: str
    mapping_id: str | None

    def item_count(self) -> int:
        """Return how many items the table has, by DynamoDB's own, slow count."""
        return int(self.described()["ItemCount"])

    def described(self) -> Mapping[str, Any]:
        """Return what DynamoDB says of the table (DescribeTable)."""
        with translated("dynamodb"):
            return self.clients.dynamodb.describe_table(TableName=self.table)["Table"]

    def key_types(self) -> dict[str, str]:
        """Return the table's key attributes and the type of each: S, N or B."""
        described = self.described()
        types = {each["AttributeName"]: each["AttributeType"] for each in described["AttributeDefinitions"]}
        return {each["AttributeName"]: types[each["AttributeName"]] for each in described["KeySchema"]}

    def mapping_state(self) -> str | None:
        """Return the state of the stream's event source mapping; None where it is not told."""
        return None if self.mapping_id is None else mapping_state(self.clients.mappings, self.mapping_id)

    def key(self) -> Mapping[str, Any]:
        """Return what KMS says of the current key (DescribeKey)."""
        with translated("kms"):
            return self.clients.kms.describe_key(KeyId=self.key_arn)["KeyMetadata"]

    def rotation(self) -> Mapping[str, Any]:
        """Return what KMS says of the current key's rotation (GetKeyRotationStatus)."""
        with translated("kms"):
            return self.clients.kms.get_key_rotation_status(KeyId=self.key_arn)

    def recovery(self, table: str | None = None) -> Mapping[str, Any]:
        """Return to which times the table, or another one, can be restored (DescribeContinuousBackups)."""
        with translated("dynamodb"):
            answer = self.clients.dynamodb.describe_continuous_backups(TableName=table or self.table)
        return answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
