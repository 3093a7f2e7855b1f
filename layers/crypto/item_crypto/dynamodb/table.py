"""The table: consistent reads of many keys, conditional updates of one item."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from item_crypto.core.codec import Item, is_number
from item_crypto.core.context import canonical_number
from item_crypto.errors import InvalidRequest, ItemCryptoError, ItemTooLarge, TransientError
from item_crypto.service_errors import error_code, from_boto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KeyId = tuple[tuple[str, str, str | bytes], ...]
"""A key in a form that can be compared: two spellings of one number are one key."""

_BATCH_SIZE: Final = 100  # Keys in one BatchGetItem (API reference).
_ATTEMPTS: Final = 6
_FIRST_WAIT: Final = 0.05  # seconds; doubles with each attempt, with full jitter.


def key_id(key: Item) -> KeyId:
    """Return what identifies ``key``."""
    parts = []
    for name, value in sorted(key.items()):
        kind, content = next(iter(value.items()))
        parts.append((name, kind, canonical_number(content) if kind == "N" and is_number(content) else content))
    return tuple(parts)


class Table:
    """One DynamoDB table.

    Args:
        dynamodb: a boto3 DynamoDB client; may be shared between threads.
        name: the table's name.
        sleep: waits a number of seconds.
        jitter: returns a number from 0 to 1.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        name: str,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._dynamodb = dynamodb
        self._sleep = sleep
        self._jitter = jitter

    def read(self, keys: Iterable[Item]) -> dict[KeyId, Item | None | ItemCryptoError]:
        """Return the items of ``keys`` as they are now (consistent reads), by :func:`key_id`.

        None stands for an item that does not exist, an error for a key that could not be read: one malformed key
        does not fail the others.
        """
        distinct = {key_id(key): dict(key) for key in keys}
        found: dict[KeyId, Item | None | ItemCryptoError] = {}
        identities = list(distinct)
        for start in range(0, len(identities), _BATCH_SIZE):
            batch = {identity: distinct[identity] for identity in identities[start : start + _BATCH_SIZE]}
            found.update(self._read_batch(batch))
        return found

    def _read_batch(self, batch: Mapping[KeyId, Item]) -> dict[KeyId, Item | None | ItemCryptoError]:
        found: dict[KeyId, Item | None | ItemCryptoError] = {}
        waiting = dict(batch)
        names = list(next(iter(batch.values()))) if batch else []
        error: ItemCryptoError = TransientError("dynamodb", "UnprocessedKeys")
        for attempt in range(_ATTEMPTS):
            if not waiting:
                break
            if attempt:
                self._sleep(_FIRST_WAIT * 2**attempt * self._jitter())
            try:
                answer = self._dynamodb.batch_get_item(
                    RequestItems={self.name: {"Keys": list(waiting.values()), "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as raised:
                if _is_malformed(raised):
                    # One malformed key fails the whole request, so each is asked for by itself.
                    return found | {identity: self._read_one(key) for identity, key in waiting.items()}
                error = from_boto("dynamodb", raised)
            else:
                error = TransientError("dynamodb", "UnprocessedKeys")
                for item in answer["Responses"].get(self.name, []):
                    found[key_id({name: item[name] for name in names})] = item
                unprocessed = answer["UnprocessedKeys"].get(self.name, {"Keys": []})["Keys"]
                waiting = {key_id(key): dict(key) for key in unprocessed}
            if not isinstance(error, TransientError):
                break
        failed: dict[KeyId, Item | None | ItemCryptoError] = dict.fromkeys(waiting, error)
        return dict.fromkeys(batch) | found | failed

    def _read_one(self, key: Item) -> Item | None | ItemCryptoError:
        try:
            return self.get(key)
        except ItemCryptoError as error:
            return error

    def get(self, key: Item) -> Item | None:
        """Return the item as it is now (consistent read), or None.

        Raises:
            InvalidRequest: the key does not fit the table.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        answer = self._call(self._dynamodb.get_item, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def update(self, key: Item, update: Mapping[str, Any]) -> bool:
        """Write one item under a condition; return False where the condition failed, since somebody wrote before.

        Args:
            key: the item's key.
            update: arguments as ``decide.conditional_update`` returns them.

        Raises:
            ItemTooLarge: DynamoDB finds the item larger than it allows.
            InvalidRequest: DynamoDB refuses the update as malformed.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        try:
            self._call(self._dynamodb.update_item, Key=key, **update)
        except _ConditionFailed:
            return False
        return True

    def delete(self, key: Item) -> bool:
        """Delete an item; return whether there was one.

        Raises:
            InvalidRequest: the key does not fit the table.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        answer = self._call(self._dynamodb.delete_item, Key=key, ReturnValues="ALL_OLD")
        return "Attributes" in answer

    def query(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of a query; arguments as for boto3's ``query``, without the table's name.

        Raises:
            InvalidRequest: DynamoDB refuses the query, such as for a start key that it did not issue.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        return self._call(self._dynamodb.query, **arguments)

    def scan(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of a consistent scan; arguments as for boto3's ``scan``, without the table's name.

        Raises:
            InvalidRequest: DynamoDB refuses the scan.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        return self._call(self._dynamodb.scan, ConsistentRead=True, **arguments)

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = operation(TableName=self.name, **arguments)
        except (ClientError, BotoCoreError) as error:
            # From None: a validation error's text may quote the item.
            raise _translated(error) from None
        return answer


def _translated(error: ClientError | BotoCoreError) -> Exception:
    code = error_code(error) if isinstance(error, ClientError) else ""
    if code == "ConditionalCheckFailedException":
        return _ConditionFailed()
    if code == "ItemCollectionSizeLimitExceededException" or (_is_malformed(error) and "size" in str(error).lower()):
        return ItemTooLarge("DynamoDB refuses the item for its size")
    if _is_malformed(error):
        return InvalidRequest("DynamoDB refuses the request as malformed")
    return from_boto("dynamodb", error)


def _is_malformed(error: ClientError | BotoCoreError) -> bool:
    if isinstance(error, ClientError):
        return error_code(error) in ("ValidationException", "SerializationException")
    return isinstance(error, ParamValidationError)


class _ConditionFailed(Exception):
    """Somebody wrote the item after it was read."""


def key_of(item: Item, names: Sequence[str]) -> dict[str, Any]:
    """Return the key of ``item``, given the names of the key attributes."""
    return {name: item[name] for name in names}
