"""The template's `Rules` and `Conditions`, evaluated for values of its parameters.

Rules are assertions, which CloudFormation checks before it makes anything, and moto does not. Evaluated are the
functions that rules may use, but for those that look into an account (`Fn::RefAll`, `Fn::ValueOf`, `Fn::ValueOfAll`);
see "Rule-specific intrinsic functions" in CloudFormation's guide.
"""

from collections.abc import Mapping
from typing import Any, Final

from local.errors import TemplateError

_BOOLEANS: Final = {"true": True, "false": False}


def check_rules(template: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Check a template's rules for values of all its parameters.

    Raise `TemplateError` with the description of the first assertion that does not hold.
    """
    known = _known(template, values)
    for name, rule in (template.get("Rules") or {}).items():
        what = f"the rule {name}"
        if not _true(rule.get("RuleCondition", True), known, what):
            continue
        for assertion in rule.get("Assertions", ()):
            if not _true(assertion["Assert"], known, what):
                raise TemplateError(str(assertion.get("AssertDescription", f"{what} does not hold")).strip())


def condition_holds(template: Mapping[str, Any], name: str, values: Mapping[str, str]) -> bool:
    """Tell whether a template's condition holds for values of all its parameters.

    Raise `TemplateError` where there is none of that name, or it cannot be evaluated here.
    """
    conditions = template.get("Conditions") or {}
    return _true(_spelt_out({"Condition": name}, conditions), _known(template, values), f"the condition {name}")


def _spelt_out(node: Any, conditions: Mapping[str, Any]) -> Any:
    """Return ``node`` with what conditions say in the place of their names."""
    match node:
        case {"Condition": str(name)} if name in conditions:
            return _spelt_out(conditions[name], conditions)
        case dict():
            return {key: _spelt_out(value, conditions) for key, value in node.items()}
        case list():
            return [_spelt_out(element, conditions) for element in node]
    return node


def _known(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    lists = {
        name
        for name, slot in (template.get("Parameters") or {}).items()
        if str(slot.get("Type")).startswith(("List<", "CommaDelimitedList"))
    }
    return {name: value.split(",") if name in lists else value for name, value in values.items()}


def _true(node: Any, known: Mapping[str, Any], what: str) -> bool:
    value = _value(node, known, what)
    if isinstance(value, str):
        value = _BOOLEANS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise TemplateError(f"{what} compares nothing where it has to")
    return value


def _value(node: Any, known: Mapping[str, Any], what: str) -> Any:
    if isinstance(node, list):
        return [_value(element, known, what) for element in node]
    if not isinstance(node, dict):
        return node
    ((function, arguments),) = node.items() if len(node) == 1 else ((str(sorted(node)), None),)
    match function, arguments:
        case "Ref", str(name) if name in known:
            return known[name]
        case "Fn::Equals", [left, right]:
            return _text(_value(left, known, what)) == _text(_value(right, known, what))
        case "Fn::Not", [one]:
            return not _true(one, known, what)
        case "Fn::And", [*several]:
            return all(_true(one, known, what) for one in several)
        case "Fn::Or", [*several]:
            return any(_true(one, known, what) for one in several)
        case "Fn::Contains", [members, one]:
            return _text(_value(one, known, what)) in _texts(_value(members, known, what))
        case "Fn::EachMemberEquals", [members, one]:
            return all(member == _text(_value(one, known, what)) for member in _texts(_value(members, known, what)))
        case "Fn::EachMemberIn", [members, allowed]:
            return set(_texts(_value(members, known, what))) <= set(_texts(_value(allowed, known, what)))
    raise TemplateError(f"{what} uses {function}, which cannot be evaluated here")


def _text(value: Any) -> Any:
    """Return a value as CloudFormation compares it: parameters are text, whatever YAML makes of a literal."""
    if isinstance(value, bool):
        return str(value).lower()
    return _texts(value) if isinstance(value, list) else str(value)


def _texts(value: Any) -> list[Any]:
    return [_text(element) for element in (value if isinstance(value, list) else [value])]
