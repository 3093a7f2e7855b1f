"""Who reads and writes a table, by CloudTrail's data events; and which of them would break. Pure.

CloudTrail records the caller, its client and the item's key of each request, and no value. Where an event has an
expression, the attributes in it are looked at; where it has none, what cannot be seen is asked of the people behind the
caller (Developer Guide, "Understanding DynamoDB log file entries").
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

READS: Final = frozenset(
    {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "GetRecords", "ExportTableToPointInTime"}
)
WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
STATEMENTS: Final = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})  # PartiQL

MOST_CALLERS: Final = 500
"""Callers that are told apart; what further ones do is counted together."""

_CONDITIONS: Final = ("conditionExpression", "filterExpression", "projectionExpression", "keyConditionExpression")
_UPDATE: Final = "updateExpression"
_VERSION: Final = re.compile(r"[/#][\w.+-]+")
_APPLICATION: Final = re.compile(r"\bapp/([\w.-]+)")
_NAME: Final = re.compile(r"#?[A-Za-z_][\w-]*")


@dataclass
class Caller:
    """Somebody who uses the table.

    Attributes:
        principal: the ARN of the role or user.
        client: what its client calls itself, without version numbers.
        operations: how many requests of which kind.
        warnings: what of its expressions would break, in sentences.
        unseen_updates: how many of its updates have no expression in the trail.
        first: time of its first request.
        last: time of its last one.
    """

    principal: str
    client: str
    operations: Counter[str] = field(default_factory=Counter)
    warnings: set[str] = field(default_factory=set)
    unseen_updates: int = 0
    first: str = ""
    last: str = ""

    @property
    def breaks(self) -> list[str]:
        """What of it would break or lose data, in sentences."""
        found = list[str]()
        if reads := self._of(READS):
            found.append(f"reads the table itself ({reads}): it gets ciphertext, and has to move to the drop-in")
        if statements := self._of(STATEMENTS):
            found.append(f"uses PartiQL ({statements}), of which CloudTrail tells no attribute: look at its statements")
        found += sorted(self.warnings)
        if self.unseen_updates:
            found.append(
                f"updates items in ways that are not told ({self.unseen_updates:,}): see that it does not append to, "
                "count in or set parts of a chosen attribute"
            )
        return found

    def _of(self, operations: Collection[str]) -> str:
        return ", ".join(f"{name} {count:,}" for name, count in self.operations.most_common() if name in operations)

    def as_json(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {
            "principal": self.principal,
            "client": self.client,
            "operations": dict(self.operations.most_common()),
            "first": self.first,
            "last": self.last,
            "breaks": self.breaks,
        }


class Trail:
    """Counts events of one table.

    Args:
        table: the table's name.
        attributes: those that are to be encrypted.

    Attributes:
        events: how many were of the table.
        others: how many were of something else.
        further: how many were by callers that are not told apart.
    """

    def __init__(self, table: str, attributes: Collection[str]) -> None:
        self._table = table
        self._attributes = frozenset(attributes)
        self._callers: dict[tuple[str, str], Caller] = {}
        self.events = self.others = self.further = 0

    def add(self, event: Any) -> None:
        """Count an event; whatever is none of the table's counts as of something else."""
        if not (isinstance(event, dict) and _names_table(event, self._table)):
            self.others += 1
            return
        self.events += 1
        identity, client = _principal(event), _client(event)
        caller = self._callers.get((identity, client))
        if caller is None:
            if len(self._callers) >= MOST_CALLERS:
                self.further += 1
                return
            caller = self._callers[identity, client] = Caller(identity, client)
        name, time = str(event.get("eventName") or "unknown"), str(event.get("eventTime") or "")
        caller.operations[name] += 1
        caller.first = min(caller.first or time, time)
        caller.last = max(caller.last, time)
        expressions = list(_expressions(event.get("requestParameters")))
        caller.unseen_updates += name == "UpdateItem" and not any(kind == _UPDATE for kind, _, _ in expressions)
        for kind, text, names in expressions:
            said = _of_update if kind == _UPDATE else _of_condition
            plain = _spelled_out(text, names)
            for attribute in self._attributes:
                caller.warnings.update(said(kind, plain, re.escape(attribute), attribute))

    @property
    def callers(self) -> list[Caller]:
        """Those who use the table, the busiest first."""
        return sorted(self._callers.values(), key=lambda caller: (-caller.operations.total(), caller.principal))


