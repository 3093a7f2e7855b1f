"""The table of branch keys, as the key store of the AWS Cryptographic Material Providers Library (MPL) lays it out.

::

    branch-key-id   type                  more
    tenant-6b1f…    branch:ACTIVE         version, enc, kms-arn, create-time, …   the version that writes use
    tenant-6b1f…    branch:version:4f2a…  enc, …                                  each version, for reading
    tenant-6b1f…    beacon:ACTIVE         enc, …                                  made by the MPL, never used here
    tenant-90cc…    branch:ACTIVE         destroyed-at                            a tombstone

``enc`` is the branch key, encrypted by KMS under the row's other members and the logical name of the store.

A tombstone stands where the active version stood. The MPL makes a key only where no such row is, so nobody makes the
key of a destroyed tenant again, whoever comes first::

    make    ── GenerateDataKeyWithoutPlaintext, ReEncrypt ── put if there is no row ─┐
    destroy ── put the tombstone if it is the version that was read, delete the rest ├─ one of them fails
    rotate  ── GenerateDataKeyWithoutPlaintext, ReEncrypt ── put if there is a key ──┘

The MPL itself would rotate a tombstone away: its condition asks for a row and not for a key. So what it sends goes
through a client that asks for the key as well. It reads without consistency, which would show a key that is no more,
or none where one was just made; that client reads consistently.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.errors import ServiceError
from aws_cryptographic_material_providers.keystore.models import (
    CreateKeyInput,
    Discovery,
    KMSConfigurationDiscovery,
    KMSConfigurationKmsKeyArn,
    VersionKeyInput,
)
from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.context import PURPOSE
from item_crypto.errors import (
    ConfigurationError,
    DecryptionFailed,
    KeyDestroyed,
    KeyNotListed,
    KeyNotReady,
    SystemicError,
    TransientError,
)
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.heard import Heard, HeardClient
from item_crypto.keys.identity import check_key_arn
from item_crypto.keys.meter import KmsMeter
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

ACTIVE: Final = "branch:ACTIVE"
"""The type of the row that a write's version, or a tombstone, stands in."""

_ID: Final = "branch-key-id"
_TYPE: Final = "type"
_KEY: Final = "enc"
_KMS_ARN: Final = "kms-arn"
_MADE_AT: Final = "create-time"
_VERSION: Final = "version"
_DESTROYED_AT: Final = "destroyed-at"
_CUSTOM: Final = "aws-crypto-ec:"
_TENANT: Final = "tenant"
_AT_ONCE: Final = 100
"""Writes that a transaction of DynamoDB's can hold (API reference, TransactWriteItems)."""

_LOST_RACE: Final = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class State(Enum):
    """How a branch key is."""

    ABSENT = "absent"
    ACTIVE = "active"
    DESTROYED = "destroyed"


@dataclass(frozen=True)
class BranchKey:
    """A branch key, or what is left of it; never the key itself.

    Attributes:
        branch_key_id: its identifier.
        state: how it is.
        tenant: whose it is; None where it is destroyed, empty where it is the one for all.
        kms_key_arn: the KMS key that it is encrypted under.
        version: the version that writes use.
        since: when that version was made, or the key destroyed: ISO 8601.
    """

    branch_key_id: str
    state: State
    tenant: str | None = None
    kms_key_arn: str | None = None
    version: str | None = None
    since: str | None = None


