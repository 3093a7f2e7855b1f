"""The table: consistent reads of many keys, a change of one item as a conditional update."""

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.change import Change
from item_crypto.core.codec import Item, Value
from item_crypto.core.key import KeyId, key_id
from item_crypto.dynamodb.answers import FIRST_WAIT, ConditionFailed, answered, is_malformed, sent_once
from item_crypto.errors import ConditionTooLong, ItemCryptoError, TransientError
from item_crypto.service_errors import from_boto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH_SIZE: Final = 100  # Keys in one BatchGetItem (API reference).
_ATTEMPTS: Final = 6
MAX_OPERATORS: Final = 300
"""Operators and functions in one expression (Developer Guide, "Service quotas")."""
_MAX_EXPRESSION: Final = 4096  # Bytes of one expression, placeholders as they are written (the same).


class Table:
    """One DynamoDB table.

    Args:
        dynamodb: a boto3 DynamoDB client; may be shared between threads.
        name: the table's name.
        sleep: waits a number of seconds.
        jitter: returns a number from 0 to 1.
        single: a client that sends each request once, for the writes of somebody who waits for their answer;
            ``dynamodb`` where None is given, which must not retry then.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        name: str,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        single: "DynamoDBClient | None" = None,
    ) -> None:
        self.name = name
        self._single = single or dynamodb
        self._dynamodb = dynamodb
        self._sleep = sleep
        self._jitter = jitter

    def read(self, keys: Mapping[KeyId, Item]) -> dict[KeyId, Item | None | ItemCryptoError]:
        """Return the items of ``keys`` as they are now (consistent reads), by what identifies them.

        None stands for an item that does not exist, an error for a key that could not be read: one malformed key
        does not fail the others.
        """
        found: dict[KeyId, Item | None | ItemCryptoError] = {}
        identities = list(keys)
        for start in range(0, len(identities), _BATCH_SIZE):
            batch = {identity: keys[identity] for identity in identities[start : start + _BATCH_SIZE]}
            found.update(self._read_batch(batch))
        return found

    def _read_batch(self, batch: Mapping[KeyId, Item]) -> dict[KeyId, Item | None | ItemCryptoError]:
        found: dict[KeyId, Item | None | ItemCryptoError] = {}
        waiting = {identity: dict(key) for identity, key in batch.items()}
        names = list(next(iter(batch.values()))) if batch else []
        error: ItemCryptoError
        error = unprocessed_keys = TransientError("dynamodb", "UnprocessedKeys")
        for attempt in range(_ATTEMPTS):
            if not waiting:
                break
            if attempt:
                self._sleep(FIRST_WAIT * 2**attempt * self._jitter())
            try:
                answer = self._dynamodb.batch_get_item(
                    RequestItems={self.name: {"Keys": list(waiting.values()), "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as raised:
                if is_malformed(raised):
                    # One malformed key fails the whole request, so each is asked for by itself.
                    return found | {identity: self._read_one(key) for identity, key in waiting.items()}
                error = from_boto("dynamodb", raised)
            else:
                error = unprocessed_keys
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
        with answered:
            answer = self._dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def apply(self, change: Change) -> bool:
        """Write one item if its guards hold; return False where one does not, since somebody wrote before.

        Raises:
            ItemTooLarge: DynamoDB finds the item larger than it allows.
            ConditionTooLong: there are more guards than one condition can hold.
            InvalidRequest: DynamoDB refuses the update as malformed.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        arguments = update_arguments(change)
        try:
            with answered:
                self._dynamodb.update_item(TableName=self.name, Key=change.key, **arguments)
        except ConditionFailed:
            return False
        return True

    def apply_once(self, change: Change) -> bool:
        """As :meth:`apply`, for a writer who has to know: no lost answer is hidden by sending the write again.

        A client that retries by itself takes its own first write for somebody else's, and the caller writes again::

            we       write if absent ─ takes effect, answer lost ─ again: fails ─ read, write ─ a deleted item is back
            owner                                          delete ─ acknowledged ─┘

        Raises:
            OutcomeUnknown: it was sent, and may have taken effect.
            TransientError: it did not: DynamoDB could not be reached, or throttled it and did so again.
            ItemTooLarge, ConditionTooLong, InvalidRequest, SystemicError: as for :meth:`apply`.
        """
        arguments = update_arguments(change)
        try:
            sent_once(
                lambda: self._single.update_item(TableName=self.name, Key=change.key, **arguments),
                self._sleep,
                self._jitter,
            )
        except ConditionFailed:
            return False
        return True

    def delete(self, key: Item, guards: Mapping[str, Value | None] | None = None) -> bool:
        """Delete an item if its guards hold; return whether one was deleted. Sent once, as :meth:`apply_once` does.

        Raises:
            OutcomeUnknown: it was sent, and may have taken effect.
            ConditionTooLong: there are more guards than one condition can hold.
            InvalidRequest: the key does not fit the table.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        arguments = delete_arguments(guards) if guards else {}
        try:
            answer = sent_once(
                lambda: self._single.delete_item(TableName=self.name, Key=key, ReturnValues="ALL_OLD", **arguments),
                self._sleep,
                self._jitter,
            )
        except ConditionFailed:
            return False
        return "Attributes" in answer

    def query(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of a query; arguments as for boto3's ``query``, without the table's name.

        Raises:
            InvalidRequest: DynamoDB refuses the query, such as for a start key that it did not issue.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        with answered:
            return self._dynamodb.query(TableName=self.name, **arguments)

    def scan(self, **arguments: Any) -> Mapping[str, Any]:
        """Return one page of a consistent scan; arguments as for boto3's ``scan``, without the table's name.

        Raises:
            InvalidRequest: DynamoDB refuses the scan.
            TransientError, SystemicError: DynamoDB did not answer.
        """
        with answered:
            return self._dynamodb.scan(TableName=self.name, ConsistentRead=True, **arguments)


def update_arguments(change: Change) -> dict[str, Any]:
    """Return the arguments of UpdateItem, save table and key, that make ``change`` if its guards hold."""
    names: dict[str, str] = {}
    values: dict[str, Value] = {}
    condition = _condition(change.guards, names, values)
    sets = []
    for attribute, value in change.sets.items():
        sets.append(f"{names.setdefault(attribute, f'#{len(names)}')} = :{len(values)}")
        values[f":{len(values)}"] = value
    removes = [names.setdefault(attribute, f"#{len(names)}") for attribute in change.removes]
    clauses = (["SET " + ", ".join(sets)] if sets else []) + (["REMOVE " + ", ".join(removes)] if removes else [])
    return {
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {placeholder: attribute for attribute, placeholder in names.items()},
        "ExpressionAttributeValues": values,
    }


def delete_arguments(guards: Mapping[str, Value | None]) -> dict[str, Any]:
    """Return the arguments of DeleteItem, save table and key, that delete an item if ``guards`` hold."""
    names: dict[str, str] = {}
    values: dict[str, Value] = {}
    return {
        "ConditionExpression": _condition(guards, names, values),
        "ExpressionAttributeNames": {placeholder: attribute for attribute, placeholder in names.items()},
        "ExpressionAttributeValues": values,
    }


def _condition(guards: Mapping[str, Value | None], names: dict[str, str], values: dict[str, Value]) -> str:
    """Return the condition that ``guards`` hold; ``names`` and ``values`` get the placeholders that it needs.

    Raises:
        ConditionTooLong: DynamoDB would refuse it.
    """
    conditions = []
    for attribute, value in guards.items():
        name = names.setdefault(attribute, f"#{len(names)}")
        if value is None:
            conditions.append(f"attribute_not_exists({name})")
        else:
            conditions.append(f"{name} = :{len(values)}")
            values[f":{len(values)}"] = value
    condition = " AND ".join(conditions)
    if 2 * len(conditions) - 1 > MAX_OPERATORS or len(condition) > _MAX_EXPRESSION:
        raise ConditionTooLong("the item has more attributes than one condition can name")
    return condition
