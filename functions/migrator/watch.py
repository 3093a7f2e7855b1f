"""Lambda entry point for the watch, which a schedule invokes every few minutes."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import Queue
from encryptor_runtime.settings import names, required
from encryptor_runtime.telemetry import Telemetry
from migrator.sweeps import Sweeps
from migrator.watcher import Watcher


@cache
def watcher() -> Watcher:
    """Return the watcher for this process's environment; nothing is asked before it looks.

    Raises:
        ConfigurationError: a setting is missing.
    """
    clients = Clients()
    return Watcher(
        clients,
        required(os.environ, "TABLE_NAME"),
        required(os.environ, "TABLE_STREAM_ARN"),
        names(required(os.environ, "MAPPING_IDS")),
        Sweeps(clients.dynamodb, required(os.environ, "CONTROL_TABLE_NAME")),
        Queue(clients.sqs, required(os.environ, "FAILURE_QUEUE_URL")),
        Telemetry("watcher", key_arn=""),
        lambda: datetime.now(UTC),
    )


def lambda_handler(_event: dict[str, Any], context: Any) -> None:
    """Look at everything once.

    Raises:
        ItemCryptoError: a setting is missing, or a service did not answer.
    """
    parts = watcher()
    with parts.telemetry.invocation(context):
        parts.look()
