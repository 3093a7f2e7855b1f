"""The stack that `python -m local up` runs, as another process finds it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.aws_clients import ClientFactory
from local.errors import LocalStackError

ANNOUNCEMENT: Final = "stack.json"
"""The file, in the state directory, that tells where the stack is while it runs."""


@dataclass(frozen=True)
class RunningStack:
    """Where a running stack is, and its template's outputs."""

    endpoint_url: str
    region: str
    outputs: dict[str, str]

    @property
    def clients(self) -> ClientFactory:
        """Return what makes clients of its endpoint."""
        return ClientFactory(self.endpoint_url, self.region)


def running_stack(state_directory: Path) -> RunningStack:
    """Return the stack that runs with a state directory; raise `LocalStackError` where none does."""
    path = state_directory / ANNOUNCEMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return RunningStack(document["endpoint_url"], document["region"], dict(document["outputs"]))
    except FileNotFoundError:
        raise LocalStackError("no stack runs; start one: python -m local up") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LocalStackError(f"cannot read {path}: {error}") from error
