"""Changes of several items in one request: each is a PartiQL statement with the conditions of its ``Change``.

::

    UPDATE "sessions" SET "encrypted_history"=? SET "is_encrypted"=? REMOVE "history"
    WHERE "sessionId"=? AND "userId"=? AND "history"=? AND "encrypted_history" IS MISSING AND …

The statements have nothing to do with one another: each is made or refused by itself, and the answer is 200 whatever
became of them. Limits of a request and names of errors: ``BatchExecuteStatement`` and ``BatchStatementError`` (API
reference). That one malformed value has the request refused as a whole, and that one key twice has it refused half
made: measured on DynamoDB Local 3.3.0.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from item_crypto.core.change import Change
from item_crypto.core.codec import Value
from item_crypto.core.key import key_id
from item_crypto.dynamodb.answers import sent_once
from item_crypto.dynamodb.table import MAX_OPERATORS
from item_crypto.errors import (
    InvalidRequest,
    ItemCryptoError,
    ItemTooLarge,
    OutcomeUnknown,
    SystemicError,
    TransientError,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST: Final = 25
"""Statements in one request (API reference)."""

_FRAME: Final = 100  # Bytes of a request around its statements.

MOST_BYTES: Final = 8_000_000 - _FRAME
"""Bytes of the statements of one request, as they are sent: half of what DynamoDB takes of a request that writes."""

_MOST_CHARACTERS: Final = 8192  # Of one statement (API reference).

_PLACEHOLDERS: Final = ("#", ":")  # At the beginning of a name: taken for one of an expression's (measured).

_NOTHING_DONE: Final = frozenset(
    {"ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError", "TransactionConflict"}
)


class Batch:
    """Writes of one DynamoDB table, several in a request.

    Args:
        dynamodb: a boto3 DynamoDB client that sends each request once: of a request that is sent again, every statement
            that took effect the first time would fail its condition. May be shared between threads.
        table: the table's name.
        sleep: waits a number of seconds.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep

    def size_of(self, change: Change) -> int | None:
        """Return the bytes that ``change`` takes in a request; None where no statement says it, and it goes alone.

        That is so where it may create the item, which ``UPDATE`` never does, where it is longer than a statement or
        larger than a request may be, and where it has a name that statements do not take, quoted or not.
        """
        if any(name.startswith(_PLACEHOLDERS) for name in (*change.guards, *change.sets, *change.removes, *change.key)):
            return None
        if all(value is None for value in change.guards.values()) or any(
            change.guards.get(name, value) is None for name, value in change.key.items()
        ):
            return None
        # Between each two conditions there is an AND, and each is an operator itself.
        if 2 * len({*change.key, *change.guards}) - 1 > MAX_OPERATORS:
            return None
        said = statement(self._table, change)
        if len(said["Statement"].encode("utf-8", "surrogatepass")) > _MOST_CHARACTERS:
            return None
        size = len(json.dumps(said, default=_as_text)) + len(", ")
        return size if size <= MOST_BYTES else None

    def apply(self, changes: Sequence[Change]) -> list[bool | ItemCryptoError]:
        """Make each of ``changes`` whose guards hold; return in their order what became of them.

        True stands for one that was made, False for one that was not since somebody wrote before, and else an error:

        - OutcomeUnknown: it may have taken effect. Whoever asked for it has to look.
        - TransientError, InvalidRequest: it was not made, and by itself it may be: it was throttled, or is no statement
          that DynamoDB takes.
        - ItemTooLarge, SystemicError: as for :meth:`Table.apply`.

        Args:
            changes: at most ``MOST`` changes of different items, of ``MOST_BYTES`` in all by :meth:`size_of`.

        Raises:
            TransientError, SystemicError: DynamoDB did not answer, or refuses the request; nothing was written.
            ValueError: two of them are of one item; nothing was sent.
        """
        if len({key_id(change.key) for change in changes}) < len(changes):
            # DynamoDB refuses that as well, but not before it has made one of them.
            raise ValueError("one item twice in a request")
        statements: Any = [statement(self._table, change) for change in changes]
        try:
            answer = sent_once(lambda: self._dynamodb.batch_execute_statement(Statements=statements), self._sleep)
        except OutcomeUnknown as error:
            return [error] * len(changes)
        except (InvalidRequest, ItemTooLarge):
            # One malformed value is enough, and what stands before it may be made by then.
            return [OutcomeUnknown("dynamodb", "ValidationException")] * len(changes)
        told = answer["Responses"]
        if len(told) != len(changes):
            return [OutcomeUnknown("dynamodb", "UnexpectedAnswer")] * len(changes)
        return [_meaning(each) for each in told]


def statement(table: str, change: Change) -> dict[str, Any]:
    """Return the statement, one of ``Statements``, that makes ``change`` if its guards hold."""
    parameters: list[Value] = []

    def equal(name: str, value: Value) -> str:
        parameters.append(value)
        return f"{_quoted(name)}=?"

    sets = [f"SET {equal(name, value)}" for name, value in change.sets.items()]
    removes = [f"REMOVE {_quoted(name)}" for name in change.removes]
    # A guard on a key attribute that has a value says no more than that the item is there.
    guards = {name: value for name, value in change.guards.items() if name not in change.key}
    conditions = [
        f"{_quoted(name)} IS MISSING" if value is None else equal(name, value)
        for name, value in (*change.key.items(), *guards.items())
    ]
    text = f"UPDATE {_quoted(table)} {' '.join(sets + removes)} WHERE {' AND '.join(conditions)}"
    return {"Statement": text, "Parameters": parameters}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()


def _meaning(told: Mapping[str, Any]) -> bool | ItemCryptoError:
    """Return what became of a statement (``BatchStatementError``, whose codes are not the exceptions' names)."""
    if "Error" not in told:
        return True
    code = str(told["Error"].get("Code", "Unknown"))
    match code:
        case "ConditionalCheckFailed":
            return False
        case "InternalServerError":
            return OutcomeUnknown("dynamodb", code)
        case "ItemCollectionSizeLimitExceeded":
            return ItemTooLarge("DynamoDB refuses the item for its size")
        case "ValidationError":
            return InvalidRequest("DynamoDB refuses the statement as malformed")
    return TransientError("dynamodb", code) if code in _NOTHING_DONE else SystemicError("dynamodb", code)
