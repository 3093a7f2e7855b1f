"""The calls that read: get_item, query, scan, batch_get_item, transact_get_items. In the client's style."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from item_crypto.core.codec import Item, Value
from item_crypto.dropin import conditions, projection
from item_crypto.dropin.encryption import Encryption
from item_crypto.dropin.placeholders import NAMES, VALUES, Placeholders
from item_crypto.dropin.projection import Narrowing
from item_crypto.errors import CallRefused

Request = Mapping[str, Any]
Answer = dict[str, Any]

CONDITION: Final = "ConditionExpression"
FILTER: Final = "FilterExpression"
KEY_CONDITION: Final = "KeyConditionExpression"
PROJECTION: Final = "ProjectionExpression"

_LEGACY: Final = (
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionalOperator",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
)
"""Arguments that expressions took the place of in 2014 (API reference, "Legacy conditional parameters")."""


_KNOWN: Final = frozenset(
    {
        *("TableName", "IndexName", "Key", "Keys", "Item", "RequestItems", "TransactItems", "Select", "Limit"),
        *("ConsistentRead", "ScanIndexForward", "ExclusiveStartKey", "Segment", "TotalSegments"),
        *("ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValues"),
        *("ReturnValuesOnConditionCheckFailure", "UpdateExpression", CONDITION, FILTER, KEY_CONDITION, PROJECTION),
        *(NAMES, VALUES),
    }
)
"""Arguments that were looked at. One that DynamoDB learns some day may name attributes, or carry values."""


class Calls(Protocol):
    """DynamoDB's calls, in the client's style."""

    def send(self, operation: str, request: Request) -> Answer:
        """Return the answer to the operation of boto3's name; raises what boto3 raises."""


class Tables(Protocol):
    """Which table is encrypted, and how."""

    def encryption(self, operation: str, table: str) -> Encryption | None:
        """Return how; None for a table that is not, by the caller's own word.

        Raises:
            CallRefused: nobody said.
        """


def check_arguments(operation: str, request: Request) -> None:
    """Refuse arguments that are older than expressions, and those that nobody has looked at.

    Raises:
        CallRefused: there is one.
    """
    for name in request:
        if name in _LEGACY:
            raise CallRefused(operation, f"{name} is a legacy argument; use an expression")
        if name not in _KNOWN:
            raise CallRefused(operation, f"{name} is no argument that the drop-in knows; leave it out")


class Reads:
    """Reads items of tables, and returns them in the clear.

    Every method takes and returns what boto3's client does. It raises what that raises, and ItemCryptoError: a
    CallRefused before anything is sent, and another where an item cannot be decrypted. A call that names one table is
    given how that one is encrypted; one that names several asks ``tables``.

    Args:
        calls: DynamoDB's.
        tables: how they are encrypted.
    """

    def __init__(self, calls: Calls, tables: Tables) -> None:
        self._calls = calls
        self._tables = tables

    def get_item(self, request: Request, encryption: Encryption) -> Answer:
        """Read an item."""
        sent, narrowing = _projected("get_item", request, encryption)
        answer = self._calls.send("get_item", sent)
        if "Item" in answer:
            clear = encryption.clear_one("get_item", request["TableName"], answer["Item"])
            answer["Item"] = _narrowed(clear, narrowing)
        return answer

    def query(self, request: Request, encryption: Encryption) -> Answer:
        """Read a page of a query."""
        return self._page("query", request, encryption)

    def scan(self, request: Request, encryption: Encryption) -> Answer:
        """Read a page of a scan."""
        return self._page("scan", request, encryption)

    def _page(self, operation: str, request: Request, encryption: Encryption) -> Answer:
        sent, narrowing = _projected(operation, request, encryption)
        answer = self._calls.send(operation, sent)
        if "Items" in answer:
            clear = encryption.clear(operation, request["TableName"], answer["Items"])
            answer["Items"] = [_narrowed(item, narrowing) for item in clear]
        return answer

    def batch_get_item(self, request: Request) -> Answer:
        """Read items by their keys. What was not processed comes back as it was asked for."""
        asked: Mapping[str, Request] = request.get("RequestItems", {})
        encryptions = {table: self._tables.encryption("batch_get_item", table) for table in asked}
        sent: dict[str, Request] = {}
        narrowings: dict[str, Narrowing | None] = {}
        for table, part in asked.items():
            encryption = encryptions[table]
            sent[table] = part
            if encryption is not None:
                sent[table], narrowings[table] = _projected("batch_get_item", part, encryption)
        answer = self._calls.send("batch_get_item", {**request, "RequestItems": sent})
        for table, items in answer.get("Responses", {}).items():
            encryption = encryptions[table]
            if encryption is not None:
                clear = encryption.clear("batch_get_item", table, items)
                answer["Responses"][table] = [_narrowed(item, narrowings[table]) for item in clear]
        for table, part in answer.get("UnprocessedKeys", {}).items():
            answer["UnprocessedKeys"][table] = {**asked[table], "Keys": part["Keys"]}
        return answer

    def transact_get_items(self, request: Request) -> Answer:
        """Read items by their keys in one transaction."""
        asked = [part["Get"] for part in request.get("TransactItems", [])]
        encryptions = [self._tables.encryption("transact_get_items", get["TableName"]) for get in asked]
        sent: list[Request] = []
        narrowings: list[Narrowing | None] = []
        for get, encryption in zip(asked, encryptions, strict=True):
            projected, narrowing = (
                (get, None) if encryption is None else _projected("transact_get_items", get, encryption)
            )
            sent.append({"Get": projected})
            narrowings.append(narrowing)
        answer = self._calls.send("transact_get_items", {**request, "TransactItems": sent})
        for get, encryption, narrowing, part in zip(
            asked, encryptions, narrowings, answer.get("Responses", []), strict=False
        ):
            if encryption is not None and "Item" in part:
                clear = encryption.clear_one("transact_get_items", get["TableName"], part["Item"])
                part["Item"] = _narrowed(clear, narrowing)
        return answer


def _narrowed(item: Item, narrowing: Narrowing | None) -> dict[str, Value]:
    return dict(item) if narrowing is None else narrowing.apply(item)


def _projected(operation: str, request: Request, encryption: Encryption) -> tuple[Request, Narrowing | None]:
    """Return the request to be sent, its expressions for the table as it is stored."""
    check_arguments(operation, request)
    placeholders = Placeholders(request)
    protected = encryption.protected
    narrowing: Narrowing | None = None
    rewritten: dict[str, str] = {}
    if PROJECTION in request:
        rewritten[PROJECTION], narrowing = projection.widened(request[PROJECTION], placeholders, protected)
    if FILTER in request:
        rewritten[FILTER] = conditions.translated(request[FILTER], placeholders, protected)
    if KEY_CONDITION in request:
        rewritten[KEY_CONDITION] = request[KEY_CONDITION]
        conditions.check_key_condition(request[KEY_CONDITION], placeholders, protected)
    return with_expressions(request, rewritten, placeholders), narrowing


def with_expressions(request: Request, rewritten: Mapping[str, str], placeholders: Placeholders) -> Request:
    """Return ``request`` with expressions in the place of the caller's; an empty one is left out."""
    kept = {name: value for name, value in request.items() if name not in (*rewritten, NAMES, VALUES)}
    sent = {name: text for name, text in rewritten.items() if text}
    before = [request[name] for name in rewritten if name in request]
    return kept | sent | placeholders.arguments(before, sent.values())


Operation = Callable[[Request], Answer]
