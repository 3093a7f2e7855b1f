"""What the table and KMS say while a page is worked off: requests that they throttle, units that are consumed.

It listens to clients. A request that is throttled and sent again by boto3 succeeds in the end, and nobody would hear of
it: so each attempt counts. What was consumed is told only where it is asked for, which is done here as well, so that
nobody who reads and writes items has to know.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from migrator import capacity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

_OPERATIONS: Final = ("Scan", "BatchGetItem", "GetItem", "UpdateItem", "BatchExecuteStatement")
_THROTTLES: Final = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttling",
        "ThrottledException",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes that say that more was asked for than may be ("Common errors" of the services' API references), those of
PartiQL's statements among them (``BatchStatementError``)."""


@dataclass(frozen=True)
class Pressed:
    """What was met.

    Attributes:
        table_throttles: requests that the table throttled, in full or in part.
        kms_throttles: requests that KMS throttled.
        units: units consumed, named as `migrator.capacity` names them.
    """

    table_throttles: int = 0
    kms_throttles: int = 0
    units: Mapping[str, float] = field(default_factory=dict)


class Pressure:
    """Listens to clients, whatever thread they are used in.

    Args:
        dynamodb: boto3 DynamoDB clients; only requests to ``table`` count, and all statements.
        kms: a boto3 KMS client.
        table: the table's name.
    """

    def __init__(self, dynamodb: Iterable["DynamoDBClient"], kms: "KMSClient", table: str) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._throttles: Counter[str] = Counter()
        self._units: dict[str, float] = {}
        for client, operation in product(dynamodb, _OPERATIONS):
            client.meta.events.register(f"before-parameter-build.dynamodb.{operation}", self._ask)
            client.meta.events.register(f"response-received.dynamodb.{operation}", self._of_table)
        kms.meta.events.register("response-received.kms", self._of_kms)

    def drain(self) -> Pressed:
        """Return what was met since the last time, and forget it."""
        with self._lock:
            pressed = Pressed(self._throttles["dynamodb"], self._throttles["kms"], self._units)
            self._throttles, self._units = Counter(), {}
        return pressed

    def _ask(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        # Nobody but who writes items executes statements.
        is_ours = "Statements" in params or self._table in params.get("RequestItems", {})
        if is_ours or params.get("TableName") == self._table:
            params["ReturnConsumedCapacity"] = "INDEXES"
            context["pressed_by"] = model.name

    def _of_table(self, parsed_response: Mapping[str, Any] | None, context: Mapping[str, Any], **_: Any) -> None:
        operation = context.get("pressed_by")
        if operation is None or parsed_response is None:
            return
        told = parsed_response.get("ConsumedCapacity") or []
        units = capacity.consumed(operation, told if isinstance(told, list) else [told])
        with self._lock:
            if _is_throttled(parsed_response) or parsed_response.get("UnprocessedKeys"):
                self._throttles["dynamodb"] += 1
            elif operation == "BatchExecuteStatement":
                # Each throttled one is a write that was.
                self._throttles["dynamodb"] += sum(map(_is_throttled, parsed_response.get("Responses", ())))
            for name, number in units.items():
                self._units[name] = self._units.get(name, 0.0) + number

    def _of_kms(self, parsed_response: Mapping[str, Any] | None, **_: Any) -> None:
        if parsed_response is not None and _is_throttled(parsed_response):
            with self._lock:
                self._throttles["kms"] += 1


def _is_throttled(answer: Mapping[str, Any]) -> bool:
    return (answer.get("Error") or {}).get("Code") in _THROTTLES
