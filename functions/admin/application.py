"""The function's parts, put together on the first invocation of a process."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

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

    def invocation(self, context: Any) -> AbstractContextManager[None]:
        """Name the invocation in every line within, and write its metrics at the end, whatever happens."""
        return self.telemetry.invocation(context)


@cache
def application() -> Application:
    """Return the parts for this process's environment.

    Raises:
        ConfigurationError: the settings cannot work; asked again on the next invocation.
    """
    settings = AdminSettings.from_environment(os.environ)
    switch = settings.switch
    return Application(
        settings,
        Switch(
            boto3.client("dynamodb", config=CLIENT_CONFIG),
            settings.control_table,
            switch.enabled,
            switch.cache_seconds,
        ),
        boto3.client("sqs", config=CLIENT_CONFIG),
        Telemetry("admin", settings.key_arn),
    )
