"""The operator's command over the migrator itself, in this process: what one says, the other understands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from migrator import control as control_function
from tests.fake_control import FUNCTION, FakeAws
from tests.migration import Migration, context

Run = Callable[..., Result]


def printed(result: Result) -> str:
    """Return what the command printed: the functions run in this process, and print their metrics beside it."""
    return "\n".join(line for line in result.stdout.splitlines() if not line.startswith('{"_aws"'))


class Operated:
    """A local stack whose queues are worked off whenever a sweep is looked at; to be stopped."""

    def __init__(self, world: Migration, directory: Path) -> None:
        self._world, self._directory = world, directory
        self._fake = FakeAws(self._control)
        stack = {"endpoint_url": self._fake.url, "region": "us-east-1", "outputs": {"ControlFunctionName": FUNCTION}}
        (directory / "stack.json").write_text(json.dumps(stack))
        self.stop = self._fake.stop

    def _control(self, event: dict[str, Any]) -> Any:
        if event["command"] == "sweep":
            self._world.pump()
        return control_function.handle(event, context(), self._world.parts)

    def __call__(self, *arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(app, [*arguments, "--local", "--state-directory", str(self._directory)], **options)
