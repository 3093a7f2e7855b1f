"""docs/orders.md, followed from its first line to its last: a table of another shape, encrypted and brought back."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.documents import ORDERS, ROOT, TRYING, Reader, block, following, text

PATIENCE = 180.0  # seconds
SENT = {
    order["orderId"]: order
    for order in map(json.loads, (ROOT / "examples/orders/orders.jsonl").read_text().splitlines())
}


def options() -> list[str]:
    """Return what the page gives to `up`."""
    words = shlex.split(block(ORDERS, "orders-up").replace("\\\n", " "))
    assert words[:4] == ["python", "-m", "local", "up"]
    return [word.replace("examples/", f"{ROOT}/examples/") for word in words[4:]]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with following(tmp_path_factory.mktemp("orders"), *options(), "--parameter", "SettingCacheSeconds=0") as reader:
        yield reader


def stored(reader: Reader) -> dict[int, dict[str, Any]]:
    table = reader.clients().resource("dynamodb").Table(reader.stack["outputs"]["TableName"])
    return {int(item["orderId"]): item for item in table.scan()["Items"]}


def assert_shown(printed: str, after: str) -> None:
    """Check that what the page shows below a block is among what was printed."""
    shown = re.search(r"```console\n(.*?)```", text(ORDERS).partition(f"<!-- test: {after} -->")[2], re.DOTALL)
    assert shown
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for line in shown[1].splitlines():
        assert line == "…" or " ".join(line.split()) in lines, f"{line!r} was not printed:\n{printed}"


def test_the_page_is_followed(reader: Reader):
    table = reader.clients().client("dynamodb").describe_table(TableName=reader.stack["outputs"]["TableName"])["Table"]
    assert (table["TableName"], table["KeySchema"]) == ("orders", [{"AttributeName": "orderId", "KeyType": "HASH"}])
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 25

    printed = reader.bash(block(ORDERS, "orders-load"), patience=PATIENCE)
    assert_shown(printed, "orders-load")
    assert {number: set(item) for number, item in stored(reader).items()} == {n: set(o) for n, o in SENT.items()}

    printed = reader.bash(block(ORDERS, "orders-migrate") + "\n", patience=PATIENCE)
    assert_shown(printed, "orders-migrate")
    assert not any({"card", "address"} & set(item) for item in stored(reader).values())
    assert "encrypted_card" in reader.python(block(ORDERS, "orders-writer"), alone=True)

    town = SENT[1007]["address"]["town"]
    assert reader.python(block(ORDERS, "orders-read"), alone=True).strip() == town
    order = json.loads(reader.bash(block(ORDERS, "orders-item")))
    assert order == SENT[1007]

    printed = reader.bash(block(ORDERS, "orders-back"), patience=PATIENCE)
    assert_shown(printed, "orders-back")
    restored = stored(reader)
    assert {number: set(item) for number, item in restored.items() if number in SENT} == {
        n: set(o) for n, o in SENT.items()
    }
    assert restored[1025]["card"] == {"number": "4111"}
    assert block(TRYING, "environment")  # What the page asks for before its Python code.