class BranchKeys:
    """The branch keys of a table; may be shared between threads.

    Every method raises TransientError or SystemicError where DynamoDB or KMS does not answer or refuses.

    Args:
        dynamodb: a boto3 client of DynamoDB's.
        kms: a boto3 client of KMS's.
        table: the name of the table.
        tenants: what tells one tenant from another.
        key_arn: the KMS key that new branch keys are encrypted under.
        earlier_key_arns: KMS keys that branch keys may still be encrypted under.
        meter: told how long each call to KMS took; None where nobody asks.

    Raises:
        ConfigurationError: a key is not given by its key ARN, or the table's name cannot be one.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        kms: "KMSClient",
        table: str,
        tenants: Tenants,
        key_arn: str,
        earlier_key_arns: Sequence[str] = (),
        meter: KmsMeter | None = None,
    ) -> None:
        self.table = table
        self.tenants = tenants
        self.heard = Heard()
        self._dynamodb = dynamodb
        self._key_arn = check_key_arn(key_arn)
        self._key_arns = (key_arn, *map(check_key_arn, earlier_key_arns))
        self._rows = _Rows(dynamodb, "dynamodb", self.heard)
        self._kms = _Kms(kms, self._key_arns, self.heard, meter)

    @cached_property
    def store(self) -> KeyStore:
        """The MPL's key store for reading: branch keys under each KMS key that a row names."""
        return self._store(KMSConfigurationDiscovery(Discovery()))

    def find(self, branch_key_id: str) -> BranchKey:
        """Return how a branch key is, by a consistent read."""
        with translated("dynamodb"):
            answer = self._dynamodb.get_item(
                TableName=self.table,
                Key={_ID: {"S": branch_key_id}, _TYPE: {"S": ACTIVE}},
                ConsistentRead=True,
            )
        row = answer.get("Item")
        return _branch_key(row) if row else BranchKey(branch_key_id, State.ABSENT)

    def check(self, branch_key_id: str) -> None:
        """Check that a branch key can be used.

        Raises:
            KeyNotReady: it is not made yet.
            KeyDestroyed: it was destroyed on purpose.
            KeyNotListed: it is under a KMS key that is neither the current one nor an earlier one.
        """
        found = self.find(branch_key_id)
        if found.state is State.ABSENT:
            raise KeyNotReady
        if found.state is State.DESTROYED:
            raise KeyDestroyed
        if found.kms_key_arn not in self._key_arns:
            raise KeyNotListed

    def make(self, tenant: str) -> tuple[BranchKey, bool]:
        """Make the branch key of ``tenant`` where there is none; return it, and whether it was made now.

        May be repeated, and asked for by many at once: the identifier is the tenant's own, and whoever comes second
        reads what the first has made.

        Raises:
            KeyDestroyed: it was destroyed on purpose, and is not made again.
        """
        branch_key_id = self.tenants.branch_key_id(tenant)
        found = self.find(branch_key_id)
        is_new = found.state is State.ABSENT
        if is_new:
            is_new = self._made(branch_key_id, tenant)
            found = self.find(branch_key_id)
        if found.state is State.DESTROYED:
            raise KeyDestroyed
        if found.state is State.ABSENT:
            raise TransientError("keys", "branch-key-vanished")
        return found, is_new

    def rotate(self, branch_key_id: str) -> BranchKey:
        """Give a branch key a new version, which writes use from then on; earlier ones go on reading.

        Raises:
            KeyNotReady: it is not made yet.
            KeyDestroyed: it was destroyed on purpose.
            ConfigurationError: it is under another KMS key than the current one.
        """
        self.check(branch_key_id)
        if self.find(branch_key_id).kms_key_arn != self._key_arn:
            raise ConfigurationError("the branch key is encrypted under an earlier KMS key, and cannot be rotated")
        if not self._written(lambda store: store.version_key(VersionKeyInput(branch_key_identifier=branch_key_id))):
            self.check(branch_key_id)
            raise TransientError("dynamodb", "TransactionCanceledException")
        return self.find(branch_key_id)

    def destroy(self, branch_key_id: str, now: datetime) -> BranchKey:
        """Destroy a branch key, all versions of it, and leave a tombstone; return that.

        One transaction takes the active version and 99 rows more; a key of more versions loses the others right after.
        May be repeated: what a first time left is then deleted.

        Raises:
            KeyNotReady: there is none.
            TransientError: somebody rotated it meanwhile: nothing was destroyed.
        """
        found = self.find(branch_key_id)
        if found.state is State.ABSENT:
            raise KeyNotReady
        deletions: list[Any] = [
            {"Delete": {"TableName": self.table, "Key": row}}
            for row in self._rows_of(branch_key_id)
            if row[_TYPE]["S"] != ACTIVE
        ]
        if found.state is State.ACTIVE:
            deletions.insert(0, {"Put": self._tombstone(found, now)})
        for start in range(0, len(deletions), _AT_ONCE):
            try:
                with translated("dynamodb"):
                    self._dynamodb.transact_write_items(TransactItems=deletions[start : start + _AT_ONCE])
            except SystemicError as error:
                if error.code in _LOST_RACE:
                    raise TransientError("dynamodb", error.code) from None
                raise
        return self.find(branch_key_id)

    def listed(self, after: str | None = None, limit: int = 100) -> tuple[list[BranchKey], str | None]:
        """Return some branch keys and tombstones, in no order, and what to go on after; None for no more.

        Args:
            after: what the call before returned; None begins.
            limit: how many rows are read at most; a key has three or more.
        """
        start: dict[str, Any] = {}
        if after is not None:
            start = {"ExclusiveStartKey": {_ID: {"S": after.split("/", 1)[0]}, _TYPE: {"S": after.split("/", 1)[1]}}}
        with translated("dynamodb"):
            page = self._dynamodb.scan(TableName=self.table, Limit=limit, ConsistentRead=True, **start)
        found = [_branch_key(row) for row in page["Items"] if row[_TYPE].get("S") == ACTIVE]
        last = page.get("LastEvaluatedKey")
        return found, f"{last[_ID]['S']}/{last[_TYPE]['S']}" if last else None

    def why_failed(self, branch_key_id: str, reading: bool) -> Exception:
        """Return what lies behind a failure of the MPL's in this thread: what was heard, or how the key is."""
        if (heard := self.heard.error) is not None:
            return heard
        try:
            self.check(branch_key_id)
        except KeyNotReady as error:
            # A message that names a key which never was, or whose row was taken away without a tombstone.
            return DecryptionFailed("branch-key-missing") if reading else error
        except (KeyDestroyed, KeyNotListed, TransientError, SystemicError) as error:
            return error
        return DecryptionFailed("not-authentic") if reading else SystemicError("keys", "branch-key-unusable")

    def _made(self, branch_key_id: str, tenant: str) -> bool:
        custom = {PURPOSE: self.tenants.purpose} | ({_TENANT: tenant} if tenant else {})
        request = CreateKeyInput(branch_key_identifier=branch_key_id, encryption_context=custom)
        return self._written(lambda store: store.create_key(request))

    def _written(self, write: Any) -> bool:
        """Make a write of the MPL's; return False where its condition failed."""
        self.heard.begin()
        try:
            write(self._store(KMSConfigurationKmsKeyArn(self._key_arn)))
        except (ServiceError, ClientError, BotoCoreError) as error:
            heard = self.heard.error
            if isinstance(heard, SystemicError) and heard.code in _LOST_RACE:
                return False
            raise heard or SystemicError("keys", "branch-key-not-written") from error
        return True

    def _tombstone(self, found: BranchKey, now: datetime) -> dict[str, Any]:
        # Without the tenant's name: who asks for that tenant finds it, and nobody else learns who it was.
        return {
            "TableName": self.table,
            "Item": {
                _ID: {"S": found.branch_key_id},
                _TYPE: {"S": ACTIVE},
                _DESTROYED_AT: {"S": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": _VERSION},
            "ExpressionAttributeValues": {":version": {"S": found.version or ""}},
        }

    def _rows_of(self, branch_key_id: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="#id = :id",
            ProjectionExpression="#id, #type",
            ExpressionAttributeNames={"#id": _ID, "#type": _TYPE},
            ExpressionAttributeValues={":id": {"S": branch_key_id}},
        )
        with translated("dynamodb"):
            for page in pages:
                yield from page["Items"]

    def _store(self, kms: Any) -> KeyStore:
        return KeyStore(
            KeyStoreConfig(
                ddb_table_name=self.table,
                kms_configuration=kms,
                logical_key_store_name=self.tenants.purpose,
                ddb_client=self._rows,
                kms_client=self._kms,
            )
        )


class _Rows(HeardClient):
    """DynamoDB, as the MPL's key store calls it."""

    def get_item(self, **arguments: Any) -> Any:
        """Read a row, consistently."""
        return self.called("get_item", arguments | {"ConsistentRead": True})

    def transact_write_items(self, **arguments: Any) -> Any:
        """Write rows; over an active one only where that is a key, and no tombstone."""
        items = [_over_a_key(write) for write in arguments["TransactItems"]]
        return self.called("transact_write_items", arguments | {"TransactItems": items})


class _Kms(HeardClient):
    """KMS, as the MPL's key store calls it."""

    def __init__(self, kms: "KMSClient", key_arns: Sequence[str], heard: Heard, meter: KmsMeter | None) -> None:
        super().__init__(kms, "kms", heard, meter)
        self._key_arns = key_arns

    def decrypt(self, **arguments: Any) -> Any:
        """Decrypt a branch key, by the KMS key that its row names if that is one of ours."""
        if arguments["KeyId"] not in self._key_arns:
            self._heard.errors.append(KeyNotListed())
            raise self._heard.errors[-1]
        return self.called("decrypt", arguments)

    def generate_data_key_without_plaintext(self, **arguments: Any) -> Any:
        """Make a branch key that nobody sees."""
        return self.called("generate_data_key_without_plaintext", arguments)

    def re_encrypt(self, **arguments: Any) -> Any:
        """Encrypt a branch key again, under another context."""
        return self.called("re_encrypt", arguments)


def _over_a_key(write: dict[str, Any]) -> dict[str, Any]:
    put = write["Put"]
    if not put["ConditionExpression"].startswith("attribute_exists("):
        return write
    names = put.get("ExpressionAttributeNames", {}) | {"#enc": _KEY}
    condition = f"{put['ConditionExpression']} AND attribute_exists(#enc)"
    return {"Put": put | {"ConditionExpression": condition, "ExpressionAttributeNames": names}}


def _branch_key(row: Any) -> BranchKey:
    def text(name: str) -> str | None:
        value: str | None = row.get(name, {}).get("S")
        return value

    if _KEY not in row:
        return BranchKey(row[_ID]["S"], State.DESTROYED, since=text(_DESTROYED_AT))
    return BranchKey(
        row[_ID]["S"],
        State.ACTIVE,
        text(_CUSTOM + _TENANT) or "",
        text(_KMS_ARN),
        text(_VERSION),
        text(_MADE_AT),
    )
