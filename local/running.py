"""The stack that `python -m local up` runs, as another process finds it."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.aws_clients import ClientFactory
from local.errors import LocalStackError

ANNOUNCEMENT: Final = "stack.json"
"""The file, in the state directory, that tells where the stack is while it runs."""

UPDATE_PATH: Final = "/local/update"
"""Where an update of the stack is asked for at its endpoint, by POST, with the parameters as a JSON object."""

_PATIENCE: Final = 60.0  # Seconds for an update.


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

    def update(self, parameters: Mapping[str, str]) -> None:
        """Update it with these parameters; raise `LocalStackError` where it refuses, or does not answer."""
        request = urllib.request.Request(  # noqa: S310 - the stack's own URL
            self.endpoint_url + UPDATE_PATH, json.dumps(dict(parameters)).encode(), method="POST"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(request, timeout=_PATIENCE).close()
        except urllib.error.HTTPError as error:
            raise LocalStackError(_message(error)) from error
        except OSError as error:
            raise LocalStackError(f"the stack at {self.endpoint_url} does not answer: {error}") from error


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, KeyError, TypeError):
        return f"the stack answers {error.code}"


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
