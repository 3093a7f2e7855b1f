"""A stack over a table of any shape: every type of key goes through encryptor, item reader, sweeps and the command."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from local import LocalStack
from local.__main__ import announced
from local.load import load
from local.table_shape import TableShape

SHAPES: Final = ("orderId:N", "number:N,line:N", "part:B", "tenant:S,digest:B")
PARAMETERS: Final = {"EncryptedAttributes": "card,address", "SettingCacheSeconds": "0"}
ITEMS: Final = 12
PATIENCE: Final = 60.0  # Seconds.


@dataclass
class Table:
    """A running stack over a table of one shape, and what it can be asked."""

    stack: LocalStack
    shape: TableShape

    def key(self, n: int) -> dict[str, Any]:
        """Return the key of the item of a number, as a line of a file has it."""
        values = {"S": f"t-{n}", "N": f"{n}.50" if n % 2 else f"{n}", "B": base64.b64encode(bytes([n, 255])).decode()}
        return {name: {self.shape.types[name]: values[self.shape.types[name]]} for name in self.shape.key}

    def item(self, n: int) -> dict[str, Any]:
        return self.key(n) | {"card": {"M": {"number": {"S": f"4111 {n}"}}}, "state": {"S": "paid"}}

    def stored(self) -> list[dict[str, Any]]:
        table = self.stack.outputs["TableName"]
        items: list[dict[str, Any]] = self.stack.client("dynamodb").scan(TableName=table)["Items"]
        return items

    def command(self, *arguments: str) -> Result:
        options = ["--local", "--state-directory", str(self.stack.state_directory)]
        return CliRunner().invoke(app, [*arguments, *options])

    def switch_stream(self, *, on: bool) -> None:
        """Enable or disable the stream's mapping, and wait until that has taken effect."""
        client, stream = self.stack.client("lambda"), self.stack.outputs["TableStreamArn"]
        (mapping,) = client.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
        self.stack.wait_until_idle(PATIENCE)  # Which also looks at the mappings anew.

    def load(self, path: Path, numbers: range) -> None:
        path.write_text("".join(json.dumps(self.item(n)) + "\n" for n in numbers))
        assert load(path, self.stack.state_directory) == len(numbers)


@pytest.fixture(scope="module", params=SHAPES)
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    shape = TableShape.of_key(request.param)
    directory = tmp_path_factory.mktemp("state")
    with LocalStack(state_directory=directory, parameters=PARAMETERS, table=shape) as stack, announced(stack):
        yield Table(stack, shape)


def test_new_writes_are_encrypted_and_read_by_a_service(table: Table, tmp_path: Path):
    table.load(tmp_path / "items.jsonl", range(1, ITEMS + 1))
    table.stack.wait_until_idle(PATIENCE)
    assert {tuple(sorted(set(item) & {"card", "encrypted_card"})) for item in table.stored()} == {("encrypted_card",)}

    answer = table.stack.invoke("ItemReaderFunction", {"Key": table.key(7)})
    assert answer["Item"]["card"] == table.item(7)["card"]


def test_what_is_there_is_migrated_verified_shown_and_brought_back(table: Table, tmp_path: Path):
    table.switch_stream(on=False)
    table.load(tmp_path / "items.jsonl", range(100, 100 + ITEMS))
    assert sum("card" in item for item in table.stored()) == ITEMS
    assert_done(table.command("migrate", "--watch", "--force"))
    table.switch_stream(on=True)
    assert_done(table.command("verify", "--deep", "--may-be-absent", "address"))
    shown = table.command("decrypt-item", json.dumps(table.key(101)))
    assert json.loads(shown.stdout)["card"] == {"number": "4111 101"}

    # The setting was never changed, so that the parameter holds, and no sweep has to wait until all know of a change.
    table.stack.set_environment(SESSION_ENCRYPTION_ENABLED="false")
    assert_done(table.command("decrypt", "--watch"))
    assert all("card" in item and "encrypted_card" not in item for item in table.stored())
    assert_done(table.command("verify", "--deep", "--may-be-absent", "address"))


def assert_done(result: Result) -> None:
    assert result.exit_code == 0, result.output