def _names_table(event: Mapping[str, Any], table: str) -> bool:
    if event.get("eventSource") != "dynamodb.amazonaws.com":
        return False
    parameters = event.get("requestParameters")
    if isinstance(parameters, dict):
        name = str(parameters.get("tableName") or parameters.get("tableArn") or "")
        if name and name.rpartition("/")[2] == table:
            return True
        if isinstance(parameters.get("requestItems"), dict) and table in parameters["requestItems"]:
            return True
    resources = event.get("resources")
    arns = [str(one.get("ARN")) for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
    return any(arn.partition(":table/")[2].split("/")[0] == table for arn in arns)


def _principal(event: Mapping[str, Any]) -> str:
    """Return the ARN of the role behind a session, else of the user; or the service that asks."""
    match event.get("userIdentity"):
        case {"sessionContext": {"sessionIssuer": {"arn": str(arn)}}} if arn:
            return arn
        case {**members}:
            return str(members.get("arn") or members.get("invokedBy") or members.get("type"))
    return "unknown"


def _client(event: Mapping[str, Any]) -> str:
    """Return the user agent's first word without its version, which a deployment changes, and the application's id."""
    agent = str(event.get("userAgent") or "unknown").strip("[]")
    application = _APPLICATION.search(agent)
    first = _VERSION.sub("", (agent.split() or ["unknown"])[0])
    return f"{first} ({application[1]})" if application else first


def _expressions(parameters: Any) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield the expressions in a request's parameters, at any depth, with the names that stand for others in them."""
    waiting, seen = [parameters], 0
    while waiting and seen < 1000:  # A batch has a hundred operations.
        part, seen = waiting.pop(), seen + 1
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            names = part.get("expressionAttributeNames")
            names = names if isinstance(names, dict) else {}
            kinds = (_UPDATE, *_CONDITIONS)
            yield from ((kind, str(part[kind]), names) for kind in kinds if isinstance(part.get(kind), str))
            waiting += [value for value in part.values() if isinstance(value, dict | list)]


def _spelled_out(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: str(names.get(match[0], match[0])), text)


def _of_condition(kind: str, text: str, pattern: str, name: str) -> Iterator[str]:
    if re.search(rf"(?<![\w.#:-]){pattern}(?![\w-])", text):
        yield f"names {name} in its {kind}: once encrypted, that attribute is absent"


def _of_update(_: str, text: str, pattern: str, name: str) -> Iterator[str]:
    """Yield what of an update would break; one that sets a whole attribute to a value breaks nothing."""
    text = re.sub(r"\b(set|remove|add|delete)\b", lambda match: match[0].upper(), text)
    own = rf"(?<![\w.#:-]){pattern}(?![\w-])"
    if re.search(rf"{own}\s*[.\[]", text):
        yield f"sets or reads a part of {name}: once encrypted, a validation error; it has to set the whole attribute"
    if re.search(rf"list_append\s*\([^)]*?if_not_exists\s*\(\s*{own}", text):
        yield f"appends to {name}: name it in --append, or what was there is lost"
    elif re.search(rf"list_append\s*\([^)]*{own}", text):
        yield f"appends to {name} without if_not_exists: once encrypted, a validation error"
    elif re.search(
        rf"if_not_exists\s*\(\s*{own}|{own}\s*[-+]|[-+]\s*{own}|\b(ADD|add|DELETE|delete)\s[^=]*{own}", text
    ):
        yield f"counts in or adds to {name}: it would start anew from nothing, and the value is lost"
    if re.search(rf"\bREMOVE\s[^=]*{own}", text):
        yield f"removes {name}: it has to remove encrypted_{name} as well"
