"""template.yaml as CloudFormation would see it: translated from SAM, then resolved for given parameters."""

import copy
import functools
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/app/0a1b2c3d-1111-4222-8333-444455556666",
    "AWS::StackName": "app",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def source() -> dict[str, Any]:
    """Return template.yaml as written, with intrinsic functions in their long form."""
    return copy.deepcopy(_source())


def translated() -> dict[str, Any]:
    """Return the template after the SAM transform, with code in a bucket as `sam package` leaves it."""
    return copy.deepcopy(_translated())


@functools.cache  # To read it takes a second, to translate it another.
def _source() -> dict[str, Any]:
    return yaml_parse((ROOT / "template.yaml").read_text())


@functools.cache
def _translated() -> dict[str, Any]:
    template = source()
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://bucket/layer.zip"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", PSEUDO["AWS::Region"])
        return transform(template, {}, _NoManagedPolicies())


class Stack:
    """A translated template under given parameters: what CloudFormation would make of it.

    A reference to a resource becomes `<LogicalId>`, an attribute of it `<LogicalId.Attribute>`.
    A reference to something that is not there (say, a resource whose condition is false) raises `KeyError`.
    """

    def __init__(
        self, template: dict[str, Any], parameters: dict[str, str], pseudo: dict[str, str] | None = None
    ) -> None:
        unknown = parameters.keys() - template["Parameters"].keys()
        if unknown:
            raise KeyError(f"no such parameters: {sorted(unknown)}")
        self._template = copy.deepcopy(template)
        defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
        self._values = PSEUDO | (pseudo or {}) | defaults | parameters
        self._present = {
            logical_id
            for logical_id, resource in template["Resources"].items()
            if "Condition" not in resource or self._condition(resource["Condition"])
        }
        self.resources: dict[str, dict[str, Any]] = {
            logical_id: self._resolve(self._template["Resources"][logical_id]) for logical_id in sorted(self._present)
        }
        self.outputs: dict[str, Any] = {
            name: self._resolve(output)
            for name, output in self._template["Outputs"].items()
            if "Condition" not in output or self._condition(output["Condition"])
        }

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of a type, by logical id."""
        return {
            logical_id: resource["Properties"]
            for logical_id, resource in self.resources.items()
            if resource["Type"] == resource_type
        }

    def properties(self, logical_id: str) -> dict[str, Any]:
        """Return the properties of one resource."""
        return self.resources[logical_id]["Properties"]

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of all policies of a role, with actions and resources as lists."""
        return [
            statement | {"Action": _listed(statement["Action"]), "Resource": _listed(statement["Resource"])}
            for policy in self.properties(role)["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def broken_rules(self) -> set[str]:
        """Return the names of the rules that these parameters break."""
        return {
            name
            for name, rule in self._template["Rules"].items()
            if self._resolve(rule.get("RuleCondition", True))
            and not all(self._resolve(assertion["Assert"]) for assertion in rule["Assertions"])
        }

    def _condition(self, name: str) -> bool:
        return self._resolve(self._template["Conditions"][name])

    def _reference(self, name: str, attribute: str = "") -> Any:
        if not attribute and name == "AWS::NoValue":
            return NO_VALUE
        if not attribute and name in self._values:
            return self._values[name]
        if name not in self._present:
            raise KeyError(f"reference to {name}, which is not there")
        return f"<{name}{attribute and '.'}{attribute}>"

    def _substitute(self, text: str, own: dict[str, Any]) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] in own:
                return str(own[match[1]])
            name, _, attribute = match[1].partition(".")
            return str(self._reference(name, attribute))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) != 1:
            return self._members(value)
        ((function, argument),) = value.items()
        match function:
            case "Ref":
                return self._reference(argument)
            case "Condition" if isinstance(argument, str):
                return self._condition(argument)
            case "Fn::GetAtt":
                name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._reference(name, attribute)
            case "Fn::Sub":
                text, own = (argument, {}) if isinstance(argument, str) else argument
                return self._substitute(text, {name: self._resolve(value) for name, value in own.items()})
            case "Fn::If":
                condition, yes, no = argument
                return self._resolve(yes if self._condition(condition) else no)
            case "Fn::Split":
                separator, text = argument
                return self._resolve(text).split(separator)
            case "Fn::Select":
                index, choices = argument
                return self._resolve(choices)[int(index)]
            case "Fn::Equals":
                left, right = map(self._resolve, argument)
                return left == right
            case "Fn::Not":
                return not self._resolve(argument[0])
            case "Fn::And":
                return all(map(self._resolve, argument))
            case "Fn::Or":
                return any(map(self._resolve, argument))
            case _ if function.startswith("Fn::"):
                raise NotImplementedError(function)
        return self._members(value)

    def _members(self, value: dict[str, Any]) -> dict[str, Any]:
        resolved = ((name, self._resolve(member)) for name, member in value.items())
        return {name: member for name, member in resolved if member is not NO_VALUE}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
