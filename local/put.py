"""`python -m local put FILE`: items into the table of a running stack, as an unchanged writer puts them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws_clients import ClientFactory
from local.errors import LocalStackError
from local.lisa import lisa_item
from local.sessions import load_sessions

_ATTRIBUTES = ("history", "configuration")
_TO_TAKE_EFFECT = 2.0  # Seconds: the stack looks at its mappings twice a second, and ends the work in hand.


def put(path: Path, state_directory: Path, *, lisa: bool = False, paused: bool = False) -> int:
    """Put the items of a file and return how many there were.

    `lisa` encrypts them in the old form first. `paused` disables the stack's own event source mappings first, so that
    the items stay as they are until somebody invokes a function. Raise `LocalStackError` where no stack runs, or it
    refuses an item.
    """
    stack = _running_stack(state_directory)
    clients = ClientFactory(stack["endpoint_url"], stack["region"])
    outputs = stack["outputs"]
    items = list(load_sessions(path))
    try:
        if paused:
            _pause(clients.client("lambda"))
        table, kms = clients.resource("dynamodb").Table(outputs["TableName"]), clients.client("kms")
        for item in items:
            table.put_item(Item=lisa_item(kms, outputs["KeyArn"], item, _ATTRIBUTES) if lisa else item)
    except (BotoCoreError, ClientError, TypeError) as error:
        raise LocalStackError(f"the stack at {stack['endpoint_url']} did not take the items: {error}") from error
    return len(items)


def _running_stack(state_directory: Path) -> Mapping[str, Any]:
    path = state_directory / "stack.json"
    try:
        stack: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalStackError("no stack runs; start one: python -m local up") from None
    except (OSError, ValueError) as error:
        raise LocalStackError(f"cannot read {path}: {error}") from error
    return stack


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
