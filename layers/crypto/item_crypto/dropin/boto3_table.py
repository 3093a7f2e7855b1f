"""A drop-in for boto3's Table resource: items in the clear, whatever form each is stored in."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.table import BatchWriter

from item_crypto.dropin.boto3_client import EncryptedClient
from item_crypto.dropin.encryption import Encryption
from item_crypto.dropin.reads import Answer, Calls, Request
from item_crypto.dropin.styles import ResourceCalls, ResourceStyle
from item_crypto.errors import CallRefused

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb import type_defs as types
    from mypy_boto3_dynamodb.service_resource import Table

_PASSED: Final = frozenset(
    {
        "archival_summary",
        "attribute_definitions",
        "billing_mode_summary",
        "creation_date_time",
        "deletion_protection_enabled",
        "global_secondary_indexes",
        "global_table_version",
        "item_count",
        "key_schema",
        "latest_stream_arn",
        "latest_stream_label",
        "load",
        "local_secondary_indexes",
        "name",
        "on_demand_throughput",
        "provisioned_throughput",
        "reload",
        "replicas",
        "restore_summary",
        "sse_description",
        "stream_specification",
        "table_arn",
        "table_class_summary",
        "table_id",
        "table_name",
        "table_size_bytes",
        "table_status",
        "wait_until_exists",
        "wait_until_not_exists",
        "warm_throughput",
    }
)
"""What describes the table. All else that the resource offers is refused."""


class EncryptedTable:
    """A boto3 Table that encrypts what it writes and decrypts what it reads.

    It takes the arguments of boto3's Table, condition objects too, and returns its answers; what it raises beside
    boto3's errors is an ItemCryptoError. A call that it does not know how to make safely is refused (CallRefused) and
    never passed on::

        table = EncryptedTable(boto3.resource("dynamodb").Table("sessions"), encryption)
        table.put_item(Item={"userId": "alice", "sessionId": "dlg-1", "history": ["what is the tide in Porto?"]})
        table.get_item(Key={"userId": "alice", "sessionId": "dlg-1"})["Item"]["history"]
        # ["what is the tide in Porto?"]

    Args:
        table: the resource; it is used, never changed.
        encryption: how the table's items are encrypted.
    """

    def __init__(self, table: "Table", encryption: Encryption) -> None:
        self._table: Any = table
        self._name: str = table.name
        self.meta = _Meta(table.meta, _ResourceClient(table.meta.client, {table.name: encryption}))

    def get_item(self, **request: "Unpack[types.GetItemInputTableGetItemTypeDef]") -> "types.GetItemOutputTableTypeDef":
        """Read an item."""
        return self._call("get_item", request)  # type: ignore[no-any-return]

    def query(self, **request: "Unpack[types.QueryInputTableQueryTypeDef]") -> "types.QueryOutputTableTypeDef":
        """Read a page of a query."""
        return self._call("query", request)  # type: ignore[no-any-return]

    def scan(self, **request: "Unpack[types.ScanInputTableScanTypeDef]") -> "types.ScanOutputTableTypeDef":
        """Read a page of a scan."""
        return self._call("scan", request)  # type: ignore[no-any-return]

    def put_item(self, **request: "Unpack[types.PutItemInputTablePutItemTypeDef]") -> "types.PutItemOutputTableTypeDef":
        """Put an item, encrypted in the same request."""
        return self._call("put_item", request)  # type: ignore[no-any-return]

    def update_item(
        self, **request: "Unpack[types.UpdateItemInputTableUpdateItemTypeDef]"
    ) -> "types.UpdateItemOutputTableTypeDef":
        """Update an item; where an encrypted attribute is concerned, by a read and a conditional write."""
        return self._call("update_item", request)  # type: ignore[no-any-return]

    def delete_item(
        self, **request: "Unpack[types.DeleteItemInputTableDeleteItemTypeDef]"
    ) -> "types.DeleteItemOutputTableTypeDef":
        """Delete an item."""
        return self._call("delete_item", request)  # type: ignore[no-any-return]

    def _call(self, operation: str, request: Any) -> Any:
        return getattr(self.meta.client, operation)(TableName=self._name, **request)

    def batch_writer(self, overwrite_by_pkeys: Sequence[str] | None = None) -> BatchWriter:
        """Return boto3's batch writer, whose puts are encrypted."""
        names = None if overwrite_by_pkeys is None else list(overwrite_by_pkeys)
        return BatchWriter(self._name, self.meta.client, overwrite_by_pkeys=names)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        """Return what describes the table.

        Raises:
            CallRefused: for all else that the resource offers.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _PASSED:
            return getattr(self._table, name)
        getattr(self._table, name)
        raise CallRefused(name, "it is none of the calls for items; use the table itself for what concerns no item")


class _ResourceClient(EncryptedClient):
    """The client behind an encrypted table: as the one behind a resource, in Python values."""

    def __init__(self, client: "DynamoDBClient", tables: dict[str, Encryption | None]) -> None:
        super().__init__(client, tables)
        self._style = ResourceStyle(client)

    def _calls(self, client: "DynamoDBClient") -> Calls:
        return ResourceCalls(client)

    def _call(self, operation: str, make: Callable[[Request], Answer], request: Request) -> Any:
        return self._style.untyped(operation, make(self._style.typed(operation, request)))


class _Meta:
    """What boto3 calls a resource's ``meta``, with a client that decrypts as well.

    Args:
        meta: the resource's.
        client: the client.
    """

    def __init__(self, meta: Any, client: EncryptedClient) -> None:
        self._meta = meta
        self.client = client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._meta, name)
