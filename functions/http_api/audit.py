"""What audit lines and logs say of a request that is refused or fails."""

import traceback
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from encryptor_runtime.telemetry import Telemetry
from http_api.errors import Refused
from item_crypto.errors import ItemCryptoError, SystemicError, TransientError


def failure(error: Exception) -> tuple[str, dict[str, Any]]:
    """Return the result that an audit line gives for ``error``, and the facts that go with it."""
    match error:
        case Refused():
            return error.result, {"status": error.status}
        case RequestValidationError():
            return "refused", {"status": 400}
        case TransientError() | SystemicError():
            return "failed", {"reason": error.reason, "service": error.service, "code": error.code}
        case _:
            return "failed", {"reason": "unexpected"}


def log_problem(telemetry: Telemetry, error: Exception) -> None:
    """Log ``error`` if a person has to see to it."""
    match error:
        case SystemicError():
            telemetry.problem("a service refuses", service=error.service, code=error.code)
        case Refused() | RequestValidationError() | ItemCryptoError():
            pass  # The audit line says it all.
        case _:
            # A surprise is told by its type and place: its text may quote a value.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            telemetry.problem("an unexpected error", error=type(error).__name__, place=place)
