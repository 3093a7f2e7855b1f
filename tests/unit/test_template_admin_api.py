"""The administrators' commands in the template: routes with an issuer alone, and what the function may do for them."""

import json
from typing import Any

import pytest

from admin.commands import OPERATIONS
from admin.control import CALL_SECONDS
from admin.window import CALL_SECONDS as METRICS_SECONDS
from admin.window import METRIC
from local.openapi import api_document
from tests.unit.sam_template import Stack, translated

TEMPLATE = translated()
WITHOUT = Stack(TEMPLATE, {})
WITH = Stack(TEMPLATE, {"JwtIssuer": "https://issuer.example", "JwtAudience": "web"})
GATEWAY_SECONDS = 30
"""After which API Gateway ends a request ("Quotas for HTTP APIs")."""


def routes(stack: Stack) -> dict[str, dict[str, Any]]:
    made = stack.of_type("AWS::ApiGatewayV2::Route").values()
    return {route["RouteKey"]: route for route in made if "/admin/api/" in route["RouteKey"]}


def of_the_admin_api() -> set[str]:
    return {operation for operation in OPERATIONS if "/admin/api/" in operation}


def test_without_an_issuer_there_is_no_route_and_no_right_to_ask_or_to_read_metrics() -> None:
    assert routes(WITHOUT) == {}
    assert "AdminApiPermission" not in WITHOUT.resources
    assert "CONTROL_FUNCTION_NAME" not in WITHOUT.properties("AdminFunction")["Environment"]["Variables"]
    actions = {action for statement in WITHOUT.statements("AdminRole") for action in statement["Action"]}
    assert not any(action.startswith(("lambda:", "cloudwatch:")) for action in actions)


def test_with_an_issuer_each_route_asks_for_a_token_and_leads_to_the_admin_function() -> None:
    made = routes(WITH)
    assert made.keys() == of_the_admin_api()
    for route in made.values():
        assert (route["AuthorizationType"], route["AuthorizerId"]) == ("JWT", "<JwtAuthorizer>")
        assert route["Target"] == "integrations/<AdminIntegration>"
        assert "+}" not in route["RouteKey"]


def test_the_document_has_each_route_for_tokens_alone() -> None:
    paths = api_document()["paths"]
    documented = {
        f"{method.upper()} {path}": operation
        for path, operations in paths.items()
        if path.startswith("/admin/api/")
        for method, operation in operations.items()
    }
    assert documented.keys() == of_the_admin_api()
    assert all(operation["security"] == [{"token": []}] for operation in documented.values())


def test_the_admin_function_asks_the_control_function_and_no_other() -> None:
    statements = {each["Sid"]: each for each in WITH.statements("AdminRole")}
    invoking = [each for each in statements.values() if any("lambda:" in action for action in each["Action"])]
    assert [(each["Action"], each["Resource"]) for each in invoking] == [
        (["lambda:InvokeFunction"], ["<ControlFunction.Arn>"])
    ]
    assert statements["ReadMetrics"]["Action"] == ["cloudwatch:GetMetricData"]
    variables = WITH.properties("AdminFunction")["Environment"]["Variables"]
    assert variables["CONTROL_FUNCTION_NAME"] == "<ControlFunction>"
    naming = {name for name, one in WITH.resources.items() if "<ControlFunction.Arn>" in json.dumps(one)}
    assert naming == {"ScheduleRole", "CatchUpSchedule", "ReencryptSchedule", "AdminRole"}


def test_the_admin_function_still_reaches_neither_data_nor_keys() -> None:
    granted = {
        (action, resource)
        for statement in WITH.statements("AdminRole")
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert not any(action.startswith("kms:") for action, _ in granted)
    assert {resource for action, resource in granted if action.startswith("dynamodb:")} == {"<ControlTable.Arn>"}


def test_only_this_api_calls_the_function_for_them() -> None:
    permission = WITH.properties("AdminApiPermission")
    assert permission["FunctionName"] == "<AdminFunction>"
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceAccount"] == "111122223333"
    assert permission["SourceArn"] == "arn:aws:execute-api:eu-west-1:111122223333:<HttpApi>/*/*/admin/api/*"


@pytest.mark.parametrize("seconds", [CALL_SECONDS, METRICS_SECONDS])
def test_a_call_takes_20_seconds_at_most_which_leaves_a_cold_start_before_the_gateway_ends_it(seconds: float) -> None:
    assert seconds <= 20
    timeout = WITH.properties("AdminFunction")["Timeout"]
    assert seconds < timeout - 5
    assert timeout < GATEWAY_SECONDS


def test_the_metric_that_is_read_is_the_one_that_the_alarm_watches() -> None:
    metrics = WITH.properties("PlaintextWindowAlarm")["Metrics"]
    (watched,) = [metric["MetricStat"]["Metric"] for metric in metrics if "MetricStat" in metric]
    assert watched == {
        "Namespace": "StreamEncryptor",
        "MetricName": METRIC,
        "Dimensions": [{"Name": "service", "Value": "app"}],
    }
