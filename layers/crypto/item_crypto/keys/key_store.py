"""Writes to the table of branch keys, by the key store of the AWS Cryptographic Material Providers Library (MPL).

Only whoever makes or rotates branch keys imports this: the MPL is in a layer of its own, and takes most of a second to
load.

The MPL would rotate a tombstone away: its condition asks for a row, and not for a key. So what it sends goes through a
client that asks for the key as well. It reads without consistency, which would show a key that is no more; that client
reads consistently. And it reports a failed call as text without its code, so the code is taken where boto3 raises it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.errors import ServiceError
from aws_cryptographic_material_providers.keystore.models import (
    CreateKeyInput,
    KMSConfigurationKmsKeyArn,
    VersionKeyInput,
)
from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.errors import InvalidRequest, ItemCryptoError, SystemicError
from item_crypto.service_errors import from_boto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

_KEY: Final = "enc"  # The member of a row that is the key, encrypted.
_MALFORMED: Final = "ValidationException"
_LOST_RACE: Final = "TransactionCanceledException"
_NOT_WRITTEN: Final = "branch-key-not-written"


class KeyStoreWrites:
    """Makes and rotates branch keys; to be made anew for each call.

    Args:
        dynamodb: a boto3 client of DynamoDB's.
        kms: a boto3 client of KMS's.
        table: the name of the table.
        logical_name: the store's name in the encryption context of every branch key.
        key_arn: the KMS key that branch keys are encrypted under.
    """

    def __init__(
        self, dynamodb: "DynamoDBClient", kms: "KMSClient", table: str, logical_name: str, key_arn: str
    ) -> None:
        self._errors: list[ItemCryptoError] = []
        self._store = KeyStore(
            KeyStoreConfig(
                ddb_table_name=table,
                kms_configuration=KMSConfigurationKmsKeyArn(key_arn),
                logical_key_store_name=logical_name,
                ddb_client=_Rows(dynamodb, "dynamodb", self._errors),
                kms_client=_Kms(kms, "kms", self._errors),
            )
        )

    def make(self, branch_key_id: str, custom: Mapping[str, str]) -> bool:
        """Make a branch key with more members of its context; return False where there is a row of it already.

        Raises:
            InvalidRequest: KMS finds the request malformed, of which only the context differs from tenant to tenant.
            TransientError, SystemicError: DynamoDB or KMS does not answer, or refuses.
        """
        request = CreateKeyInput(branch_key_identifier=branch_key_id, encryption_context=dict(custom))
        try:
            return self._written(lambda: self._store.create_key(request))
        except SystemicError as error:
            if (error.service, error.code) == ("kms", _MALFORMED):
                raise InvalidRequest("KMS refuses the branch key's context as malformed") from None
            raise

    def rotate(self, branch_key_id: str) -> bool:
        """Give a branch key a new version; return False where it is no key any more, whenever that is noticed.

        Raises:
            TransientError, SystemicError: DynamoDB or KMS does not answer, or refuses.
        """
        request = VersionKeyInput(branch_key_identifier=branch_key_id)
        try:
            return self._written(lambda: self._store.version_key(request))
        except SystemicError as error:
            if error.code == _NOT_WRITTEN:
                return False  # It read a tombstone, and takes that for a row that is damaged.
            raise

    def _written(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except (ServiceError, ClientError, BotoCoreError) as error:
            met = self._errors[-1] if self._errors else SystemicError("keys", _NOT_WRITTEN)
            if isinstance(met, SystemicError) and met.code == _LOST_RACE:
                return False
            raise met from error
        return True


class _Heard:
    """A boto3 client whose failures are kept."""

    def __init__(self, client: Any, service: str, errors: list[ItemCryptoError]) -> None:
        self._client = client
        self._service = service
        self._errors = errors

    @property
    def meta(self) -> Any:
        """The client's own description, which the MPL reads the Region from."""
        return self._client.meta

    def _called(self, operation: str, arguments: dict[str, Any]) -> Any:
        try:
            return getattr(self._client, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            self._errors.append(from_boto(self._service, error))
            raise


class _Rows(_Heard):
    """DynamoDB, as the MPL's key store calls it."""

    def get_item(self, **arguments: Any) -> Any:
        """Read a row, consistently."""
        return self._called("get_item", arguments | {"ConsistentRead": True})

    def transact_write_items(self, **arguments: Any) -> Any:
        """Write rows; over an active one only where that is a key, and no tombstone."""
        items = [_over_a_key(write) for write in arguments["TransactItems"]]
        return self._called("transact_write_items", arguments | {"TransactItems": items})


class _Kms(_Heard):
    """KMS, as the MPL's key store calls it."""

    def generate_data_key_without_plaintext(self, **arguments: Any) -> Any:
        """Make a branch key that nobody sees."""
        return self._called("generate_data_key_without_plaintext", arguments)

    def re_encrypt(self, **arguments: Any) -> Any:
        """Encrypt a branch key again, under another context."""
        return self._called("re_encrypt", arguments)


def _over_a_key(write: dict[str, Any]) -> dict[str, Any]:
    put = write["Put"]
    if not put["ConditionExpression"].startswith("attribute_exists("):
        return write
    names = put.get("ExpressionAttributeNames", {}) | {"#enc": _KEY}
    condition = f"{put['ConditionExpression']} AND attribute_exists(#enc)"
    return {"Put": put | {"ConditionExpression": condition, "ExpressionAttributeNames": names}}
