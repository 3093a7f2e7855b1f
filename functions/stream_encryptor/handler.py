"""Lambda entry point for the table's stream."""

from typing import TYPE_CHECKING, Any

from stream_encryptor.application import encryptor
from stream_encryptor.stream import process

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse


def lambda_handler(event: dict[str, Any], context: Any) -> "PartialItemFailureResponse":
    """Encrypt what a batch of stream records points at.

    Raises:
        ItemCryptoError: the function cannot start; Lambda delivers the batch again.
    """
    parts = encryptor()
    parts.runtime.begin(context)
    try:
        return process(event, context, parts)
    finally:
        parts.runtime.telemetry.flush()
