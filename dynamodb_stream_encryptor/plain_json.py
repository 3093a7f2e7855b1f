"""An item in DynamoDB JSON as plain JSON for people. Numbers keep every digit; sets become arrays."""

import json
from collections.abc import Mapping
from typing import Any, Final

from dynamodb_stream_encryptor.output import printable

_STEP: Final = "  "


def plain_json(item: Mapping[str, Any]) -> str:
    """Return the JSON text of an item, indented; binary is base64 text.

    Raises:
        ValueError: something in it is no DynamoDB value.
    """
    return _object(item, "")


def _value(value: Any, indent: str) -> str:
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError("not a DynamoDB value")
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B":
            return _text(content)
        case "N":
            return str(content)
        case "BOOL":
            return "true" if content else "false"
        case "NULL":
            return "null"
        case "M":
            return _object(content, indent)
        case "L":
            return _array([_value(member, indent + _STEP) for member in content], indent)
        case "SS" | "BS" | "NS":
            return _array([_value({kind[0]: member}, indent) for member in content], indent)
        case _:
            raise ValueError("not a DynamoDB value")


def _object(content: Mapping[str, Any], indent: str) -> str:
    inner = indent + _STEP
    return _bracketed("{}", [f"{_text(name)}: {_value(value, inner)}" for name, value in content.items()], indent)


def _array(members: list[str], indent: str) -> str:
    return _bracketed("[]", members, indent)


def _bracketed(brackets: str, members: list[str], indent: str) -> str:
    if not members:
        return brackets
    lines = ",\n".join(f"{indent}{_STEP}{member}" for member in members)
    return f"{brackets[0]}\n{lines}\n{indent}{brackets[1]}"


def _text(text: str) -> str:
    return printable(json.dumps(text, ensure_ascii=False))
