"""The calls that write: put_item, update_item, delete_item, batch_write_item. In the client's style.

A put encrypts in the same request and needs no read. An update of an encrypted attribute does, since the markers tell
of all attributes, and since a value may have to be put together. It is one UpdateItem: the caller's own clauses and
condition as they are written, and the encrypted attributes beside them, on the condition that nothing it rests on has
changed::

    we       read ── encrypt ── update if (caller's condition) and (as it was read) ─┬─ made
    others          write ──────────────────────────────────────────────────────────┤
                                                                                    └─ fails, with the item as it is:
                      still as it was read    the caller's condition failed: they are told so, as boto3 does
                      anything else           somebody wrote in between: read again
"""

import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.change import Change
from item_crypto.core.codec import Item, Value, is_same
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import ENCRYPTED_PREFIX, encrypted_name
from item_crypto.dropin import conditions
from item_crypto.dropin.encryption import Encryption, Written
from item_crypto.dropin.placeholders import Placeholders
from item_crypto.dropin.reads import CONDITION, Answer, Calls, Request, Tables, check_arguments, with_expressions
from item_crypto.dropin.update import Update, rendered, taken_apart
from item_crypto.dropin.use import Use
from item_crypto.errors import CallRefused, ItemCryptoError, OutcomeUnknown, TransientError
from item_crypto.service_errors import error_code

UPDATE: Final = "UpdateExpression"
RETURN: Final = "ReturnValues"
ON_FAILURE: Final = "ReturnValuesOnConditionCheckFailure"
_TOOK_EFFECT: Final = "The write took effect; what it returns cannot be decrypted."
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_ATTEMPTS: Final = 10  # Of an update that lost so many races, each against another writer.
_FIRST_WAIT: Final = 0.01  # seconds; doubles with each race lost, with full jitter.


