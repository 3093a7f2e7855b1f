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

Whoever only reads needs no MPL: a row tells all that KMS is asked for. What makes and rotates is in ``key_store.py``.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from item_crypto.core.context import PURPOSE
from item_crypto.errors import (
    ConfigurationError,
    DecryptionFailed,
    KeyDestroyed,
    KeyNotListed,
    KeyNotReady,
    KeyUnusable,
    SystemicError,
    TransientError,
)
from item_crypto.keys.branch_key_id import Tenants
from item_crypto.keys.branch_wrapping import KEY_SIZE, BranchKeyVersion
from item_crypto.keys.identity import Identity, check_key_arn, is_same_key
from item_crypto.keys.meter import KmsMeter
from item_crypto.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

    from item_crypto.keys.key_store import KeyStoreWrites

ACTIVE: Final = "branch:ACTIVE"
"""The type of the row that a write's version, or a tombstone, stands in."""

_ID: Final = "branch-key-id"
_TYPE: Final = "type"
_KEY: Final = "enc"
_KMS_ARN: Final = "kms-arn"
_MADE_AT: Final = "create-time"
_VERSION: Final = "version"
_DESTROYED_AT: Final = "destroyed-at"
_STORE: Final = "tablename"
_CUSTOM: Final = "aws-crypto-ec:"
_TENANT: Final = "tenant"
_AT_ONCE: Final = 100
"""Writes that a transaction of DynamoDB's can hold (API reference, TransactWriteItems)."""

_LOST_RACE: Final = "TransactionCanceledException"
_VERSION_PREFIX: Final = "branch:version:"

# What KMS says of a row that it did not encrypt: of its key or of another member of it.
_NOT_AUTHENTIC: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException", "ValidationException"})


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
        self._dynamodb = dynamodb
        self._kms = kms
        self._key_arn = check_key_arn(key_arn)
        self._key_arns = (key_arn, *map(check_key_arn, earlier_key_arns))
        self._meter = meter

    def current(self, branch_key_id: str) -> BranchKeyVersion:
        """Return the version of a branch key that writes use, decrypted by KMS.

        Raises:
            KeyNotReady: it is not made yet.
            KeyDestroyed: it was destroyed on purpose.
            KeyNotListed: it is under a KMS key that is neither the current one nor an earlier one.
            DecryptionFailed: the row is not as it was made.
        """
        row = self._row(branch_key_id, ACTIVE)
        if row is None:
            raise KeyNotReady
        if _KEY not in row:
            raise KeyDestroyed
        return self._decrypted(row, row.get(_VERSION, {}).get("S"))

    def version(self, branch_key_id: str, version: UUID) -> BranchKeyVersion:
        """Return a version of a branch key that a message needs, decrypted by KMS.

        Raises:
            KeyDestroyed: it was destroyed on purpose.
            KeyNotListed: it is under a KMS key that is neither the current one nor an earlier one.
            DecryptionFailed: there is no such version, or the row is not as it was made.
        """
        row = self._row(branch_key_id, f"{_VERSION_PREFIX}{version}")
        if row is None or _KEY not in row:
            if self.find(branch_key_id).state is State.DESTROYED:
                raise KeyDestroyed
            raise DecryptionFailed("branch-key-missing")
        return self._decrypted(row, row[_TYPE]["S"])

    def find(self, branch_key_id: str) -> BranchKey:
        """Return how a branch key is, by a consistent read."""
        row = self._row(branch_key_id, ACTIVE)
        return _branch_key(row) if row else BranchKey(branch_key_id, State.ABSENT)

    def check(self, branch_key_id: str) -> BranchKey:
        """Return how a branch key is, if it can be used.

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
        self._listed(found.kms_key_arn)
        return found

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
            custom = {PURPOSE: self.tenants.purpose} | ({_TENANT: tenant} if tenant else {})
            is_new = self._writes().make(branch_key_id, custom)
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
        if self.check(branch_key_id).kms_key_arn != self._key_arn:
            raise ConfigurationError("the branch key is encrypted under an earlier KMS key, and cannot be rotated")
        if not self._writes().rotate(branch_key_id):
            self.check(branch_key_id)
            raise TransientError("dynamodb", _LOST_RACE)
        return self.check(branch_key_id)

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
                if error.code == _LOST_RACE:
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

    def _row(self, branch_key_id: str, kind: str) -> Mapping[str, Any] | None:
        key = {_ID: {"S": branch_key_id}, _TYPE: {"S": kind}}
        with translated("dynamodb"):
            return self._dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")

    def _decrypted(self, row: Mapping[str, Any], version: str | None) -> BranchKeyVersion:
        """Return the branch key in ``row``: KMS authenticates every other member of it, and the store's name."""
        try:
            key_arn = self._listed(row[_KMS_ARN]["S"])
            context = {name: str(next(iter(value.values()))) for name, value in row.items() if name != _KEY}
            which = UUID((version or "").removeprefix(_VERSION_PREFIX))
            encrypted = bytes(row[_KEY]["B"])
        except (KeyError, ValueError):
            raise DecryptionFailed("branch-key-malformed") from None
        started = time.perf_counter()
        try:
            with translated("kms"):
                answer = self._kms.decrypt(
                    KeyId=key_arn,
                    CiphertextBlob=encrypted,
                    EncryptionContext=context | {_STORE: self.tenants.purpose},
                )
        except SystemicError as error:
            if error.code in _NOT_AUTHENTIC:
                # Of one tenant's row: the items of all others are not to wait for it.
                raise DecryptionFailed("branch-key-not-authentic") from None
            if key_arn != self._key_arn:
                raise KeyUnusable(error.service, error.code) from None
            raise
        finally:
            if self._meter is not None:
                self._meter.add((time.perf_counter() - started) * 1000)
        if answer["KeyId"] != key_arn or len(answer["Plaintext"]) != KEY_SIZE:
            raise DecryptionFailed("branch-key-not-authentic")
        return BranchKeyVersion(row[_ID]["S"], which, answer["Plaintext"])

    def _listed(self, key_arn: str | None) -> str:
        """Return the listed KMS key that answers for ``key_arn``: itself, else its replica.

        Raises:
            KeyNotListed: there is none.
        """
        for listed in self._key_arns:
            if key_arn is not None and is_same_key(Identity(key_arn), listed):
                return listed
        raise KeyNotListed

    def _writes(self) -> "KeyStoreWrites":
        # Loaded here: whoever only reads has no such library.
        writes = import_module("item_crypto.keys.key_store").KeyStoreWrites
        made: KeyStoreWrites = writes(self._dynamodb, self._kms, self.table, self.tenants.purpose, self._key_arn)
        return made

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
