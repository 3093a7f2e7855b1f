"""Which attributes were ever configured, kept in the control table so that none of them is forgotten.

::

    {"id": "attributes", "part": "configuration", "since": "2026-01-02T08:30:00+00:00"}     one row an attribute

A list that loses a name would leave that attribute's ciphertexts behind: nobody would read them, decrypt them back or
count them. So a start that does not say what has become of an attribute is refused. Rows are only ever added.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from encryptor_runtime.settings import Settings
from item_crypto.errors import ConfigurationError
from item_crypto.service_errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTRIBUTES: Final = "attributes"
"""The key of the rows; IAM policies are bound to it."""


@dataclass(frozen=True)
class RememberedAttributes:
    """The attributes that were ever configured.

    Both methods raise TransientError or SystemicError where DynamoDB does not answer.

    Attributes:
        dynamodb: a boto3 DynamoDB client.
        control_table: the control table's name.
        now: returns the time, aware.
    """

    dynamodb: "DynamoDBClient"
    control_table: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def since(self) -> dict[str, datetime]:
        """Return when each was first configured, by its name (consistent read)."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.control_table,
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": ATTRIBUTES}},
            ConsistentRead=True,
        )
        with translated("dynamodb"):
            rows = [row for page in pages for row in page["Items"]]
        return {row["part"]["S"]: datetime.fromisoformat(row["since"]["S"]) for row in rows}

    def add(self, names: Iterable[str]) -> None:
        """Remember ``names``; one that is there already keeps its date."""
        for name in names:
            row = {"id": {"S": ATTRIBUTES}, "part": {"S": name}, "since": {"S": self.now().isoformat()}}
            with translated("dynamodb"):
                try:
                    self.dynamodb.put_item(
                        TableName=self.control_table, Item=row, ConditionExpression="attribute_not_exists(id)"
                    )
                except ClientError as error:
                    if error_code(error) != "ConditionalCheckFailedException":
                        raise


def check_attributes(remembered: RememberedAttributes, settings: Settings) -> None:
    """Check that ``settings`` list every attribute that was ever configured, and remember those that are new.

    They are remembered before the first item is touched: there is no moment in which an attribute is encrypted and not
    known.

    Raises:
        ConfigurationError: one is listed neither as configured nor as earlier.
        TransientError, SystemicError: DynamoDB did not answer, or refuses.
    """
    known, listed = remembered.since(), (*settings.attributes, *settings.earlier_attributes)
    if forgotten := sorted(known.keys() - set(listed)):
        names = ",".join(sorted({*settings.earlier_attributes, *forgotten}))
        raise ConfigurationError(
            f"ENCRYPTED_ATTRIBUTES: {', '.join(forgotten)} was encrypted before, and items may still be; set the "
            f"parameter EarlierAttributes (EARLIER_ATTRIBUTES) to {names}, or list it in EncryptedAttributes again"
        )
    remembered.add(name for name in listed if name not in known)
