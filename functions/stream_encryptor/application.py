"""The function's parts, put together on the first invocation of a process."""

import os
from functools import cache

import boto3

from encryptor_runtime.failures import Failures
from encryptor_runtime.runtime import CLIENT_CONFIG, compose
from encryptor_runtime.settings import Settings, required
from stream_encryptor.encryptor import Encryptor


@cache
def encryptor() -> Encryptor:
    """Return the encryptor for this process's environment.

    Raises:
        ConfigurationError: the settings, the table or the key cannot work; asked again on the next invocation.
        TransientError, SystemicError: DynamoDB or KMS did not answer.
    """
    settings = Settings.from_environment(os.environ)
    runtime = compose(settings, "stream_encryptor")
    failures = Failures(
        boto3.client("sqs", config=CLIENT_CONFIG),
        settings.table,
        required(os.environ, "RETRY_QUEUE_URL"),
        required(os.environ, "FAILURE_QUEUE_URL"),
        os.environ.get("DEFERRED_QUEUE_URL") or None,
    )
    return Encryptor(runtime, failures)
