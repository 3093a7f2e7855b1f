"""The migrator's parts, put together on the first invocation of a process."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from encryptor_runtime.failures import Failures
from encryptor_runtime.runtime import CLIENT_CONFIG, Runtime, compose
from encryptor_runtime.switch import Switch
from item_crypto.service_errors import from_boto
from migrator.page import Pages
from migrator.persistent import Persistent
from migrator.queues import Queues
from migrator.segments import Worker
from migrator.settings import MigratorSettings
from migrator.starting import Starter
from migrator.sweeps import Sweeps

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Application:
    """What the migrator's functions work with."""

    settings: MigratorSettings
    runtime: Runtime
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    switch: Switch
    sweeps: Sweeps
    queues: Queues
    failures: Failures
    persistent: Persistent
    starter: Starter
    worker: Worker


@cache
def application() -> Application:
    """Return the parts for this process's environment.

    Raises:
        ConfigurationError: the settings, the table or the key cannot work; asked again on the next invocation.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    settings = MigratorSettings.from_environment(os.environ)
    shared = settings.shared
    runtime = compose(shared, "migrator")
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    sqs = boto3.client("sqs", config=CLIENT_CONFIG)
    switch = Switch(dynamodb, settings.control_table, shared.switch.enabled, shared.switch.cache_seconds)
    sweeps = Sweeps(dynamodb, settings.control_table)
    queues = Queues(sqs, shared.table, settings.work_queue_url, settings.deferred_queue_url)
    # A key that is throttled goes to the deferred queue, with its sweep's goal: `Queues.defer`.
    failures = Failures(sqs, shared.table, settings.deferred_queue_url, settings.failure_queue_url)
    persistent = Persistent(runtime.reconciler)
    pages = Pages(persistent, runtime.cipher, failures, queues, runtime.telemetry)

    def item_count() -> int:
        try:
            return dynamodb.describe_table(TableName=shared.table)["Table"]["ItemCount"]
        except (ClientError, BotoCoreError) as error:
            raise from_boto("dynamodb", error) from error

    return Application(
        settings,
        runtime,
        dynamodb,
        sqs,
        switch,
        sweeps,
        queues,
        failures,
        persistent,
        Starter(sweeps, switch, queues, item_count),
        Worker(runtime, switch, sweeps, queues, pages),
    )
