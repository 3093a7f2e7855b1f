"""The whole stack with DynamoDB Local in it: functions in processes of their own, its streams, the API, sweeps."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.aws_clients import ClientFactory
from local.state import ROOT

pytestmark = pytest.mark.usefixtures("dynamodb_local")  # Where it is missing, all this is skipped.
SECRET = "the landlord's name is Wilhelmine"
HISTORY = {"L": [{"M": {"content": {"S": SECRET}}}]}


def eventually(condition: Any, seconds: float = 60) -> Any:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.1)
    return found


@pytest.fixture
def up(tmp_path: Path) -> Any:
    """`python -m local up --dynamodb local`, started; its process, and what it announces."""
    command = [sys.executable, "-m", "local", "up", "--dynamodb", "local", "--port", "0"]
    command += ["--parameter", "SettingCacheSeconds=0", "--state-directory", str(tmp_path)]
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        announcement = tmp_path / "stack.json"
        eventually(lambda: announcement.exists() or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "up.log").read_text()
        yield process, json.loads(announcement.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def test_stack_up_on_dynamodb_local_when_used_then_encrypts_by_its_stream_reads_and_sweeps(
    up: Any, tmp_path: Path
) -> None:
    _, stack = up
    clients = ClientFactory(stack["endpoint_url"], stack["region"])
    dynamodb, outputs = clients.client("dynamodb"), stack["outputs"]
    table = outputs["TableName"]

    def stored() -> dict[str, Any]:
        return {item["sessionId"]["S"]: item for item in dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]}

    # It is DynamoDB Local, which knows more than moto of what an expression may not say, and its stream.
    with pytest.raises(dynamodb.exceptions.ClientError, match="overlap"):
        dynamodb.update_item(
            TableName=table,
            Key={"sessionId": {"S": "s"}, "userId": {"S": "u"}},
            UpdateExpression="SET #a = :v, #a.#b = :v",
            ExpressionAttributeNames={"#a": "a", "#b": "b"},
            ExpressionAttributeValues={":v": {"S": "v"}},
        )
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    assert arn == outputs["TableStreamArn"]

    for number in range(20):
        item = {"sessionId": {"S": f"dlg-{number}"}, "userId": {"S": "alice"}, "history": HISTORY}
        dynamodb.put_item(TableName=table, Item=item)
    eventually(lambda: all("encrypted_history" in item and "history" not in item for item in stored().values()))
    assert len(stored()) == 20
    assert SECRET not in json.dumps(stored())

    command = [sys.executable, "-m", "local", "token", "alice", "--state-directory", str(tmp_path)]
    token = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    request = urllib.request.Request(f"{stack['api_url']}/session/dlg-7", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as response:
        assert json.load(response)["history"] == [{"content": SECRET}]

    control = clients.client("lambda")

    def ask(command: str, **fields: Any) -> Any:
        payload = json.dumps({"command": command, "by": "test", **fields})
        answer = control.invoke(FunctionName=outputs["ControlFunctionName"], Payload=payload)
        return json.loads(answer["Payload"].read())

    assert ask("set-config", enabled=False, version=0, confirm="switch-off")["setting"]["version"] == 1
    sweep = ask("start", goal="decrypt", segments=4)["sweep"]["id"]
    eventually(lambda: ask("sweep", sweep=sweep)["sweep"]["state"] == "done")
    assert all(item["history"] == HISTORY for item in stored().values())


@pytest.mark.skipif(not Path("/proc/self/children").parent.exists(), reason="processes are found in /proc")
def test_stack_when_it_is_killed_then_no_process_of_it_is_left(up: Any) -> None:
    process, _ = up
    offspring = descendants(process.pid)
    assert any("DynamoDBLocal" in command_line(pid) for pid in offspring)
    assert any("function_worker" in command_line(pid) for pid in offspring)

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    eventually(lambda: not any(command_line(pid) for pid in offspring), seconds=15)


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})


def command_line(pid: int) -> str:
    """Return a process's command; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
