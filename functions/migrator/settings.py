"""What the migrator's functions are told beyond what all functions are."""

from collections.abc import Mapping
from dataclasses import dataclass

from encryptor_runtime.settings import Settings, required
from item_crypto.errors import ConfigurationError


@dataclass(frozen=True)
class MigratorSettings:
    """The migrator's settings.

    Attributes:
        shared: what all functions are told.
        control_table: the control table's name.
        work_queue_url: carries sweeps on.
        deferred_queue_url: keys that wait for the migrator.
        failure_queue_url: dead letters.
        stream_arn: the table's stream, to read a failed batch again; None where it is not told.
        mapping_id: the event source mapping of the stream, whose state is checked; None where it is not told.
        stack: what the stack is called, which evidence names.
        concurrency: how many segments are worked on at once at most; None where it is not told.
    """

    shared: Settings
    control_table: str
    work_queue_url: str
    deferred_queue_url: str
    failure_queue_url: str
    stream_arn: str | None
    mapping_id: str | None
    stack: str
    concurrency: int | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "MigratorSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing, unreadable or would not be safe.
        """
        shared = Settings.from_environment(environment)
        return cls(
            shared,
            shared.switch.required_table(),
            required(environment, "WORK_QUEUE_URL"),
            required(environment, "DEFERRED_QUEUE_URL"),
            required(environment, "FAILURE_QUEUE_URL"),
            environment.get("TABLE_STREAM_ARN", "").strip() or None,
            environment.get("STREAM_MAPPING_ID", "").strip() or None,
            required(environment, "POWERTOOLS_SERVICE_NAME"),
            _concurrency(environment.get("MIGRATOR_CONCURRENCY", "").strip()),
        )


def _concurrency(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigurationError("MIGRATOR_CONCURRENCY: not a number of segments")
    return int(text)