class Writes:
    """Writes items of tables in their stored form.

    Every method takes and returns what boto3's client does. It raises what that raises, and ItemCryptoError: a
    CallRefused before anything is sent, and another where nothing could be encrypted. What was written, or may have
    been, is told by OutcomeUnknown; and by a note on any other error, where what the write returns cannot be decrypted.

    Args:
        calls: DynamoDB's.
        tables: how they are encrypted.
    """

    def __init__(self, calls: Calls, tables: Tables) -> None:
        self._calls = calls
        self._tables = tables

    def put_item(self, request: Request, encryption: Encryption) -> Answer:
        """Put an item, encrypted in the same request."""
        sent = _conditioned("put_item", request, encryption)
        table, item = request["TableName"], request.get("Item", {})
        written = encryption.decided(lambda policy: encryption.put("put_item", table, item, policy))
        answer = self._sent("put_item", {**sent, "Item": _whole(written)}, request, encryption, written.use)
        return _cleared("put_item", answer, request, encryption)

    def delete_item(self, request: Request, encryption: Encryption) -> Answer:
        """Delete an item."""
        answer = self._sent("delete_item", _conditioned("delete_item", request, encryption), request, encryption)
        return _cleared("delete_item", answer, request, encryption)

    def batch_write_item(self, request: Request) -> Answer:
        """Put and delete items. What was not processed comes back as it was given: in the clear."""
        given: dict[str, list[tuple[Any, Any]]] = {}  # by table: what is sent, and what the caller gave
        uses: list[tuple[Encryption, Use, Any]] = []
        for table, parts in request.get("RequestItems", {}).items():
            encryption = self._tables.encryption("batch_write_item", table)
            if encryption is None:
                given[table] = [(part, part) for part in parts]
                continue
            written = encryption.put_all("batch_write_item", table, [_put(part) for part in parts])
            given[table] = [
                (part if one is None else {"PutRequest": {"Item": _whole(one)}}, part)
                for part, one in zip(parts, written, strict=True)
            ]
            uses += [(encryption, one.use, part) for part, one in zip(parts, written, strict=True) if one is not None]
        sent = {table: [part for part, _ in pairs] for table, pairs in given.items()}
        try:
            answer = self._calls.send("batch_write_item", {**request, "RequestItems": sent})
        except (ClientError, BotoCoreError) as error:
            for encryption, use, _ in uses:
                encryption.tell(replace(use, outcome=_outcome(error)))
            raise
        for table, parts in answer.get("UnprocessedItems", {}).items():
            answer["UnprocessedItems"][table] = [_as_given(part, given[table]) for part in parts]
        left = {id(part) for parts in answer.get("UnprocessedItems", {}).values() for part in parts}
        for encryption, use, part in uses:
            encryption.tell(replace(use, outcome="unprocessed") if id(part) in left else use)
        return answer

    def update_item(self, request: Request, encryption: Encryption) -> Answer:
        """Update an item: by one request where no encrypted attribute is concerned, else by a read and a write."""
        sent = _conditioned("update_item", request, encryption)
        update = taken_apart(request.get(UPDATE, ""), Placeholders(request), encryption.protected)
        if not update.touched:
            answer = self._sent("update_item", sent, request, encryption)
            return _cleared("update_item", answer, request, encryption)
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_FIRST_WAIT * 2**attempt * random.random())  # noqa: S311 - Only a pause.
            made = self._updated(request, update, encryption)
            if made is not None:
                return made
        raise TransientError("dynamodb", "TooManyConflicts")

    def _updated(self, request: Request, update: Update, encryption: Encryption) -> Answer | None:
        """Return the answer to the update; None where somebody wrote in between."""
        table, key = request["TableName"], request["Key"]
        item = self._calls.send("get_item", {"TableName": table, "Key": key, "ConsistentRead": True}).get("Item")
        values = _values(update, request, item)

        def write(policy: Policy) -> Written:
            return encryption.update("update_item", table, key, item, policy, values, update.removes)

        wanted = request.get(RETURN, "NONE")
        old: Mapping[str, Value] = {}
        if item is not None and wanted.endswith("_OLD"):
            old = encryption.clear_one("update_item", table, item)  # Before the write: what fails has done nothing.
        written = encryption.decided(write)
        try:
            answer = self._made(_update(request, update, written.change, encryption), request, written, encryption)
        except (ClientError, BotoCoreError, OutcomeUnknown) as error:
            encryption.tell(replace(written.use, outcome=_outcome(error)))
            raise
        if answer is None:
            return None
        encryption.tell(written.use)
        return _returned(answer, wanted, update, old if wanted.endswith("_OLD") else written.clear, encryption)

    def _made(self, sent: Request, request: Request, written: Written, encryption: Encryption) -> Answer | None:
        """Return the answer to an update that is sent; None where somebody wrote in between."""
        try:
            return self._calls.send("update_item", sent)
        except ClientError as error:
            if error_code(error) != _CONDITION_FAILED:
                raise
            stands: Any = error.response.get("Item")
            if not _is_ours(written.change, stands):
                if not _holds(written.change.guards, stands):
                    if _was_repeated(error):
                        raise OutcomeUnknown("dynamodb", _CONDITION_FAILED) from None
                    return None
                _show(error, request, encryption)
                raise
            if request.get(RETURN, "NONE") != "NONE":
                raise OutcomeUnknown("dynamodb", _CONDITION_FAILED) from None
            return {"ResponseMetadata": error.response.get("ResponseMetadata", {})}

    def _sent(
        self, operation: str, sent: Request, request: Request, encryption: Encryption, use: Use | None = None
    ) -> Answer:
        """Return the answer to a request that rests on no read, and tell of it."""
        try:
            answer = self._calls.send(operation, sent)
        except (ClientError, BotoCoreError) as error:
            if use is not None:
                encryption.tell(replace(use, outcome=_outcome(error)))
            if isinstance(error, ClientError) and error_code(error) == _CONDITION_FAILED:
                _show(error, request, encryption)
            raise
        encryption.tell(use)
        return answer


def _conditioned(operation: str, request: Request, encryption: Encryption) -> Request:
    """Return the request with its condition for the table as it is stored."""
    check_arguments(operation, request)
    if CONDITION not in request:
        return request
    placeholders = Placeholders(request)
    rewritten = {CONDITION: conditions.translated(request[CONDITION], placeholders, encryption.protected)}
    if UPDATE in request:
        rewritten[UPDATE] = request[UPDATE]
    return with_expressions(request, rewritten, placeholders)


def _whole(written: Written) -> dict[str, Value]:
    """Return the item that a put stores."""
    return {**written.change.key, **written.change.sets}


def _put(part: Mapping[str, Any]) -> Item | None:
    """Return the item that a part of a batch puts; None for a deletion."""
    match part:
        case {"PutRequest": {"Item": item, **more}, **others} if not more and not others:
            return item  # type: ignore[no-any-return]
        case {"DeleteRequest": _, **others} if not others:
            return None
    raise CallRefused("batch_write_item", "a part is neither a put nor a deletion; leave it out")


def _as_given(part: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """Return what the caller gave where ``part`` was sent."""
    for sent, given in pairs:
        if part.keys() == sent.keys() and all(map(is_same_item, _contents(part), _contents(sent))):
            return given
    raise OutcomeUnknown("dynamodb", "UnprocessedItems")


def _contents(part: Mapping[str, Any]) -> list[Item]:
    return [content for request in part.values() for content in request.values()]


def is_same_item(one: Item, other: Item) -> bool:
    """Tell whether two items are one to DynamoDB."""
    return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)


