"""The admin page in template.yaml: when it is there, what is open with it, and that its function may do nothing."""

import json
import re

import pytest

from tests.unit.sam_template import Stack, source, translated

TEMPLATE = translated()
GIVEN = {"JwtIssuer": "https://issuer.example/pool", "JwtAudience": "web,page", "AdminClientId": "page"}
WITHOUT = Stack(TEMPLATE, {name: value for name, value in GIVEN.items() if name != "AdminClientId"})
WITH = Stack(TEMPLATE, GIVEN)
OPEN = {"GET /admin", "GET /admin/config.json", "GET /admin/assets/{file}"}
PARAMETERS = source()["Parameters"]


def accepts(parameter: str, value: str) -> bool:
    return re.fullmatch(PARAMETERS[parameter]["AllowedPattern"], value) is not None


@pytest.mark.parametrize("given", [{}, {"AdminClientId": "page"}], ids=["nothing", "no issuer"])
def test_no_page_without_an_issuer(given):
    made = Stack(TEMPLATE, given)
    assert not [name for name in (*made.resources, *made.outputs) if name.startswith("AdminPage")]


def test_no_page_without_a_client():
    assert not [name for name in (*WITHOUT.resources, *WITHOUT.outputs) if name.startswith("AdminPage")]
    assert {route["AuthorizationType"] for route in WITHOUT.of_type("AWS::ApiGatewayV2::Route").values()} == {"JWT"}


