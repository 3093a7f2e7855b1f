"""Lambda's event filter patterns.

A pattern is a JSON object that mirrors the record; its leaves are lists of alternatives:

    {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"userId": {"S": [{"prefix": "team-"}]}}}}

The rules are those of "Lambda event filtering" in the AWS Lambda Developer Guide. Numeric operators compare
JSON numbers only, so they never match DynamoDB's numbers, which arrive as strings: Lambda does the same.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Pattern = Mapping[str, Any]

_MISSING = object()
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class InvalidPatternError(ValueError):
    """A filter pattern that Lambda would refuse."""


def patterns_of(filter_criteria: Mapping[str, Any] | None) -> list[Pattern]:
    """Return the patterns in a mapping's FilterCriteria; none means that all records pass."""
    patterns = [json.loads(entry["Pattern"]) for entry in (filter_criteria or {}).get("Filters", [])]
    for pattern in patterns:
        if not isinstance(pattern, dict):
            raise InvalidPatternError(f"a filter pattern is a JSON object, not {pattern!r}")
    return patterns


def passes(patterns: Sequence[Pattern], record: Mapping[str, Any]) -> bool:
    """Tell whether a record matches at least one of the patterns, or there are none."""
    return not patterns or any(matches(pattern, record) for pattern in patterns)


def matches(pattern: Pattern, value: Any) -> bool:
    """Tell whether every key of the pattern is satisfied by the value, a JSON object or a list of them."""
    if isinstance(value, list):
        return any(matches(pattern, element) for element in value)
    fields = value if isinstance(value, Mapping) else {}
    return all(_key_matches(key, rule, fields) for key, rule in pattern.items())


def _key_matches(key: str, rule: Any, fields: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(matches(alternative, fields) for alternative in rule)
    if isinstance(rule, Mapping):
        return matches(rule, fields.get(key))
    if isinstance(rule, list):
        return any(_leaf_matches(alternative, fields.get(key, _MISSING)) for alternative in rule)
    raise InvalidPatternError(f"{key!r} must map to an object or a list of alternatives")


def _leaf_matches(alternative: Any, value: Any) -> bool:
    if isinstance(alternative, Mapping):
        if len(alternative) != 1:
            raise InvalidPatternError(f"one operator at a time: {dict(alternative)!r}")
        operator, operand = next(iter(alternative.items()))
        if operator == "exists":
            is_leaf = value is not _MISSING and not isinstance(value, Mapping)
            return is_leaf is bool(operand)
        return any(_operator_matches(operator, operand, element) for element in _elements(value))
    return any(_equal(alternative, element) for element in _elements(value))


def _elements(value: Any) -> Iterable[Any]:
    if value is _MISSING or isinstance(value, Mapping):
        return ()
    return value if isinstance(value, list) else (value,)


def _operator_matches(operator: str, operand: Any, value: Any) -> bool:
    match operator:
        case "prefix":
            return isinstance(value, str) and value.startswith(operand)
        case "suffix":
            return isinstance(value, str) and value.endswith(operand)
        case "equals-ignore-case":
            return isinstance(value, str) and value.lower() == operand.lower()
        case "anything-but":
            unwanted = operand if isinstance(operand, list) else [operand]
            return not any(_leaf_matches(alternative, value) for alternative in unwanted)
        case "numeric":
            if not _is_number(value):
                return False
            return all(
                _COMPARISONS[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True)
            )
    raise InvalidPatternError(f"unknown filter operator {operator!r}")


def _equal(expected: Any, value: Any) -> bool:
    if _is_number(expected) and _is_number(value):
        return bool(expected == value)
    return type(expected) is type(value) and bool(expected == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
