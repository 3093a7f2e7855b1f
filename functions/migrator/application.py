"""The migrator's parts, put together on the first invocation of a process."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from encryptor_runtime import runtime as shared_parts
from encryptor_runtime.actions import Actions
from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import KeyQueues, Queue, WorkQueue
from encryptor_runtime.runtime import Runtime
from encryptor_runtime.settings import Settings
from encryptor_runtime.switch import Switch
from encryptor_runtime.table_stream import check_stream
from evidence.basis import Basis
from item_crypto.errors import ConfigurationError
from migrator.allowance import Allowance
from migrator.dead_letters import DeadLetters
from migrator.page import Pages
from migrator.persistent import Persistent
from migrator.pressure import Pressure
from migrator.queries import Queries
from migrator.segments import Worker
from migrator.settings import MigratorSettings
from migrator.starting import Starter
from migrator.sweeps import Sweeps


@dataclass(frozen=True)
class Application:
    """What the migrator's functions work with."""

    runtime: Runtime
    switch: Switch
    sweeps: Sweeps
    work: WorkQueue
    deferred: Queue
    failure: Queue
    keys: KeyQueues
    persistent: Persistent
    starter: Starter
    worker: Worker
    letters: DeadLetters
    queries: Queries
    actions: Actions
    stack: str
    now: Callable[[], datetime]


@cache
def application() -> Application:
    """Return the parts for this process's environment.

    Raises:
        ConfigurationError: the settings, the table or the key cannot work; asked again on the next invocation.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    return compose(MigratorSettings.from_environment(os.environ), Clients())


def compose(
    settings: MigratorSettings,
    clients: Clients,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Application:
    """Return the parts for ``settings``, after checking the table and the key once.

    Args:
        settings: the migrator's settings.
        clients: the services' clients.
        sleep: waits a number of seconds.
        now: returns the time, aware.

    Raises:
        ConfigurationError: the table, its stream or the key is not what the settings say.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    runtime = shared_parts.compose(settings.shared, "migrator", clients, sleep, makes_branch_keys=True)
    switch = runtime.switch
    if switch is None:
        raise ConfigurationError("CONTROL_TABLE_NAME is not set")
    table = settings.shared.table
    work = WorkQueue(clients.sqs, settings.work_queue_url)
    deferred, failure = Queue(clients.sqs, settings.deferred_queue_url), Queue(clients.sqs, settings.failure_queue_url)
    # The migrator has no retry queue: what fails for now waits among the deferred keys.
    keys = KeyQueues(table, deferred, failure, deferred, now)
    if settings.stream_arn is not None:
        check_stream(clients.dynamodb, table, settings.stream_arn)
    sweeps = Sweeps(clients.dynamodb, settings.control_table)
    persistent = Persistent(runtime.reconciler, sleep)
    queries = Queries(clients, table, settings.shared.key_arn, settings.mapping_id)
    starter = Starter(sweeps, switch, work, keys, queries.item_count, _basis(settings.shared), now)
    allowance = Allowance(clients.dynamodb, settings.control_table)
    pressure = Pressure((clients.dynamodb, clients.dynamodb_single), clients.kms, table)
    pages = Pages(persistent, runtime.cipher, keys, runtime.telemetry, allowance)
    return Application(
        runtime,
        switch,
        sweeps,
        work,
        deferred,
        failure,
        keys,
        persistent,
        starter,
        Worker(runtime, switch, sweeps, work, pages, pressure, queries.described, settings.concurrency, sleep, now),
        DeadLetters(runtime, failure, work, keys, persistent, starter, settings.stream_arn),
        queries,
        Actions(clients.dynamodb, settings.control_table),
        settings.stack,
        now,
    )


def _basis(settings: Settings) -> Basis:
    branch_keys = () if settings.branch_keys is None else (settings.branch_keys.table,)
    return Basis(
        settings.table,
        settings.attributes,
        settings.earlier_attributes,
        (settings.key_arn, *settings.earlier_key_arns, *branch_keys),
        (*settings.context_attributes, settings.purpose),
    )
