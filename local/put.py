"""`python -m local put FILE`: sessions into the table of a running stack, for the events of `sam local invoke`.

They can be held back from the stack's own functions, and be put in the old form; `local.load` does neither, and takes
items of any table.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from local.lisa import lisa_item
from local.load import NumberedItem, reached, write
from local.running import RunningStack, running_stack
from local.sessions import load_sessions
from local.table_shape import SESSIONS_KEY

_ATTRIBUTES = ("history", "configuration")
_TO_TAKE_EFFECT = 2.0  # Seconds: the stack looks at its mappings twice a second, and ends the work in hand.


def put(path: Path, state_directory: Path, *, lisa: bool = False, paused: bool = False) -> int:
    """Put the sessions of a file and return how many there were.

    `lisa` encrypts them in the old form first. `paused` disables the stack's own event source mappings first, so that
    the items stay as they are until somebody invokes a function. Raise `LocalStackError` where no stack runs, or it
    refuses an item.
    """
    stack = running_stack(state_directory)
    sessions = list(load_sessions(path))
    with reached(stack):
        if paused:
            _pause(stack.clients.client("lambda"))
    return write(stack, _items(stack, sessions, lisa=lisa), SESSIONS_KEY, path.name, len(sessions))


def _items(stack: RunningStack, sessions: list[dict[str, Any]], *, lisa: bool) -> Iterator[NumberedItem]:
    serialize, kms = TypeSerializer().serialize, stack.clients.client("kms")
    for number, session in enumerate(sessions, 1):
        with reached(stack):
            item = lisa_item(kms, stack.outputs["KeyArn"], session, _ATTRIBUTES) if lisa else session
        yield number, {name: serialize(value) for name, value in item.items()}


def _pause(client: Any) -> None:
    mappings = client.get_paginator("list_event_source_mappings").paginate()
    enabled = [
        mapping["UUID"]
        for page in mappings
        for mapping in page["EventSourceMappings"]
        if mapping["State"] not in ("Disabled", "Disabling")
    ]
    for mapping in enabled:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
    if enabled:
        time.sleep(_TO_TAKE_EFFECT)