# An update of encrypted attributes


def _values(update: Update, request: Request, item: Item | None) -> dict[str, Value]:
    """Return the values that are to be set, given the item as it was read."""
    values = {}
    for name, setting in update.sets.items():
        has_one = item is not None and (name in item or encrypted_name(name) in item)
        if not (setting.if_absent and has_one):
            values[name] = request["ExpressionAttributeValues"][setting.placeholder]
    return values


def _update(request: Request, update: Update, change: Change, encryption: Encryption) -> Request:
    """Return the request that makes ``change`` and all else that the caller asked for."""
    placeholders = Placeholders(request)
    condition = " AND ".join(
        f"attribute_not_exists({placeholders.name(name)})"
        if value is None
        else f"{placeholders.name(name)} = {placeholders.value(value)}"
        for name, value in change.guards.items()
    )
    if CONDITION in request:
        own = conditions.translated(request[CONDITION], placeholders, encryption.protected)
        condition = f"{conditions.grouped(own)} AND {condition}"
    sets = [f"{placeholders.name(name)} = {placeholders.value(value)}" for name, value in change.sets.items()]
    removed = dict.fromkeys((*change.removes, *update.removes, *map(encrypted_name, update.removes)))
    clauses = {
        **update.rest,
        "SET": [*update.rest.get("SET", ()), *sets],
        "REMOVE": [*update.rest.get("REMOVE", ()), *map(placeholders.name, removed)],
    }
    rewritten = {UPDATE: rendered(clauses), CONDITION: condition}
    return {**with_expressions(request, rewritten, placeholders), ON_FAILURE: "ALL_OLD"}


def _holds(guards: Mapping[str, Value | None], item: Item | None) -> bool:
    return all(is_same((item or {}).get(name), value) for name, value in guards.items())


def _is_ours(change: Change, item: Item | None) -> bool:
    """Tell whether ``change`` took effect: no two ciphertexts are alike, so one that stands there is the one sent."""
    made = [name for name in change.sets if name.startswith(ENCRYPTED_PREFIX)]
    return item is not None and bool(made) and all(item.get(name) == change.sets[name] for name in made)


def _outcome(error: Exception) -> str:
    """Return what the record of a use says where a write was sent and met ``error``."""
    if isinstance(error, ItemCryptoError):
        return error.reason
    is_condition = isinstance(error, ClientError) and error_code(error) == _CONDITION_FAILED
    return "condition-failed" if is_condition else "failed"


def _was_repeated(error: ClientError) -> bool:
    """Tell whether the client had sent the request before: that one's answer, which was lost, may have been success."""
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


# What comes back


def _show(error: ClientError, request: Request, encryption: Encryption) -> None:
    """Show the item of a failed condition to a caller who asked for it, in the clear, and to nobody else."""
    item: Any = error.response.pop("Item", None)  # type: ignore[typeddict-item]
    if item is not None and request.get(ON_FAILURE) == "ALL_OLD":
        shown: Any = error.response
        shown["Item"] = encryption.clear_one("condition", request["TableName"], item)


def _cleared(operation: str, answer: Answer, request: Request, encryption: Encryption) -> Answer:
    """Return an answer with its whole item, if it has one, in the clear."""
    if "Attributes" in answer and request.get(RETURN) in ("ALL_OLD", "ALL_NEW"):
        try:
            answer["Attributes"] = encryption.clear_one(operation, request["TableName"], answer["Attributes"])
        except TransientError as error:
            # Whoever tries again what is transient would make the write twice: an ADD counts.
            unknown = OutcomeUnknown(error.service, error.code)
            unknown.add_note(_TOOK_EFFECT)
            raise unknown from error
        except ItemCryptoError as error:
            error.add_note(_TOOK_EFFECT)
            raise
    return answer


def _returned(
    answer: Answer, wanted: str, update: Update, clear: Mapping[str, Value], encryption: Encryption
) -> Answer:
    """Return the answer to an update of encrypted attributes with its values in the clear."""
    if wanted == "NONE":
        return answer
    protected = encryption.protected
    given = answer.pop("Attributes", {})
    others = {n: v for n, v in given.items() if n not in protected.hidden and n not in protected.attributes}
    names = protected.attributes if wanted.startswith("ALL") else update.touched
    attributes = others | {name: clear[name] for name in names if name in clear}
    return {**answer, "Attributes": attributes} if attributes else answer
