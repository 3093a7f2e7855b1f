"""Clients that are listened to, as a library is given them that reports a failed call as text without its code.

The code is taken where boto3 raises it. Each thread hears its own calls only.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from item_crypto.errors import ItemCryptoError, TransientError
from item_crypto.keys.meter import KmsMeter
from item_crypto.service_errors import from_boto


class Heard:
    """What went wrong in the calls of each thread."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def begin(self) -> None:
        """Forget what this thread's calls met before."""
        self.errors.clear()

    @property
    def errors(self) -> list[ItemCryptoError]:
        """The errors of this thread's calls, oldest first."""
        errors: list[ItemCryptoError] = vars(self._of_thread).setdefault("errors", [])
        return errors

    @property
    def error(self) -> ItemCryptoError | None:
        """The error that concerns most: one that passes comes first, since it hides what a call would have said."""
        return min(self.errors, key=lambda error: not isinstance(error, TransientError), default=None)


class HeardClient:
    """A boto3 client whose failures are heard.

    Args:
        client: the client; it is used, never changed.
        service: ``kms`` or ``dynamodb``: what errors are to name.
        heard: told of failures.
        meter: told how long each call took; None where nobody asks.
    """

    def __init__(self, client: Any, service: str, heard: Heard, meter: KmsMeter | None = None) -> None:
        self._client = client
        self._service = service
        self._heard = heard
        self._meter = meter

    @property
    def meta(self) -> Any:
        """The client's own description, which a library reads the Region from."""
        return self._client.meta

    def called(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Call ``operation``."""
        call: Callable[..., Any] = getattr(self._client, operation)
        started = time.perf_counter()
        try:
            return call(**arguments)
        except (ClientError, BotoCoreError) as error:
            self._heard.errors.append(from_boto(self._service, error))
            raise
        finally:
            if self._meter is not None:
                self._meter.add((time.perf_counter() - started) * 1000)
