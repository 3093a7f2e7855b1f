"""Two stacks in one account and Region do not collide: whatever has a name of its own has it from its stack."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.unit.sam_template import PSEUDO, ROOT, Stack, translated

NAMING: Final = {
    "AWS::ApiGatewayV2::Api": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
}
"""The property that names a resource of a type. Where it is left out, CloudFormation makes up a name."""

UNNAMED: Final = {
    "AWS::ApiGatewayV2::Authorizer",  # Its name is its API's own.
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",  # Its name is its API's own.
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::SQS::QueuePolicy",
}

PARAMETERS: Final[list[dict[str, str]]] = [
    {},
    {"TableName": "orders", "TableStreamArn": "arn", "KmsKeyArn": "key"},
    {"JwtIssuer": "https://issuer.example", "JwtAudience": "app", "AdminClientId": "app"},
    {"Architecture": "arm64", "KeyringType": "hierarchical"},
    {"Architecture": "x86_64", "KeyringType": "hierarchical"},
]

IDS: Final = ["own table", "given table and key", "with users", "branch keys on Arm", "branch keys on x86"]


def stack_of(name: str, number: int, parameters: dict[str, str]) -> Stack:
    stack_id = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/{number:08x}-1111-4222-8333-444455556666"
    return Stack(translated(), parameters, PSEUDO | {"AWS::StackName": name, "AWS::StackId": stack_id})


def names(stack: Stack) -> Iterator[tuple[str, str]]:
    for resource in stack.resources.values():
        kind = resource["Type"]
        if kind in NAMING and NAMING[kind] in resource.get("Properties", {}):
            yield kind, resource["Properties"][NAMING[kind]]


def is_left(resource: dict[str, Any]) -> bool:
    """Tell whether a resource stays when its stack is deleted."""
    return str(resource.get("DeletionPolicy")) in ("Retain", "RetainExceptOnCreate")


@pytest.mark.parametrize("parameters", PARAMETERS, ids=IDS)
def test_no_name_is_given_twice(parameters: dict[str, str]):
    first, second = set(names(stack_of("one", 1, parameters))), set(names(stack_of("two", 2, parameters)))
    assert first
    assert first & second == set()


def test_a_stack_that_is_made_anew_keeps_the_names_that_go_with_it_only():
    """Queues and log groups of the first may still be there: they are named by the stack's id."""
    first, anew = dict.fromkeys(names(stack_of("one", 1, {}))), dict.fromkeys(names(stack_of("one", 2, {})))
    kept = {kind for kind, _ in first.keys() & anew.keys()}
    assert kept.isdisjoint({"AWS::SQS::Queue", "AWS::Logs::LogGroup"})


@pytest.mark.parametrize("parameters", PARAMETERS, ids=IDS)
def test_a_stack_that_is_made_anew_gives_nothing_the_name_of_what_the_first_one_left(parameters: dict[str, str]):
    first, anew = stack_of("one", 1, parameters), stack_of("one", 2, parameters)
    first.resources = {name: one for name, one in first.resources.items() if is_left(one)}
    assert set(names(first)) & set(names(anew)) == set()


def test_every_type_is_known_to_have_a_name_or_none():
    types = {r["Type"] for parameters in PARAMETERS for r in stack_of("one", 1, parameters).resources.values()}
    assert types - NAMING.keys() == UNNAMED


def test_metrics_and_alarms_are_told_apart_by_the_stack():
    for stack in (stack_of("one", 1, {}), stack_of("two", 2, {})):
        own = [
            alarm
            for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
            if alarm.get("Namespace") == "StreamEncryptor"
        ]
        names_of_services = {value["Value"] for alarm in own for value in alarm["Dimensions"]}
        assert len(names_of_services) == 1
        assert names_of_services == {variables(stack)["POWERTOOLS_SERVICE_NAME"]}


def variables(stack: Stack) -> dict[str, Any]:
    function = stack.properties("StreamEncryptorFunction")
    return dict(function["Environment"]["Variables"])


def test_two_stacks_may_share_a_key_and_neither_makes_one():
    for stack in (stack_of("one", 1, {"KmsKeyArn": "key"}), stack_of("two", 2, {"KmsKeyArn": "key"})):
        assert not stack.of_type("AWS::KMS::Key")
        assert variables(stack)["SESSION_ENCRYPTION_KEY_ARN"] == "key"


def test_deploying_counts_what_a_stack_takes_of_the_accounts_quotas():
    kinds = (
        ("AWS::Lambda::Function", "functions"),
        ("AWS::IAM::Role", "roles"),
        ("AWS::Logs::LogGroup", "log groups"),
        ("AWS::CloudWatch::Alarm", "alarms"),
        ("AWS::Lambda::EventSourceMapping", "event source mappings"),
    )
    least, most = (
        [len(stack_of("one", 1, p).of_type(kind)) for kind, _ in kinds] for p in (PARAMETERS[1], PARAMETERS[2])
    )
    *first, last = [f"{number} {words}" for number, (_, words) in zip(least, kinds, strict=True)]
    *others, fourth = most
    told = f"A stack has {', '.join(first)} and {last} (with an admin page {', '.join(map(str, others))} and {fourth})."
    assert told in " ".join((ROOT / "docs/deploying.md").read_text().split())
