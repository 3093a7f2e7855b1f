"""The function's parts, put together on the first invocation of a process."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3

from admin.settings import AdminSettings
from encryptor_runtime.clients import CLIENT_CONFIG
from encryptor_runtime.switch import Switch
from encryptor_runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Application:
    """What the admin function works with: neither the data table nor KMS is among it."""

    settings: AdminSettings
    switch: Switch
    sqs: "SQSClient"
    telemetry: Telemetry


@cache
def application() -> Application:
    """Return the parts for this process's environment.

    Raises:
        ConfigurationError: the settings cannot work; asked again on the next invocation.
    """
    settings = AdminSettings.from_environment(os.environ)
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    return Application(
        settings,
        Switch(dynamodb, settings.control_table, settings.enabled, settings.cache_seconds),
        boto3.client("sqs", config=CLIENT_CONFIG),
        Telemetry("admin", settings.key_arn),
    )
