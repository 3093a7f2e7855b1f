"""The template's Rules, checked as CloudFormation does before it makes anything."""

import re
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.errors import TemplateError
from local.template_rules import check_rules, condition_holds
from tests.unit.sam_template import ROOT, Stack, source, translated

ORDERS = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-02T08:30:00.000"


def check(assertion: str, **values: str) -> None:
    """Check one assertion, in YAML, over parameters; those named `List…` are comma-delimited lists."""
    parameters = {name: {"Type": "CommaDelimitedList" if name.startswith("List") else "String"} for name in values}
    rule = {"Assertions": [{"Assert": yaml_parse(assertion), "AssertDescription": "It does not hold."}]}
    check_rules({"Parameters": parameters, "Rules": {"Rule": rule}}, values)


HOLDS = [
    ("!Equals [!Ref A, '1']", "!Equals [!Ref A, '2']"),
    ("!Equals [!Ref A, 1]", "!Equals [!Ref A, 2]"),
    ("!Not [!Equals [!Ref A, '2']]", "!Not [!Equals [!Ref A, '1']]"),
    ("!And [!Equals [!Ref A, '1'], !Equals [!Ref B, x]]", "!And [!Equals [!Ref A, '1'], !Equals [!Ref B, y]]"),
    ("!Or [!Equals [!Ref A, '2'], !Equals [!Ref B, x]]", "!Or [!Equals [!Ref A, '2'], !Equals [!Ref B, y]]"),
    ("{'Fn::Contains': [[x, y], !Ref B]}", "{'Fn::Contains': [[y, z], !Ref B]}"),
    ("{'Fn::Contains': [!Ref ListC, q]}", "{'Fn::Contains': [!Ref ListC, r]}"),
    ("{'Fn::EachMemberEquals': [[x, x], !Ref B]}", "{'Fn::EachMemberEquals': [[x, y], !Ref B]}"),
    ("{'Fn::EachMemberIn': [!Ref ListC, [p, q, r]]}", "{'Fn::EachMemberIn': [!Ref ListC, [p, r]]}"),
]


@pytest.mark.parametrize(("holds", "does_not"), HOLDS)
def test_each_function_holds_and_does_not(holds: str, does_not: str):
    values = {"A": "1", "B": "x", "ListC": "p,q"}
    check(holds, **values)
    with pytest.raises(TemplateError, match=r"^It does not hold\.$"):
        check(does_not, **values)


def test_a_rule_whose_condition_is_false_asserts_nothing():
    rule = {"RuleCondition": {"Fn::Equals": ["a", "b"]}, "Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}
    check_rules({"Rules": {"Rule": rule}}, {})
    with pytest.raises(TemplateError, match="the rule Rule does not hold"):
        check_rules({"Rules": {"Rule": rule | {"RuleCondition": {"Fn::Equals": ["a", "a"]}}}}, {})


@pytest.mark.parametrize("assertion", ["{'Fn::ValueOf': [A, B]}", "!Ref Nothing", "!Ref A", "{'Fn::Not': []}"])
def test_what_cannot_be_evaluated_is_never_taken_for_true(assertion: str):
    with pytest.raises(TemplateError, match="the rule Rule"):
        check(assertion, A="1")


PARAMETERS: list[dict[str, str]] = [
    {},
    {"TableName": "orders"},
    {"TableStreamArn": ORDERS},
    {"TableName": "orders", "TableStreamArn": ORDERS, "UserIndexName": "byCustomer"},
    {"UserIndexName": "byCustomer"},
    {"JwtIssuer": "https://issuer.example"},
    {"JwtAudience": "app"},
    {"JwtIssuer": "https://issuer.example", "JwtAudience": "app", "AdminClientId": "app"},
    {"AdminClientId": "app"},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda parameters: "+".join(parameters) or "none")
def test_the_templates_own_rules_are_judged_as_the_tests_judge_them(parameters: dict[str, str]):
    template: dict[str, Any] = source()
    values = {name: str(slot["Default"]) for name, slot in template["Parameters"].items()} | parameters
    broken = Stack(translated(), parameters).broken_rules()
    if not broken:
        check_rules(template, values)
        return
    descriptions = {
        assertion["AssertDescription"].strip() for name in broken for assertion in template["Rules"][name]["Assertions"]
    }
    with pytest.raises(TemplateError) as refused:
        check_rules(template, values)
    assert str(refused.value) in descriptions


def test_no_rule_uses_what_is_not_evaluated():
    rules = (ROOT / "template.yaml").read_text().partition("\nRules:")[2].partition("\nConditions:")[0]
    assert set(re.findall(r"!(\w+)", rules)) == {"Equals", "Not", "And", "Or", "Ref"}


CONDITIONS: list[dict[str, str]] = [*PARAMETERS, {"KeyringType": "hierarchical", "Architecture": "arm64"}]


@pytest.mark.parametrize("parameters", CONDITIONS, ids=lambda parameters: "+".join(parameters) or "none")
def test_conditions_hold_where_cloudformation_would_make_what_rests_on_them(parameters: dict[str, str]) -> None:
    template, as_translated = source(), translated()  # Whose layers have names of SAM's own.
    values = {name: str(slot["Default"]) for name, slot in template["Parameters"].items()} | parameters
    conditions = {
        name: one["Condition"]
        for name, one in template["Resources"].items()
        if "Condition" in one and name in as_translated["Resources"]
    }
    held = {name for name, condition in conditions.items() if condition_holds(template, condition, values)}
    assert held == conditions.keys() & Stack(as_translated, parameters).resources.keys()


def test_given_no_such_condition_then_it_is_never_taken_for_true() -> None:
    with pytest.raises(TemplateError, match="the condition Nowhere"):
        condition_holds({}, "Nowhere", {})
