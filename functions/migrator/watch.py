"""Lambda entry point for the watch, which a schedule invokes every few minutes."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import Queue
from encryptor_runtime.settings import names, required
from encryptor_runtime.telemetry import Telemetry
from migrator.sweeps import Sweeps
from migrator.telling import Telling
from migrator.watcher import Watcher


@cache
def watcher() -> Watcher:
    """Return the watcher for this process's environment; nothing is asked before it looks.

    Raises:
        ConfigurationError: a setting is missing.
    """
    return compose(Clients(), os.environ, lambda: datetime.now(UTC))


def compose(clients: Clients, environment: Mapping[str, str], now: Callable[[], datetime]) -> Watcher:
    """Return the watcher for ``environment``.

    Args:
        clients: the services' clients.
        environment: the function's.
        now: returns the time, aware.

    Raises:
        ConfigurationError: a setting is missing.
    """
    control_table, stack = required(environment, "CONTROL_TABLE_NAME"), required(environment, "POWERTOOLS_SERVICE_NAME")
    topic = environment.get("ALARM_TOPIC_ARN", "").strip()
    return Watcher(
        clients,
        required(environment, "TABLE_NAME"),
        required(environment, "TABLE_STREAM_ARN"),
        names(required(environment, "MAPPING_IDS")),
        Sweeps(clients.dynamodb, control_table),
        Queue(clients.sqs, required(environment, "FAILURE_QUEUE_URL")),
        Telemetry("watcher", key_arn=""),
        now,
        Telling(clients.dynamodb, control_table, clients.sns, topic, stack, now) if topic else None,
        timedelta(minutes=int(required(environment, "SWEEP_STANDSTILL_MINUTES"))),
        stack,
    )


def lambda_handler(_event: dict[str, Any], context: Any) -> None:
    """Look at everything once.

    Raises:
        ItemCryptoError: a setting is missing, or a service did not answer.
    """
    parts = watcher()
    with parts.telemetry.invocation(context):
        parts.look()
