"""The template's `Rules`: assertions on its parameters, which CloudFormation checks before it makes anything.

moto does not. Evaluated are the functions that rules may use, but for those that look into an account (`Fn::RefAll`,
`Fn::ValueOf`, `Fn::ValueOfAll`); see "Rule-specific intrinsic functions" in CloudFormation's guide.
"""

from collections.abc import Mapping
from typing import Any, Final

from local.errors import TemplateError

_BOOLEANS: Final = {"true": True, "false": False}


def check_rules(template: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Check a template's rules for values of all its parameters.

    Raise `TemplateError` with the description of the first assertion that does not hold.
    """
    lists = {
        name
        for name, slot in (template.get("Parameters") or {}).items()
        if str(slot.get("Type")).startswith(("List<", "CommaDelimitedList"))
    }
    known: dict[str, Any] = {name: value.split(",") if name in lists else value for name, value in values.items()}
    for name, rule in (template.get("Rules") or {}).items():
        if not _true(rule.get("RuleCondition", True), known, name):
            continue
        for assertion in rule.get("Assertions", ()):
            if not _true(assertion["Assert"], known, name):
                raise TemplateError(str(assertion.get("AssertDescription", f"the rule {name} does not hold")).strip())


def _true(node: Any, known: Mapping[str, Any], rule: str) -> bool:
    value = _value(node, known, rule)
    if isinstance(value, str):
        value = _BOOLEANS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise TemplateError(f"the rule {rule} compares nothing where it has to")
    return value


def _value(node: Any, known: Mapping[str, Any], rule: str) -> Any:
    if isinstance(node, list):
        return [_value(element, known, rule) for element in node]
    if not isinstance(node, dict):
        return node
    ((function, arguments),) = node.items() if len(node) == 1 else ((str(sorted(node)), None),)
    match function, arguments:
        case "Ref", str(name) if name in known:
            return known[name]
        case "Fn::Equals", [left, right]:
            return _text(_value(left, known, rule)) == _text(_value(right, known, rule))
        case "Fn::Not", [one]:
            return not _true(one, known, rule)
        case "Fn::And", [*several]:
            return all(_true(one, known, rule) for one in several)
        case "Fn::Or", [*several]:
            return any(_true(one, known, rule) for one in several)
        case "Fn::Contains", [members, one]:
            return _text(_value(one, known, rule)) in _texts(_value(members, known, rule))
        case "Fn::EachMemberEquals", [members, one]:
            return all(member == _text(_value(one, known, rule)) for member in _texts(_value(members, known, rule)))
        case "Fn::EachMemberIn", [members, allowed]:
            return set(_texts(_value(members, known, rule))) <= set(_texts(_value(allowed, known, rule)))
    raise TemplateError(f"the rule {rule} uses {function}, which cannot be evaluated here")


def _text(value: Any) -> Any:
    """Return a value as CloudFormation compares it: parameters are text, whatever YAML makes of a literal."""
    if isinstance(value, bool):
        return str(value).lower()
    return _texts(value) if isinstance(value, list) else str(value)


def _texts(value: Any) -> list[Any]:
    return [_text(element) for element in (value if isinstance(value, list) else [value])]
