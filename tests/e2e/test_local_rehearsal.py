"""The commands around a running stack: what is refused at a start and at an update, in a sentence; loading; renewal."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import LocalStack
from local.__main__ import announced, main
from local.errors import LocalStackError
from local.load import write
from local.running import running_stack
from local.table_shape import TableShape

ROOT = Path(__file__).resolve().parents[2]
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000099"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-02T08:30:00.000"

REFUSED_AT_START = [
    (["--parameter", "TableName=orders"], "--key or --table-like makes one"),
    (["--parameter", f"TableStreamArn={STREAM}"], "An existing table is given by both TableName and TableStreamArn."),
    (["--key", "id:S", "--parameter", f"TableStreamArn={STREAM}"], "leave TableStreamArn out"),
    (["--key", "id:S", "--parameter", "TableName=x"], "parameter TableName: empty, or the name"),
    (["--key", "orderId:X"], "--key takes NAME:TYPE"),
    (["--key", "purpose:S"], "parameter ContextAttributes: "),
    (["--table-like", "README.md"], "cannot read README.md"),
    (["--parameter", "JwtIssuer="], "A token issuer is given by both JwtIssuer and JwtAudience."),
    (["--parameter", "EarlierAttributes=history"], "EARLIER_ATTRIBUTES: history is also one of ENCRYPTED_ATTRIBUTES"),
    (["--key", "history:S"], "ENCRYPTED_ATTRIBUTES: history is part of the encryption context"),
    (["--key", "id:S", "--parameter", "ContextAttributes=other"], "CONTEXT_ATTRIBUTES: must be the table's key"),
    (["--parameter", f"KmsKeyArn={KEY}"], "the functions would refuse to start: kms: NotFoundException"),
    (["--parameter", f"KmsKeyArn={KEY.replace('us-east-1', 'eu-west-1')}"], "the key is in eu-west-1"),
    (["--parameter", "SettingCacheSeconds=61"], "SettingCacheSeconds must be from 0 to 60"),
    (["--parameter", "Nothing"], "--parameter takes NAME=VALUE"),
]


@pytest.mark.parametrize(
    ("options", "says"), REFUSED_AT_START, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_start_that_cannot_work_is_refused_in_one_sentence(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = main(["up", "--port", "0", "--state-directory", str(tmp_path), *options])
    printed = capsys.readouterr()
    assert code == 1
    assert printed.err.startswith("local: ")
    assert says in printed.err
    assert printed.err.count("\n") == 1


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    parameters = {"EncryptedAttributes": "card,address", "TableName": "orders", "SettingCacheSeconds": "0"}
    shape = TableShape.of_key("orderId:N")
    state = tmp_path_factory.mktemp("state")
    with LocalStack(parameters=parameters, state_directory=state, table=shape) as stack, announced(stack):
        yield stack


def update(stack: LocalStack, *parameters: str) -> int:
    options = [word for pair in parameters for word in ("--parameter", pair)]
    return main(["update", "--state-directory", str(stack.state_directory), *options])


def announcement(stack: LocalStack) -> dict[str, Any]:
    return dict(json.loads((stack.state_directory / "stack.json").read_text()))


def test_the_table_has_the_name_and_the_stack_says_so(stack: LocalStack):
    assert announcement(stack)["outputs"]["TableName"] == "orders"
    assert stack.environments["StreamEncryptorFunction"]["CONTEXT_ATTRIBUTES"] == "orderId"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        (["TableName=other"], "TableName cannot be changed while the stack runs"),
        (["JwtIssuer=https://issuer.example"], "JwtIssuer cannot be changed while the stack runs"),
        (["AdminClientId="], "AdminClientId cannot be changed while the stack runs"),
        (["StreamBatchSize=7"], "that would change StreamMapping, which the local stack cannot while it runs"),
        (["KeyRotationDays=100"], "that would change EncryptionKey, which the local stack cannot while it runs"),
        (["EncryptedAttributes=card"], "address was encrypted before"),
        (["EncryptedAttributes=orderId"], "ENCRYPTED_ATTRIBUTES: orderId is part of the encryption context"),
        ([f"KmsKeyArn={KEY}"], "kms: NotFoundException"),
        (["UserIndexName=x"], "parameter UserIndexName: "),
        (["Nothing=1"], "the template has no parameter Nothing"),
    ],
)
def test_an_update_that_cannot_work_is_refused_and_changes_nothing(
    stack: LocalStack, parameters: list[str], says: str, capsys: pytest.CaptureFixture[str]
):
    before, told = stack.environments, announcement(stack)
    assert update(stack, *parameters) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("local: ")
    assert says in printed
    assert printed.count("\n") == 1
    assert (stack.environments, announcement(stack)) == (before, told)


def test_after_an_update_everything_is_what_a_deployment_gives(stack: LocalStack):
    old = stack.outputs["KeyArn"]
    new = stack.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert update(stack, f"KmsKeyArn={new}", f"EarlierKeyArns={old}", "AllowedOrigins=https://shop.example") == 0

    assert announcement(stack)["outputs"]["KeyArn"] == new
    told = json.loads((stack.state_directory / "env.local.json").read_text())["ReaderFunction"]
    assert (told["SESSION_ENCRYPTION_KEY_ARN"], told["EARLIER_KEY_ARNS"]) == (new, old)
    (deployed,) = stack.client("cloudformation").describe_stacks(StackName="local")["Stacks"]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in deployed["Parameters"]}
    assert (values["KmsKeyArn"], values["EarlierKeyArns"]) == (new, old)
    assert {"OutputKey": "KeyArn", "OutputValue": new}.items() <= next(
        output for output in deployed["Outputs"] if output["OutputKey"] == "KeyArn"
    ).items()
    assert stack.client("kms").describe_key(KeyId=old)["KeyMetadata"]["KeyState"] == "Enabled"
    # Queues' addresses are this machine's, as at the start.
    assert stack.environments["StreamEncryptorFunction"]["RETRY_QUEUE_URL"] == stack.outputs["RetryQueueUrl"]
    assert stack.outputs["RetryQueueUrl"].startswith(stack.endpoint_url)

    item = {"orderId": {"N": "1"}, "card": {"S": "4111"}}
    stack.client("dynamodb").put_item(TableName="orders", Item=item)
    stack.wait_until_idle(60)
    stored = stack.client("dynamodb").get_item(TableName="orders", Key={"orderId": {"N": "1"}})["Item"]
    assert stored["encrypted_card"]
    assert stack.invoke("ItemReaderFunction", {"Key": {"orderId": {"N": "1"}}})["Item"]["card"] == {"S": "4111"}


def test_items_are_loaded_in_their_order_and_a_later_one_wins(stack: LocalStack, tmp_path: Path):
    path = tmp_path / "orders.jsonl"
    lines = [{"orderId": n, "state": "old"} for n in range(100, 140)] + [{"orderId": 100, "state": "new"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["load", str(path), "--state-directory", str(stack.state_directory)]) == 0
    table = stack.resource("dynamodb").Table("orders")
    assert table.get_item(Key={"orderId": 100})["Item"]["state"] == "new"
    assert table.get_item(Key={"orderId": 139})["Item"]["state"] == "old"


def test_a_file_with_a_wrong_line_writes_nothing(stack: LocalStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "orders.jsonl"
    path.write_text('{"orderId": 900}\n{"orderId": "secret"}\n')
    assert main(["load", str(path), "--state-directory", str(stack.state_directory)]) == 1
    assert capsys.readouterr().err == "local: orders.jsonl, line 2: orderId must be a number (N)\n"
    assert "Item" not in stack.resource("dynamodb").Table("orders").get_item(Key={"orderId": 900})


def test_an_item_that_dynamodb_refuses_is_told_by_its_line_and_no_value(
    stack: LocalStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "orders.jsonl"
    secret = "secret" * 80_000  # Over 400 KB.
    path.write_text('{"orderId": 910}\n' + json.dumps({"orderId": 911, "card": secret}) + "\n")
    assert main(["load", str(path), "--state-directory", str(stack.state_directory)]) == 1
    assert capsys.readouterr().err == "local: orders.jsonl, line 2: DynamoDB refuses the item\n"


def test_what_is_left_unprocessed_is_sent_again(stack: LocalStack, monkeypatch: pytest.MonkeyPatch):
    """DynamoDB throttles a part of a batch by giving it back."""

    class Throttling:
        def __init__(self, client: Any) -> None:
            self._client = client
            self.calls = 0

        def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            self.calls += 1
            ((table, requests),) = RequestItems.items()
            taken, left = (requests[:3], requests[3:]) if self.calls < 4 else (requests, [])
            self._client.batch_write_item(RequestItems={table: taken})
            return {"UnprocessedItems": {table: left} if left else {}}

    throttling = Throttling(stack.client("dynamodb"))

    class Clients:
        def client(self, _: str) -> Throttling:
            return throttling

    running = running_stack(stack.state_directory)
    monkeypatch.setattr(type(running), "clients", property(lambda _: Clients()))
    items = [(n, {"orderId": {"N": str(2000 + n)}}) for n in range(20)]
    assert write(running, items, ("orderId",), "here", len(items)) == 20
    assert throttling.calls > 3
    table = stack.resource("dynamodb").Table("orders")
    assert all("Item" in table.get_item(Key={"orderId": 2000 + n}) for n in range(20))


def test_long_work_says_how_far_it_is():
    code = (
        "import time\nfrom local.progress import counting\n"
        "with counting('items put', 3) as advance:\n"
        "    for _ in range(3):\n        time.sleep(2.1)\n        advance(1)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["1 of 3 items put", "2 of 3 items put"]
    assert time.monotonic() - started > 6


def test_without_a_stack_load_and_update_say_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "items.jsonl"
    path.write_text("{}\n")
    for command in (["load", str(path)], ["update", "--parameter", "A=b"]):
        assert main([*command, "--state-directory", str(tmp_path)]) == 1
        assert capsys.readouterr().err == "local: no stack runs; start one: python -m local up\n"


def test_an_update_is_not_taken_from_a_web_page(stack: LocalStack):
    request = urllib.request.Request(
        stack.endpoint_url + "/local/update", b"{}", headers={"Origin": "https://evil.example"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 403


def test_an_unknown_failure_of_dynamodb_is_not_taken_for_a_refused_item(stack: LocalStack):
    running = running_stack(stack.state_directory)
    missing = type(running)(running.endpoint_url, running.region, running.outputs | {"TableName": "nothing"})
    with pytest.raises(LocalStackError, match=r"did not take the items: .*ResourceNotFoundException") as refused:
        write(missing, [(1, {"orderId": {"N": "1"}})], ("orderId",), "here", 1)
    assert isinstance(refused.value.__cause__, ClientError)
