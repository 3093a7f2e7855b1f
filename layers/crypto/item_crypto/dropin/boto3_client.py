"""A drop-in for boto3's DynamoDB client: items in the clear, whatever form each is stored in."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.paginate import Paginator

from item_crypto.dropin.encryption import Encryption
from item_crypto.dropin.reads import Answer, Calls, Reads, Request
from item_crypto.dropin.styles import ClientCalls, operation_model
from item_crypto.dropin.writes import Writes
from item_crypto.errors import CallRefused

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb import type_defs as types

_PASSED: Final = frozenset(
    {
        "can_paginate",
        "close",
        "describe_continuous_backups",
        "describe_endpoints",
        "describe_limits",
        "describe_table",
        "describe_time_to_live",
        "exceptions",
        "get_waiter",
        "list_tables",
        "list_tags_of_resource",
        "meta",
        "waiter_names",
    }
)
"""What carries no items, and is the client's own. All else that it offers is refused."""

_PAGES_WITHOUT_ITEMS: Final = frozenset({"list_tables", "list_tags_of_resource"})
_REFUSED: Final = "it would carry items past encryption; use get, put, update, delete or their batches"
"""What is said of every other call."""


class EncryptedClient:
    """A boto3 DynamoDB client that encrypts what it writes and decrypts what it reads.

    It takes the arguments of boto3's client and returns its answers; what it raises beside boto3's errors is an
    ItemCryptoError. A call that it does not know how to make safely is refused (CallRefused) and never passed on::

        client = EncryptedClient(boto3.client("dynamodb"), {"sessions": encryption, "users": None})
        client.get_item(TableName="sessions", Key={"userId": {"S": "alice"}, "sessionId": {"S": "dlg-1"}})["Item"]

    Args:
        client: the client, in DynamoDB JSON: not the one behind a resource. It is used, never changed.
        tables: how the items of each table are encrypted, by its name or ARN; None for a table whose items are
            passed as they are. A call that names any other table is refused.
    """

    def __init__(self, client: "DynamoDBClient", tables: Mapping[str, Encryption | None]) -> None:
        self._client: Any = client
        self._tables = {_name(table): encryption for table, encryption in tables.items()}
        self._dynamodb = self._calls(client)
        self._reads, self._writes = Reads(self._dynamodb, self), Writes(self._dynamodb, self)

    def _calls(self, client: "DynamoDBClient") -> Calls:
        return ClientCalls(client)

    def _call(self, operation: str, make: Callable[[Request], Answer], request: Request) -> Any:  # noqa: ARG002
        return make(request)

    def _of_one(self, operation: str, make: Callable[[Request, Encryption], Answer], request: Request) -> Any:
        """Make a call that names one table; what is not encrypted is passed as it is."""

        def make_or_pass(request: Request) -> Answer:
            encryption = self.encryption(operation, request.get("TableName", ""))
            return self._dynamodb.send(operation, request) if encryption is None else make(request, encryption)

        return self._call(operation, make_or_pass, request)

    def encryption(self, operation: str, table: str) -> Encryption | None:
        """Return how the items of ``table`` are encrypted, None for one whose items are passed as they are.

        Args:
            operation: boto3's name of the call.
            table: the table's name or ARN.

        Raises:
            CallRefused: the table is not among those that were named.
        """
        if (name := _name(table)) not in self._tables:
            raise CallRefused(operation, "the table is not named; name it with its encryption, or with None for none")
        return self._tables[name]

    def get_item(self, **request: "Unpack[types.GetItemInputTypeDef]") -> "types.GetItemOutputTypeDef":
        """Read an item."""
        return self._of_one("get_item", self._reads.get_item, request)  # type: ignore[no-any-return]

    def query(self, **request: "Unpack[types.QueryInputTypeDef]") -> "types.QueryOutputTypeDef":
        """Read a page of a query."""
        return self._of_one("query", self._reads.query, request)  # type: ignore[no-any-return]

    def scan(self, **request: "Unpack[types.ScanInputTypeDef]") -> "types.ScanOutputTypeDef":
        """Read a page of a scan."""
        return self._of_one("scan", self._reads.scan, request)  # type: ignore[no-any-return]

    def batch_get_item(self, **request: "Unpack[types.BatchGetItemInputTypeDef]") -> "types.BatchGetItemOutputTypeDef":
        """Read items by their keys; what was not processed comes back as it was asked for."""
        return self._call("batch_get_item", self._reads.batch_get_item, request)  # type: ignore[no-any-return]

    def transact_get_items(
        self, **request: "Unpack[types.TransactGetItemsInputTypeDef]"
    ) -> "types.TransactGetItemsOutputTypeDef":
        """Read items by their keys in one transaction."""
        make = self._reads.transact_get_items
        return self._call("transact_get_items", make, request)  # type: ignore[no-any-return]

    def put_item(self, **request: "Unpack[types.PutItemInputTypeDef]") -> "types.PutItemOutputTypeDef":
        """Put an item, encrypted in the same request."""
        return self._of_one("put_item", self._writes.put_item, request)  # type: ignore[no-any-return]

    def update_item(self, **request: "Unpack[types.UpdateItemInputTypeDef]") -> "types.UpdateItemOutputTypeDef":
        """Update an item; where an encrypted attribute is concerned, by a read and a conditional write."""
        return self._of_one("update_item", self._writes.update_item, request)  # type: ignore[no-any-return]

    def delete_item(self, **request: "Unpack[types.DeleteItemInputTypeDef]") -> "types.DeleteItemOutputTypeDef":
        """Delete an item."""
        return self._of_one("delete_item", self._writes.delete_item, request)  # type: ignore[no-any-return]

    def batch_write_item(
        self, **request: "Unpack[types.BatchWriteItemInputTypeDef]"
    ) -> "types.BatchWriteItemOutputTypeDef":
        """Put and delete items; what was not processed comes back as it was given."""
        return self._call("batch_write_item", self._writes.batch_write_item, request)  # type: ignore[no-any-return]

    def get_paginator(self, operation_name: str) -> Any:
        """Return a paginator, as boto3's: of query and scan in the clear.

        Raises:
            CallRefused: for a call that would carry items and is none of these.
        """
        if operation_name in _PAGES_WITHOUT_ITEMS:
            return self._client.get_paginator(operation_name)
        if operation_name not in ("query", "scan"):
            raise CallRefused(f"a paginator of {operation_name}", _REFUSED)
        model = operation_model(self._client, operation_name)
        return Paginator(getattr(self, operation_name), _pagination(model.name), model)

    def __getattr__(self, name: str) -> Any:
        """Return what the client offers without items.

        Raises:
            CallRefused: for all else that it offers.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._client, name)
        if name in _PASSED:
            return found
        raise CallRefused(name, _REFUSED)


def _name(table: str) -> str:
    """Return a table's name, given that or its ARN."""
    return table.rpartition(":table/")[2]


@cache
def _pagination(operation: str) -> Any:
    """Return what botocore knows of an operation's pages."""
    return botocore.session.get_session().get_paginator_model("dynamodb").get_paginator(operation)
