"""What an update of the running stack with other parameters changes, and whether that can be done while it runs.

Both states of the stack are resolved from the template, so that an update gives what a deployment would. Functions get
their variables, and the HTTP API its routes. A resource that the stack would lose is left where the template says so,
as the key is when another one is given. Whatever else would change is refused: a start with the parameters does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.errors import LocalStackError

_FUNCTION: Final = "AWS::Lambda::Function"
_CHANGEABLE: Final = {"Environment", "MemorySize", "Timeout"}
_NOT_ENFORCED: Final = ("AWS::IAM::", "AWS::Logs::", "AWS::Lambda::Permission")
"""What plays no part here, and so may change."""

_KEPT: Final = ("Retain", "RetainExceptOnCreate")
_NAMES_ONLY: Final = "AWS::KMS::Alias"


@dataclass(frozen=True)
class Resource:
    """A resource that a stack has: its type and its properties, resolved."""

    type: str
    properties: Mapping[str, Any]
    deletion_policy: str = "Delete"


@dataclass(frozen=True)
class Changes:
    """What is to be done: functions that get new settings, and aliases that go."""

    functions: tuple[str, ...]
    aliases: tuple[str, ...]


def changes(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Changes:
    """Return what an update does, from the resources by logical id before and after it.

    Raise `LocalStackError` that names what would change and cannot.
    """
    functions, aliases, refused = [], [], []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new or (old or after[name]).type.startswith(_NOT_ENFORCED):
            continue
        if new is None and old is not None and (old.deletion_policy in _KEPT or old.type == _NAMES_ONLY):
            aliases += [name] if old.type == _NAMES_ONLY else []
        elif old and new and new.type == _FUNCTION and _differing(old, new) <= _CHANGEABLE:
            functions.append(name)
        else:
            refused.append(name)
    if refused:
        raise LocalStackError(
            f"that would change {', '.join(refused)}, which the local stack cannot while it runs; give the parameters "
            "to `up` instead"
        )
    return Changes(tuple(functions), tuple(aliases))


def _differing(old: Resource, new: Resource) -> set[str]:
    return {name for name in {*old.properties, *new.properties} if old.properties.get(name) != new.properties.get(name)}