def test_exactly_its_three_routes_are_open_and_none_is_greedy():
    routes = WITH.of_type("AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes if route["AuthorizationType"] != "JWT"} == OPEN
    of_page = {route["RouteKey"]: route for route in routes if "AdminPage" in route["Target"]}
    assert of_page.keys() == OPEN
    for route in of_page.values():
        assert (route["AuthorizationType"], "AuthorizerId" in route) == ("NONE", False)
    assert not [route for route in routes if "+}" in route["RouteKey"] or "$default" in route["RouteKey"]]


def test_the_page_adds_to_the_stack_and_changes_nothing_else():
    kept = {name: resource for name, resource in WITH.resources.items() if not name.startswith("AdminPage")}
    before = dict(WITHOUT.resources)
    assert kept.pop("Dashboard") != before.pop("Dashboard")
    assert kept == before


def test_the_function_may_write_its_log_and_nothing_else():
    (statement,) = WITH.statements("AdminPageRole")
    assert statement == {
        "Sid": "Log",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": ["<AdminPageLogGroup.Arn>"],
    }
    role = WITH.properties("AdminPageRole")
    assert "ManagedPolicyArns" not in role
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_the_function_gets_exactly_what_it_reads_and_no_layer():
    function = WITH.properties("AdminPageFunction")
    assert function["Handler"] == "admin_page.handler.lambda_handler"
    assert function["Role"] == "<AdminPageRole.Arn>"
    assert not function.get("Layers")
    assert function["Environment"]["Variables"] == {
        "JWT_ISSUER": "https://issuer.example/pool",
        "ADMIN_CLIENT_ID": "page",
        "ADMIN_GROUP": "admin",
        "SIGN_IN_ORIGINS": "",
        "SIGN_IN_SCOPES": "openid",
        "OIDC_METADATA_URL": "",
        "STACK_NAME": "app",
    }
    sibling = WITH.properties("AdminFunction")
    assert [function[name] for name in ("Runtime", "Architectures", "Code")] == [
        sibling[name] for name in ("Runtime", "Architectures", "Code")
    ]


@pytest.mark.parametrize(
    ("parameter", "value", "variable"),
    [
        ("SignInOrigins", "https://login.example", "SIGN_IN_ORIGINS"),
        ("SignInScopes", "openid email", "SIGN_IN_SCOPES"),
        ("OidcMetadataUrl", "https://login.example/meta", "OIDC_METADATA_URL"),
        ("AdminGroup", "operators", "ADMIN_GROUP"),
    ],
)
def test_parameter_reaches_the_function(parameter, value, variable):
    made = Stack(TEMPLATE, GIVEN | {parameter: value})
    assert made.properties("AdminPageFunction")["Environment"]["Variables"][variable] == value


def test_only_gets_of_this_api_call_the_function():
    (permission,) = [
        each
        for each in WITH.of_type("AWS::Lambda::Permission").values()
        if each["FunctionName"] == "<AdminPageFunction>"
    ]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceAccount"] == "111122223333"
    assert permission["SourceArn"] == "arn:aws:execute-api:eu-west-1:111122223333:<HttpApi>/*/GET/admin*"


def test_it_answers_before_the_api_gives_up():
    integration = WITH.properties("AdminPageIntegration")
    assert integration["IntegrationUri"] == "<AdminPageFunction.Arn>"
    assert integration["PayloadFormatVersion"] == "2.0"
    assert WITH.properties("AdminPageFunction")["Timeout"] * 1000 < integration["TimeoutInMillis"] <= 30000


def test_it_logs_json_into_a_group_of_its_own():
    assert WITH.properties("AdminPageFunction")["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": "<AdminPageLogGroup>",
    }
    group = WITH.resources["AdminPageLogGroup"]
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert group["Properties"]["LogGroupName"] == f"{WITH.outputs['LogGroupPrefix']['Value']}-admin-page"


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_errors_and_throttles_raise_an_alarm_like_any_functions(metric):
    topic = "arn:aws:sns:eu-west-1:111122223333:alarms"
    made = Stack(TEMPLATE, GIVEN | {"AlarmTopicArn": topic})
    alarm, sibling = (dict(made.properties(f"{name}{metric}Alarm")) for name in ("AdminPage", "Admin"))
    assert alarm.pop("Dimensions") == [{"Name": "FunctionName", "Value": "<AdminPageFunction>"}]
    assert alarm.pop("AlarmDescription") != sibling.pop("AlarmDescription")
    del sibling["Dimensions"]
    assert alarm == sibling


@pytest.mark.parametrize(("made", "shown"), [(WITHOUT, 0), (WITH, 2)], ids=["without", "with"])
def test_dashboard_shows_it_where_it_is_there(made, shown):
    widgets = json.loads(made.properties("Dashboard")["DashboardBody"])["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    assert sum("<AdminPageFunction>" in metric for metric in metrics) == shown


def test_outputs_name_the_page_and_its_function():
    assert WITH.outputs["AdminPageUrl"]["Value"] == f"{WITH.outputs['ApiUrl']['Value']}/admin"
    assert WITH.outputs["AdminPageFunctionName"]["Value"] == "<AdminPageFunction>"


@pytest.mark.parametrize(
    ("given", "broken"),
    [
        ({}, set()),
        (GIVEN, set()),
        ({"AdminClientId": "page"}, {"AdminPageAndIssuer"}),
        ({"AdminClientId": "page", "JwtAudience": "page"}, {"AdminPageAndIssuer", "IssuerAndAudience"}),
        ({"AdminClientId": "page", "JwtIssuer": "https://issuer.example"}, {"IssuerAndAudience"}),
    ],
)
def test_a_client_is_given_with_an_issuer(given, broken):
    assert Stack(TEMPLATE, given).broken_rules() == broken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AdminClientId", "1h57kf5cpq17m0eml12EXAMPLE"),
        ("AdminClientId", "api://page"),
        ("SignInOrigins", "https://chat.auth.eu-west-1.amazoncognito.com"),
        ("SignInOrigins", "https://login.example:8443,http://127.0.0.1:5000"),
        ("SignInScopes", "openid profile email"),
        ("SignInScopes", "api://page/admin openid"),
        ("OidcMetadataUrl", "https://login.example/tenant/v2.0/.well-known/openid-configuration"),
        ("OidcMetadataUrl", "http://localhost:5000/meta"),
    ],
)
def test_good_value_is_accepted(name, value):
    assert accepts(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AdminClientId", "one,two"),
        ("AdminClientId", "one two"),
        ("SignInOrigins", "http://login.example"),
        ("SignInOrigins", "https://*.example"),
        ("SignInOrigins", "https://login.example/"),
        ("SignInOrigins", "https://login.example; script-src *"),
        ("SignInOrigins", "https://a.example, https://b.example"),
        ("SignInOrigins", "http://127.0.0.1.example"),
        ("SignInScopes", ""),
        ("SignInScopes", "email"),
        ("SignInScopes", "openid  email"),
        ("SignInScopes", "notopenid"),
        ("OidcMetadataUrl", "http://login.example/meta"),
        ("OidcMetadataUrl", "https://login.example"),
        ("OidcMetadataUrl", "https://login.example;x/meta"),
        ("OidcMetadataUrl", "https://login.example/meta?x=1"),
    ],
)
def test_bad_value_is_refused(name, value):
    assert not accepts(name, value)
