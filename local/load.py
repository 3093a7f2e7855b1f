"""Many items into the table of a running stack, as an unchanged writer puts them.

`python -m local load FILE` takes items of any table; `local.put` has sessions to write. Both write in batches and tell
how far they are.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.core.codec import item_size
from local.errors import LocalStackError
from local.item_lines import load_items
from local.progress import counting
from local.running import RunningStack, running_stack

NumberedItem = tuple[int, dict[str, Any]]
"""An item as boto3's client takes it, and the number of its line."""

_BATCH: Final = 25  # BatchWriteItem takes 25 requests.
_BATCH_BYTES: Final = 4 * 1024 * 1024  # And 16 MB as sent, where binary and numbers are longer than DynamoDB counts.
_PATIENCE: Final = 30.0  # Seconds for what DynamoDB leaves unprocessed, without any that it takes.


def load(path: Path, state_directory: Path) -> int:
    """Put the items of a file into the running stack's table, and return how many there were.

    The whole file is read first, so that one with a line that is no item writes nothing. Raise `LocalStackError` where
    no stack runs, where a line is wrong, or where the stack does not take an item.
    """
    stack = running_stack(state_directory)
    with reached(stack):
        key = table_key(stack)
    total = sum(1 for _ in load_items(path, key))
    return write(stack, load_items(path, key), tuple(key), path.name, total)


def table_key(stack: RunningStack) -> dict[str, str]:
    """Return the type, `S`, `N` or `B`, of each key attribute of the stack's table."""
    table = stack.clients.client("dynamodb").describe_table(TableName=stack.outputs["TableName"])["Table"]
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    return {part["AttributeName"]: types[part["AttributeName"]] for part in table["KeySchema"]}


@contextmanager
def reached(stack: RunningStack) -> Iterator[None]:
    """Raise `LocalStackError`, naming the address, for what boto3 raises within."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise LocalStackError(f"the stack at {stack.endpoint_url} did not take the items: {error}") from error


def write(stack: RunningStack, items: Iterable[NumberedItem], key: tuple[str, ...], source: str, total: int) -> int:
    """Put items into the stack's table, in batches and in their order, and tell how far it is.

    `source` names them in errors: "LINE of SOURCE". Returns how many there were. Raise `LocalStackError` where the
    stack does not take one.
    """
    dynamodb, table, written = stack.clients.client("dynamodb"), stack.outputs["TableName"], 0
    with counting("items put", total) as advance:
        for batch in _batches(items, key):
            with reached(stack):
                _put(dynamodb, table, batch, source)
            written += len(batch)
            advance(len(batch))
    return written


def _batches(items: Iterable[NumberedItem], key: tuple[str, ...]) -> Iterator[list[NumberedItem]]:
    """Yield items in groups that BatchWriteItem takes, which refuses two of one key."""
    batch: list[NumberedItem] = []
    keys: set[str] = set()
    size = 0
    for number, item in items:
        own, bytes_more = repr([item[name] for name in key]), item_size(item)
        if batch and (len(batch) == _BATCH or own in keys or size + bytes_more > _BATCH_BYTES):
            yield batch
            batch, keys, size = [], set(), 0
        batch.append((number, item))
        keys.add(own)
        size += bytes_more
    if batch:
        yield batch


def _put(dynamodb: Any, table: str, batch: list[NumberedItem], source: str) -> None:
    requests = [{"PutRequest": {"Item": item}} for _, item in batch]
    deadline = time.monotonic() + _PATIENCE
    while requests:
        try:
            left = dynamodb.batch_write_item(RequestItems={table: requests})["UnprocessedItems"].get(table, [])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            _put_one_by_one(dynamodb, table, batch, source)
            return
        if len(left) < len(requests):
            deadline = time.monotonic() + _PATIENCE
        elif time.monotonic() > deadline:
            raise LocalStackError("the table takes no more items")
        requests = left


def _put_one_by_one(dynamodb: Any, table: str, batch: list[NumberedItem], source: str) -> None:
    """Find the item that makes DynamoDB refuse a whole batch. Its message is left out: it may quote a value."""
    for number, item in batch:
        try:
            dynamodb.put_item(TableName=table, Item=item)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            raise LocalStackError(f"{source}, line {number}: DynamoDB refuses the item") from None
