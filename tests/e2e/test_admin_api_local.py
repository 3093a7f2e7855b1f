"""The administrators' commands on the local stack: the gateway, the functions in their processes, CloudWatch."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from local import LocalStack
from local.endpoint import Call


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    parameters = {"SettingCacheSeconds": "0"}
    with LocalStack(state_directory=tmp_path_factory.mktemp("state"), parameters=parameters) as stack:
        yield stack


def call(stack: LocalStack, method: str, path: str, body: Any = None, admin: bool = True) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {stack.token('alice', admin=admin)}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stack.api_url}/admin/api/{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_given_items_that_were_encrypted_when_asked_then_the_plaintext_window_is_that_of_the_metric_lines(
    stack: LocalStack,
) -> None:
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    for number in range(5):
        table.put_item(Item={"sessionId": f"dlg-{number}", "userId": "alice", "history": [str(number)]})
    stack.wait_until_idle(60)

    for _ in range(2):  # What was brought to CloudWatch once counts once.
        status, window = call(stack, "GET", "plaintext-window?hours=1")
        assert (status, window["periodSeconds"]) == (200, 60)
        assert sum(point["count"] for point in window["points"]) == 5
        assert all(0 <= point["p50"] <= point["p99"] < 60_000 for point in window["points"])


def test_given_a_sweep_when_started_from_the_page_then_it_comes_to_its_end_and_is_among_the_actions(
    stack: LocalStack,
) -> None:
    status, started = call(stack, "POST", "sweeps", {"goal": "verify", "segments": 2})
    assert status == 200, started
    stack.wait_until_idle(60)

    status, shown = call(stack, "GET", f"sweeps/{started['sweep']['id']}")
    assert (status, shown["sweep"]["state"], len(shown["sweep"]["segmentsDetail"])) == (200, "done", 2)
    _, actions = call(stack, "GET", "actions")
    assert [(one["who"], one["via"], one["action"]) for one in actions["actions"]] == [("alice", "admin-api", "start")]


def test_given_a_command_when_asked_then_the_control_function_is_invoked_once_by_the_admin_function(
    stack: LocalStack,
) -> None:
    calls: list[Call] = []
    stack.observe(calls.append)

    assert call(stack, "GET", "status")[0] == 200

    invoked = [(one.caller, one.document["command"]) for one in calls if one.operation.endswith("/invocations")]
    assert invoked == [("local-AdminFunction", "status")]


@pytest.mark.parametrize("path", ["status", "actions", "failures", "plaintext-window", "config", "report"])
def test_given_a_user_without_the_group_when_they_look_then_it_is_403(stack: LocalStack, path: str) -> None:
    assert call(stack, "GET", path, admin=False)[0] == 403
