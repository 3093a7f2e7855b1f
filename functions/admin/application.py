"""The function's parts, put together on the first invocation of a process."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import boto3

from admin.control import CONTROL_CONFIG, Control
from admin.settings import AdminSettings
from admin.window import CLOUDWATCH_CONFIG, PlaintextWindow
from encryptor_runtime.actions import Actions
from encryptor_runtime.clients import CLIENT_CONFIG
from encryptor_runtime.switch import Switch
from encryptor_runtime.telemetry import Telemetry
from item_crypto.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Application:
    """What the admin function works with: neither the data table nor KMS is among it."""

    settings: AdminSettings
    switch: Switch
    sqs: "SQSClient"
    actions: Actions
    telemetry: Telemetry
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def control(self) -> Control:
        """The control function, made when it is first asked: showing the setting needs no such client.

        Raises:
            ConfigurationError: it is not told.
        """
        if self.settings.control_function is None:
            raise ConfigurationError("CONTROL_FUNCTION_NAME is not set")
        return Control(boto3.client("lambda", config=CONTROL_CONFIG), self.settings.control_function)

    @cached_property
    def window(self) -> PlaintextWindow:
        """The plaintext window, made when it is first asked for."""
        return PlaintextWindow(boto3.client("cloudwatch", config=CLOUDWATCH_CONFIG), self.settings.service, self.now)

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
    switch, dynamodb = settings.switch, boto3.client("dynamodb", config=CLIENT_CONFIG)
    return Application(
        settings,
        Switch(dynamodb, settings.control_table, switch.enabled, switch.cache_seconds),
        boto3.client("sqs", config=CLIENT_CONFIG),
        Actions(dynamodb, settings.control_table),
        Telemetry("admin", settings.key_arn),
    )
