"""The stack as a whole: deployment, invocation, the endpoint, the API, the commands."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local import FunctionError, LocalStack, LocalStackError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Path(__file__).parent / "local_functions" / "template.yaml"


@pytest.fixture(scope="module")
def state_directory(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def stack(state_directory):
    parameters = {"RecordFile": str(state_directory / "records.jsonl"), "AllowedOrigins": "https://app.example"}
    with LocalStack(TEMPLATE, parameters=parameters, state_directory=state_directory) as stack:
        yield stack


def request(url, method="GET", body=None, **headers):
    sent = urllib.request.Request(url, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(sent, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def test_outputs_have_local_addresses(stack):
    assert stack.outputs["ApiUrl"] == stack.outputs["ApiEndpoint"] == stack.api_url
    assert stack.outputs["QueueUrl"].startswith(stack.endpoint_url)
    assert stack.client("dynamodb").describe_table(TableName=stack.outputs["TableName"])


def test_a_function_has_the_environment_of_the_template_and_nothing_of_ours(stack, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
    seen = stack.invoke("EchoFunction", {"a": [1]})
    assert seen["event"] == {"a": [1]}
    assert seen["environment"]["QUEUE_URL"] == stack.outputs["QueueUrl"]
    assert seen["environment"]["AWS_ENDPOINT_URL"] == stack.endpoint_url
    assert seen["environment"]["AWS_ACCESS_KEY_ID"] == "testing"
    assert not {"AWS_PROFILE", "HTTP_PROXY"} & set(seen["environment"])
    assert 0 < seen["remaining"] <= 10_000
    assert seen["arn"].endswith(stack.outputs["EchoFunctionName"])


def test_a_failing_function_raises_with_its_error(stack):
    with pytest.raises(FunctionError, match="LookupError") as caught:
        stack.invoke("EchoFunction", {"raise": "not there"})
    assert (caught.value.error_type, caught.value.error_message) == ("LookupError", "not there")
    assert "LookupError" in stack.log_files["EchoFunction"].read_text()


def test_a_function_that_does_not_exist_is_named(stack):
    with pytest.raises(LocalStackError, match="no function Nothing"):
        stack.invoke("Nothing", {})


def test_functions_are_invoked_through_the_endpoint(stack):
    client = stack.client("lambda")
    answer = client.invoke(FunctionName=stack.outputs["EchoFunctionName"], Payload=b'{"a": 1}')
    assert json.load(answer["Payload"])["event"] == {"a": 1}
    answer = client.invoke(FunctionName=stack.outputs["EchoFunctionName"], Payload=b'{"raise": "x"}')
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "LookupError"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nothing", Payload=b"{}")


@pytest.fixture
def restless_threads():
    """Have threads of this process, moto's among them, take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless_threads")
