"""Errors of the local stack.

LocalStackError
├── PortInUseError     another program listens on the wanted port
├── TemplateError      the template does not load, translate or deploy
├── FunctionError      a function raised, timed out or died
├── FunctionStopped    a function was invoked while the stack stops
└── NotIdleError       the stack did not come to rest in time
"""

from collections.abc import Mapping
from typing import Any


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message says why."""


class PortInUseError(LocalStackError):
    """Another program listens on the wanted port."""

    def __init__(self, port: int) -> None:
        """Say which port, and what to do."""
        super().__init__(f"port {port} of 127.0.0.1 is in use: stop what listens there or choose another")
        self.port = port


class TemplateError(LocalStackError):
    """The template cannot be loaded, translated or deployed."""


class FunctionError(LocalStackError):
    """A function raised, timed out or died."""

    def __init__(self, logical_id: str, document: Mapping[str, Any]) -> None:
        """Take Lambda's error document."""
        super().__init__(f"{logical_id} failed: {document.get('errorType')}: {document.get('errorMessage')}")
        self.error_type = str(document.get("errorType"))
        self.error_message = str(document.get("errorMessage"))


class FunctionStopped(LocalStackError):
    """A function cannot answer, or not to the end: the stack stops."""

    def __init__(self) -> None:
        super().__init__("the local stack stops")


class NotIdleError(LocalStackError):
    """The stack did not come to rest in time."""
