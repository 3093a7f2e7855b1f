"""A newcomer's path with a table of another shape, from a plan to evidence and back, beside writers that go on.

Nothing of this checkout is used but `python -m local`, which plays AWS: the command and the drop-in are the wheel's, in
an environment of their own.
"""

import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from local.dynamodb_local import installed
from local.errors import LocalStackError
from tests.alone import run_alone
from tests.documents import ROOT, Reader, following

TABLE: Final = ROOT / "examples/orders/table.json"
ORDERS: Final = ROOT / "examples/orders/orders.jsonl"
ATTRIBUTES: Final = ("card", "address")
PATIENCE: Final = 240.0  # seconds

READS: Final = """
import decimal, json, sys
import boto3
from item_crypto import ControlTable, EncryptedTable, Encryption, Keyrings, Policy, ValueCipher

outputs = json.load(open(sys.argv[1]))["outputs"]
policy = Policy(
    attributes=("card", "address"),
    appended=frozenset(),
    context_attributes=("orderId",),
    purpose=sys.argv[2],
    enabled=False,
)
cipher = ValueCipher(Keyrings(boto3.client("kms"), outputs["KeyArn"]))
setting = ControlTable(boto3.client("dynamodb"), outputs["ControlTableName"], default_enabled=False, cache_seconds=1)
plain = boto3.resource("dynamodb").Table(outputs["TableName"])
table = EncryptedTable(plain, Encryption(cipher, policy, current=setting.current))
for order in sys.argv[3:]:
    table.put_item(Item=json.loads(order, parse_float=decimal.Decimal))
print(json.dumps(table.scan(ConsistentRead=True)["Items"], default=float))
"""