def test_concurrent_conditional_writes_do_not_both_succeed(stack):
    table = stack.outputs["TableName"]
    stack.client("dynamodb").put_item(TableName=table, Item={"id": {"S": "counter"}, "n": {"N": "0"}})
    won = []

    def count_up(client):
        for _ in range(15):
            n = int(client.get_item(TableName=table, Key={"id": {"S": "counter"}})["Item"]["n"]["N"])
            try:
                client.update_item(
                    TableName=table,
                    Key={"id": {"S": "counter"}},
                    UpdateExpression="SET n = :new",
                    ConditionExpression="n = :old",
                    ExpressionAttributeValues={":new": {"N": str(n + 1)}, ":old": {"N": str(n)}},
                )
                won.append(n + 1)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"  # noqa: PT017

    threads = [threading.Thread(target=count_up, args=(stack.client("dynamodb"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    item = stack.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "counter"}})["Item"]
    assert int(item["n"]["N"]) == len(won)
    assert sorted(won) == list(range(1, len(won) + 1))


def test_a_long_poll_waits_without_holding_up_the_sender(stack):
    sqs = stack.client("sqs")
    queue = sqs.create_queue(QueueName="long-poll")["QueueUrl"]
    timer = threading.Timer(0.5, lambda: sqs.send_message(QueueUrl=queue, MessageBody="hello"))
    timer.start()
    started = time.monotonic()
    messages = stack.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert [message["Body"] for message in messages] == ["hello"]
    assert 0.4 < time.monotonic() - started < 5
    timer.join()


def test_web_pages_do_not_reach_the_endpoint(stack):
    assert request(stack.endpoint_url, "POST", b"{}", Origin="https://evil.example")[0] == 403
    assert request(stack.endpoint_url, "POST", b"{}", Host="evil.example")[0] == 403
    assert request(f"{stack.api_url}/thing/1", Host="evil.example")[0] == 403


def test_the_api_lets_in_tokens_of_the_stack(stack):
    token = stack.token("alice", admin=True)
    status, _, body = request(f"{stack.api_url}/thing/a%2Fb?x=1", Authorization=f"Bearer {token}")
    event = json.loads(body)
    assert status == 200
    assert event["pathParameters"] == {"id": "a/b"}
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "alice"


def test_the_api_refuses_what_it_should(stack):
    bearer = f"Bearer {stack.token('alice')}"
    assert request(f"{stack.api_url}/thing/1")[0] == 401
    assert request(f"{stack.api_url}/thing/1", Authorization=f"Bearer {stack.token('alice', lifetime=-1)}")[0] == 401
    assert request(f"{stack.api_url}/nothing", Authorization=bearer)[0] == 404
    assert request(f"{stack.api_url}/signed", Authorization=bearer)[0] == 403
    assert request(f"{stack.api_url}/thing/1", "PUT", b"x" * (10 * 1024 * 1024 + 1), Authorization=bearer)[0] == 413


def test_the_api_answers_preflights_of_allowed_origins(stack):
    status, headers, _ = request(f"{stack.api_url}/thing/1", "OPTIONS", Origin="https://app.example")
    assert (status, headers["access-control-allow-origin"]) == (204, "https://app.example")


def test_only_one_stack_runs_in_a_process(stack, tmp_path):
    with pytest.raises(LocalStackError, match="another local stack"), LocalStack(TEMPLATE, state_directory=tmp_path):
        pass


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_a_busy_port_is_named(stack, tmp_path):
    port = stack.endpoint_url.rpartition(":")[2]
    ended = run("up", "--port", port, "--state-directory", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"local: port {port} of 127.0.0.1 is in use")
    assert not (tmp_path / "stack.json").exists()


def test_statements_are_refused_on_moto_which_makes_them_whatever_their_conditions_say(tmp_path):
    ended = run("up", "--parameter", "BatchedWrites=true", "--port", "0", "--state-directory", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == "local: moto has no conditional PartiQL: BatchedWrites=true needs --dynamodb local\n"


def test_the_token_command_prints_what_the_api_takes(stack, state_directory):
    # The test template takes its issuer from the same defaults as the real one.
    ended = run("token", "bob", "--admin", "--state-directory", str(state_directory))
    status, _, body = request(f"{stack.api_url}/thing/1", Authorization=f"Bearer {ended.stdout.strip()}")
    claims = json.loads(body)["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (status, claims["sub"], claims["cognito:groups"]) == (200, "bob", "[admin]")


def test_up_announces_itself_and_ends_on_sigterm(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "up", "--port", "0", "--state-directory", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    announcement = tmp_path / "stack.json"
    printed = ""
    while not printed.endswith("Ctrl-C stops it.\n"):
        line = process.stdout.readline()
        assert line, "it ended by itself"
        printed += line
    stack = json.loads(announcement.read_text())
    assert set(stack) == {"endpoint_url", "region", "api_url", "issuer_url", "outputs", "example"}
    assert request(f"{stack['api_url']}/session")[0] == 401
    assert request(f"{stack['issuer_url']}/jwks")[0] == 200
    assert json.loads(request(f"{stack['example']['url']}/config.json")[2]) == stack["example"]["config"]
    assert request(stack["example"]["config"]["metadataUrl"])[0] == 200
    # Where the example is, and where Vite serves it.
    for origin in (stack["example"]["url"], "http://127.0.0.1:5173", "http://127.0.0.1:4173"):
        headers = request(f"{stack['api_url']}/session", "OPTIONS", Origin=origin)[1]
        assert headers["access-control-allow-origin"] == origin
    process.send_signal(signal.SIGTERM)
    ended, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Stopped." in ended
    assert stack["endpoint_url"] in printed
    assert stack["api_url"] in printed
    assert f"Admin page    {stack['api_url']}/admin\n" in printed
    assert f"Example chat  {stack['example']['url']}/\n" in printed
    assert not announcement.exists()


def test_functions_die_with_the_stack(tmp_path):
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from local import LocalStack\n"
        "stack = LocalStack(Path(sys.argv[1]), parameters={'RecordFile': 'x'}, state_directory=Path(sys.argv[2]))\n"
        "with stack:\n"
        "    print(stack.invoke('EchoFunction', {})['process'], flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(TEMPLATE), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    worker = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
