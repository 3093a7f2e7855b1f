"""The function's parts, put together on the first invocation of a process."""

import os
from functools import cache

from encryptor_runtime.queues import KeyQueues, Queue
from encryptor_runtime.runtime import compose
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
    sqs = runtime.clients.sqs
    deferred_url = os.environ.get("DEFERRED_QUEUE_URL")
    failures = KeyQueues(
        settings.table,
        Queue(sqs, required(os.environ, "RETRY_QUEUE_URL")),
        Queue(sqs, required(os.environ, "FAILURE_QUEUE_URL")),
        Queue(sqs, deferred_url) if deferred_url else None,
    )
    return Encryptor(runtime, failures)