class Newcomer:
    """Somebody with the wheel's command and Python, and with AWS as `python -m local` plays it."""

    def __init__(self, reader: Reader, commands: Path) -> None:
        self._reader = reader
        self._commands = commands
        self.evidence = reader.folder / "evidence"
        self._state = reader.folder / ".local"
        clients = reader.clients()
        self.table = clients.resource("dynamodb").Table(reader.stack["outputs"]["TableName"])
        function = clients.client("lambda").get_function_configuration(
            FunctionName=reader.stack["outputs"]["StreamEncryptorFunctionName"]
        )
        self._purpose = function["Environment"]["Variables"]["CONTEXT_PURPOSE"]
        self._environment = {
            "AWS_ENDPOINT_URL": reader.stack["endpoint_url"],
            "AWS_DEFAULT_REGION": reader.stack["region"],
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run the installed command against the stack."""
        return run_alone(
            self._commands / "stream-encryptor",
            *arguments,
            "--local",
            "--state-directory",
            self._state,
            code=code,
            **self._environment,
        )

    def load(self) -> None:
        self._reader.bash("python -m local load examples/orders/orders.jsonl", patience=PATIENCE)

    def orders(self, *put: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """Return the orders as the drop-in reads them, after it has put some."""
        printed = run_alone(
            self._commands / "python",
            "-c",
            READS,
            self._state / "stack.json",
            self._purpose,
            *map(json.dumps, put),
            **self._environment,
        )
        return {int(order["orderId"]): order for order in json.loads(printed)}

    def stored(self) -> dict[int, dict[str, Any]]:
        """Return the orders as they are stored."""
        return {int(item["orderId"]): item for item in self.table.scan(ConsistentRead=True)["Items"]}

    @property
    def plaintext(self) -> set[int]:
        return {number for number, item in self.stored().items() if any(name in item for name in ATTRIBUTES)}


class Shop:
    """A writer that knows nothing of encryption: new orders, and other cards for those that are there."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.acknowledged: dict[int, dict[str, Any]] = {}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Write until the block ends."""
        closing = threading.Event()

        def trade() -> None:
            number = 5000
            while not closing.wait(0.3):
                number += 1
                order = {"orderId": number, "customer": "c-9", "placedAt": "2026-05-01T08:00:00Z", "state": "paid"}
                order |= {"card": {"number": f"4000 {number}"}, "address": {"town": "Porto"}}
                self._table.put_item(Item=order)
                self.acknowledged[number] = order
                card = {"number": f"5000 {number}"}
                self._table.update_item(
                    Key={"orderId": 1001 + number % 20},
                    UpdateExpression="SET card = :card",
                    ExpressionAttributeValues={":card": card},
                )
                self.acknowledged.setdefault(1001 + number % 20, {})["card"] = card

        writer = threading.Thread(target=trade)
        writer.start()
        try:
            yield
        finally:
            closing.set()
            writer.join()


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.fixture(params=["moto", "local"])
def newcomer(request: pytest.FixtureRequest, tmp_path: Path, environment: Path) -> Iterator[Newcomer]:
    if request.param == "local":
        try:
            installed()
        except LocalStackError as error:
            warnings.warn(f"NOTHING WAS PROVED on DynamoDB Local: {error}", stacklevel=1)
            pytest.skip(f"NOT RUN: {error}")
    options = ["--table-like", str(TABLE), "--dynamodb", request.param]
    for parameter in ("EncryptedAttributes=card,address", "EncryptionEnabled=false", "SettingCacheSeconds=1"):
        options += ["--parameter", parameter]
    with following(tmp_path, *options) as reader:
        yield Newcomer(reader, environment)


def test_from_a_plan_to_evidence_and_back(newcomer: Newcomer) -> None:
    sent = {order["orderId"]: order for order in map(json.loads, ORDERS.read_text().splitlines())}
    newcomer.load()

    plan = json.loads(newcomer.command("plan", "--json"))
    found = {attribute["name"]: attribute["items"] for attribute in plan["attributes"]}
    assert [found[name] for name in ATTRIBUTES] == [
        sum(name in order for order in sent.values()) for name in ATTRIBUTES
    ]

    # Readers first: nothing is encrypted, and nothing changes for them.
    assert newcomer.orders() == sent
    assert newcomer.plaintext == set(newcomer.stored())

    # A canary: what the drop-in and plain writers put is encrypted inside, and stays as it is outside.
    newcomer.command("config", "on", "--part", "50%")
    more = [{**sent[1001], "orderId": number} for number in range(2001, 2021)]
    for order in more[:10]:
        newcomer.table.put_item(Item=json.loads(json.dumps(order), parse_float=Decimal))
    sent |= {order["orderId"]: order for order in more}
    assert newcomer.orders(*more[10:]) == sent
    until(lambda: len(newcomer.plaintext & set(range(2001, 2011))) < 10, "no order of the part was encrypted")
    inside = set(range(2001, 2021)) - newcomer.plaintext
    assert 0 < len(inside) < 20
    assert "The part is as it should be" in newcomer.command("migrate", "--watch") + newcomer.command(
        "verify", "--deep"
    )
    assert newcomer.orders() == sent

    # On for all, beside writers.
    shop = Shop(newcomer.table)
    with shop.open():
        newcomer.command("config", "on")
        newcomer.command("watch", "--wait")
    for number, written in shop.acknowledged.items():
        sent[number] = {**sent.get(number, {}), **written}
    until(lambda: not newcomer.plaintext, "plaintext is left")
    assert "As it should be" in newcomer.command("verify", "--deep")
    assert newcomer.orders() == sent

    newcomer.command("report", "--output", str(newcomer.evidence))
    assert len(list(newcomer.evidence.glob("*.html"))) == 1

    # And back.
    newcomer.command("config", "off", "--yes")
    newcomer.command("decrypt", "--watch")
    assert "As it should be" in newcomer.command("verify")
    stored = json.loads(json.dumps(newcomer.stored(), default=float))
    assert {int(number): order for number, order in stored.items()} == sent
    assert newcomer.orders() == sent
