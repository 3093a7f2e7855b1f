"""A plain table and an encrypted one beside each other: whoever makes the same calls is to get the same answers."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import strategies as st

from item_crypto import (
    CallRefused,
    Encoding,
    EncryptedTable,
    Encryption,
    Keyrings,
    Policy,
    Reconciler,
    Role,
    Table,
    UnsupportedValue,
    Use,
    ValueCipher,
)
from item_crypto.core.codec import plain_number
from item_crypto.core.part import Buckets, ListedKeys, Part
from tests.strategies import values

POLICY: Final = Policy(
    attributes=("history", "secret", "trail"),
    appended=frozenset({"trail"}),
    context_attributes=("id", "at"),
    purpose="drop-in",
    enabled=True,
)
ONCE: Final = Config(retries={"total_max_attempts": 1})
_NUMBERS: Final = itertools.count()


def create(resource: Any, name: str) -> Any:
    """Create a table with a numeric sort key and two indexes, one of keys only."""
    return resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "kind", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": projection},
            }
            for index, projection in (("all", "ALL"), ("keys", "KEYS_ONLY"))
        ],
    )


@dataclass(frozen=True)
class Call:
    """A call of a Table's, or of the client behind it.

    Attributes:
        operation: its name.
        request: its arguments; ``{table}`` stands for the table's name.
        of_client: whether it is one of the client's.
        is_refused: whether the drop-in is to refuse it.
    """

    operation: str
    request: Mapping[str, Any]
    of_client: bool = False
    is_refused: bool = False


@dataclass(frozen=True)
class Raw:
    """A call of a writer that knows nothing of encryption, to both tables."""

    request: Mapping[str, Any]


@dataclass(frozen=True)
class Reconcile:
    """Somebody of the application reconciles every key."""

    role: Role


@dataclass(frozen=True)
class Switch:
    """Encryption is switched on, for all or for a part, or off; and ciphertexts are stored in some encoding."""

    enabled: bool
    part: Part | None = None
    encoding: Encoding = Encoding.BASE64


@dataclass
class Pair:
    """The two tables, empty.

    Attributes:
        uses: what the encrypted one's hook was told.
    """

    uses: list[Use] = field(default_factory=list)

    def __post_init__(self) -> None:
        resource = boto3.resource("dynamodb", config=ONCE)
        number = next(_NUMBERS)
        self.plain, self.stored = (create(resource, f"{kind}-{number}") for kind in ("plain", "sealed"))
        self.kms = boto3.client("kms")
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.cipher = ValueCipher(Keyrings(self.kms, self.key_arn))
        self.policy = POLICY
        self.sealed = self.table()
        dynamodb = boto3.client("dynamodb", config=ONCE)
        self.reconciler = Reconciler(Table(dynamodb, self.stored.name), self.cipher)

    def table(self, resource: Any = None) -> EncryptedTable:
        """Return another drop-in over the encrypted table."""
        encryption = Encryption(self.cipher, POLICY, lambda _: self.policy, self.uses.append)
        return EncryptedTable(resource or self.stored, encryption)

    def do(self, step: Call | Raw | Reconcile | Switch) -> None:
        """Do one step on both tables, and compare what comes of it."""
        match step:
            case Call():
                self._compare(step)
            case Raw(request):
                for table in (self.plain, self.stored):
                    answer(table, Call("update_item" if "Key" in request else "put_item", request))
            case Reconcile(role):
                keys = [{name: item[name] for name in ("id", "at")} for item in raw(self.stored)]
                self.reconciler.reconcile(keys, self.policy, role)
            case Switch(enabled, part, encoding):
                self.policy = replace(self.policy, enabled=enabled, part=part, encoding=encoding)
        self.check()

    def _compare(self, call: Call) -> None:
        before = raw(self.stored)
        try:
            ours = answer(self.sealed, call)
        except CallRefused:
            assert call.is_refused, call
            assert raw(self.stored) == before
            return
        theirs = answer(self.plain, call)
        # Both may be refused at once, for another reason: then DynamoDB is asked first, or not at all.
        assert not call.is_refused, call
        assert ours == theirs, f"{call}\n{ours}\n{theirs}"

    def check(self) -> None:
        """Check that both hold the same, and that nothing is left in plaintext but what others wrote."""
        assert everything(self.sealed) == everything(self.plain)


def everything(table: Any) -> list[Any]:
    return comparable(sorted(table.scan(ConsistentRead=True)["Items"], key=lambda item: (item["id"], item["at"])))


def raw(table: Any) -> list[dict[str, Any]]:
    """Return the items as they are stored, in the client's style."""
    client = boto3.client("dynamodb", config=ONCE)
    return list(client.scan(TableName=table.name, ConsistentRead=True)["Items"])


def answer(table: Any, call: Call) -> Any:
    """Return what a call answers, or DynamoDB's refusal, in a form that can be compared."""
    target, request = table, dict(call.request)
    if call.of_client:
        target, request = table.meta.client, _for(request, table.name)
    try:
        return _told(getattr(target, call.operation)(**request), table.name)
    except ClientError as error:
        item = error.response.get("Item")
        return error.response["Error"]["Code"], comparable(item) if item else None
    except UnsupportedValue:
        return "ValidationException", None  # What DynamoDB does not take is not encrypted either.


def _for(request: Any, name: str) -> Any:
    match request:
        case dict():
            return {key.replace("{table}", name): _for(value, name) for key, value in request.items()}
        case list():
            return [_for(member, name) for member in request]
        case "{table}":
            return name
    return request


def _told(found: Any, name: str) -> Any:
    told = {key: value for key, value in found.items() if key not in ("ResponseMetadata", "ConsumedCapacity")}
    if name in told.get("Responses", {}):
        told["Responses"] = sorted(told["Responses"][name], key=lambda item: str(sorted(item.items())))
        return comparable(told)
    if "Items" in told and "LastEvaluatedKey" not in told:
        told["Items"] = sorted(told["Items"], key=lambda item: repr(comparable(item)))
    return comparable(told)


def comparable(found: Any) -> Any:
    """Return ``found`` with what has no order in one order."""
    match found:
        case dict():
            return {key: comparable(value) for key, value in sorted(found.items())}
        case list():
            return [comparable(member) for member in found]
        case set():
            return ("set", sorted(map(repr, found)))
    return found


# What is called

IDS: Final = ("a", "b")
PARTS: Final = (Buckets(5_000), ListedKeys.of([{"id": {"S": "a"}, "at": {"N": "1"}}]))
RETURNS: Final = ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")


def keys() -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda one, at: {"id": one, "at": Decimal(at)}, st.sampled_from(IDS), st.sampled_from([1, 2]))


def python_values() -> st.SearchStrategy[Any]:
    return values().filter(_survives_boto3).map(TypeDeserializer().deserialize)


def _survives_boto3(value: Any) -> bool:
    """Tell whether DynamoDB takes a value and a resource can read it back.

    A member has a name, which moto does not ask for; and a resource takes a number's trailing zeros for digits.
    """
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return len(plain_number(content)) <= 38
        case "NS":
            return all(len(plain_number(member)) <= 38 for member in content)
        case "L":
            return all(map(_survives_boto3, content))
        case "M":
            return all(content) and all(map(_survives_boto3, content.values()))
    return True


def histories() -> st.SearchStrategy[Any]:
    """Values with something to project."""
    message = st.fixed_dictionaries({"type": st.sampled_from(["human", "ai"])}, optional={"n": st.just(Decimal(1))})
    return st.one_of(st.lists(message, max_size=3), python_values())


def items() -> st.SearchStrategy[dict[str, Any]]:
    rest = st.fixed_dictionaries(
        {},
        optional={
            "history": histories(),
            "secret": python_values(),
            "trail": st.lists(st.text(max_size=3), max_size=2),
            "title": st.text(max_size=5),
            "n": st.integers(-2, 2).map(Decimal),
            "doc": st.just({"a": [Decimal(1), {"b": "c"}]}),
            "kind": st.sampled_from(["x", "y"]),
        },
    )
    return st.builds(lambda key, others: key | others, keys(), rest)


_CONDITIONS: Final = (
    None,
    "attribute_exists(history)",
    "attribute_not_exists(history)",
    "NOT attribute_exists(secret)",
    "(attribute_exists(secret))",
    "attribute_exists(id) AND (attribute_not_exists(trail) OR n = :zero)",
    "(attribute_exists(trail) OR attribute_exists(secret)) AND n <> :zero",
    "n IN (:zero, :zero) OR n BETWEEN :zero AND :zero",
    "attribute_exists(#sec) and size(title) > :zero",
    Attr("history").exists(),
    Attr("history").not_exists() | Attr("n").gt(0),
    ~Attr("trail").exists() & Attr("title").ne("x"),
)
_REFUSED_CONDITIONS: Final = (
    "history = :zero",
    "size(secret) > :zero",
    "attribute_type(history, :s)",
    "attribute_exists(history[0])",
    "title = secret",
    "contains(#sec, :zero)",
    "is_encrypted = :zero",
    "attribute_exists(encrypted_history)",
    Attr("history").eq(1),
    Attr("secret").begins_with("x"),
    Attr("history").size().gt(0),
)
_PROJECTIONS: Final = (
    None,
    "id, title",
    "history",
    "history[0].#type, title",
    "history[1], history[0].n, #at",
    "secret, trail[0], doc.a[1].b",
    "#sec.a.b, n",
    "trail, id",
)
_REFUSED_PROJECTIONS: Final = ("encrypted_history", "title, is_encrypted", "history, history[0]")
_UPDATES: Final = (
    "SET history = :v",
    "SET history = :v, title = :t",
    "SET #sec = :v, n = if_not_exists(n, :zero) REMOVE history",
    "SET secret = if_not_exists(secret, :v)",
    "SET secret = if_not_exists(#sec, :v), history = :w, doc.a[0] = :t",
    "REMOVE history",
    "REMOVE secret, title ADD n :one",
    "ADD n :one",
    "SET doc = :v",
    "remove trail set history = :v",
    "SET trail = :list",
    "SET title = :t REMOVE doc.a[0]",
)
_REFUSED_UPDATES: Final = (
    "SET history[0] = :v",
    "SET trail = list_append(if_not_exists(trail, :list), :list)",
    "SET history = title",
    "SET title = #sec",
    "SET secret = secret + :one",
    "ADD secret :one",
    "REMOVE history[0]",
    "SET is_encrypted = :v",
    "SET title = if_not_exists(encrypted_history, :v)",
)


def calls() -> st.SearchStrategy[Call]:
    return st.one_of(_puts(), _gets(), _updates(), _deletes(), _pages(), _batches())


def moto_answers(step: Any) -> bool:
    """Tell whether moto answers a call as DynamoDB does."""
    return not isinstance(step, Call) or step.operation != "transact_get_items"  # It returns whole items.


def steps() -> st.SearchStrategy[Any]:
    return st.one_of(
        calls(),
        calls(),
        calls(),
        st.builds(Raw, st.builds(lambda item: {"Item": item}, items())),
        st.builds(Raw, st.builds(_set, keys(), st.sampled_from(["history", "secret"]), python_values())),
        st.builds(Raw, st.builds(_append, keys(), st.lists(st.text(max_size=3), min_size=1, max_size=2))),
        st.builds(Reconcile, st.sampled_from(list(Role))),
        st.builds(Switch, st.booleans(), st.none(), st.sampled_from(Encoding)),
        st.builds(Switch, st.just(True), st.sampled_from(PARTS), st.sampled_from(Encoding)),
    )


def _set(key: Any, name: str, value: Any) -> dict[str, Any]:
    return {
        "Key": key,
        "UpdateExpression": "SET #n = :v",
        "ExpressionAttributeNames": {"#n": name},
        "ExpressionAttributeValues": {":v": value},
    }


def _append(key: Any, members: list[str]) -> dict[str, Any]:
    return {
        "Key": key,
        "UpdateExpression": "SET #n = list_append(if_not_exists(#n, :none), :more)",
        "ExpressionAttributeNames": {"#n": "trail"},
        "ExpressionAttributeValues": {":none": [], ":more": members},
    }


def _with(request: dict[str, Any], available: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with the placeholders that its expressions use."""
    texts = " ".join(value for name, value in request.items() if name.endswith("Expression") and isinstance(value, str))
    names = {
        placeholder: name
        for placeholder, name in {"#sec": "secret", "#type": "type", "#at": "at"}.items()
        if placeholder in texts
    }
    used = {name: value for name, value in available.items() if f"{name})" in f"{texts} )" or f"{name} " in f"{texts} "}
    used |= {name: value for name, value in available.items() if f"{name}," in texts or f"{name})" in texts}
    given = {name: value for name, value in request.items() if value is not None}
    given |= {"ExpressionAttributeNames": names} if names else {}
    return given | ({"ExpressionAttributeValues": used} if used else {})


_VALUES: Final = {":zero": Decimal(0), ":one": Decimal(1), ":t": "title", ":s": "S", ":list": ["x"]}


def _either(good: tuple[Any, ...], refused: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, bool]]:
    accepted = st.sampled_from(good).map(lambda one: (one, False))
    return st.one_of(accepted, accepted, accepted, st.sampled_from(refused).map(lambda one: (one, True)))


def _conditions() -> st.SearchStrategy[tuple[Any, bool]]:
    return _either(_CONDITIONS, _REFUSED_CONDITIONS)


def _puts() -> st.SearchStrategy[Call]:
    def put(item: Any, condition: tuple[Any, bool], returned: str, failed: str) -> Call:
        request = {
            "Item": item,
            "ConditionExpression": condition[0],
            "ReturnValues": returned,
            "ReturnValuesOnConditionCheckFailure": failed,
        }
        return Call("put_item", _with(request, _VALUES), is_refused=condition[1])

    return st.builds(put, items(), _conditions(), st.sampled_from(RETURNS[:2]), st.sampled_from(RETURNS[:2]))


def _deletes() -> st.SearchStrategy[Call]:
    def delete(key: Any, condition: tuple[Any, bool], returned: str) -> Call:
        request = {"Key": key, "ConditionExpression": condition[0], "ReturnValues": returned}
        return Call("delete_item", _with(request, _VALUES), is_refused=condition[1])

    return st.builds(delete, keys(), _conditions(), st.sampled_from(RETURNS[:2]))


def _updates() -> st.SearchStrategy[Call]:
    def update(
        key: Any, expression: tuple[str, bool], condition: tuple[Any, bool], returned: str, failed: str, value: Any
    ) -> Call:
        request = {
            "Key": key,
            "UpdateExpression": expression[0],
            "ConditionExpression": condition[0],
            "ReturnValues": returned,
            "ReturnValuesOnConditionCheckFailure": failed,
        }
        available = {**_VALUES, ":v": value, ":w": {"deep": [value]}}
        return Call("update_item", _with(request, available), is_refused=expression[1] or condition[1])

    return st.builds(
        update,
        keys(),
        _either(_UPDATES, _REFUSED_UPDATES),
        _conditions(),
        st.sampled_from(RETURNS),
        st.sampled_from(RETURNS[:2]),
        histories(),
    )


def _gets() -> st.SearchStrategy[Call]:
    def get(key: Any, projection: tuple[str | None, bool]) -> Call:
        request = {"Key": key, "ProjectionExpression": projection[0], "ConsistentRead": True}
        return Call("get_item", _with(request, {}), is_refused=projection[1])

    return st.builds(get, keys(), _either(_PROJECTIONS, _REFUSED_PROJECTIONS))


def _pages() -> st.SearchStrategy[Call]:
    def page(
        kind: str,
        by_object: bool,
        one: str,
        condition: tuple[Any, bool],
        projection: tuple[str | None, bool],
        counts: bool,
    ) -> Call:
        key: Any = None
        if kind == "query":
            key = Key("id").eq(one) if by_object else "id = :id"
        elif kind != "scan":
            key = Key("kind").eq("x") if by_object else "kind = :kind"
        filtered, projected = condition, projection
        if kind == "keys" and projected[0] is not None and not projected[1]:
            projected = ("id", False)  # DynamoDB refuses to project from an index what it does not hold.
        if counts:
            projected = (None, False)
        request = {
            "KeyConditionExpression": key,
            "FilterExpression": filtered[0],
            "ProjectionExpression": projected[0],
            "Select": "COUNT" if counts else None,
            "IndexName": kind if kind in ("all", "keys") else None,
        }
        is_refused = filtered[1] or projected[1]
        operation = "scan" if kind == "scan" else "query"
        return Call(operation, _with(request, {**_VALUES, ":id": one, ":kind": "x"}), is_refused=is_refused)

    return st.builds(
        page,
        st.sampled_from(["scan", "query", "all", "keys"]),
        st.booleans(),
        st.sampled_from(IDS),
        _conditions(),
        _either(_PROJECTIONS, _REFUSED_PROJECTIONS),
        st.booleans(),
    )


def _batches() -> st.SearchStrategy[Call]:
    def get(asked: list[Any], projection: tuple[str | None, bool]) -> Call:
        request = _with({"Keys": asked, "ProjectionExpression": projection[0]}, {})
        return Call("batch_get_item", {"RequestItems": {"{table}": request}}, True, projection[1])

    def transact(asked: list[Any], projection: tuple[str | None, bool]) -> Call:
        gets = [
            {"Get": _with({"TableName": "{table}", "Key": key, "ProjectionExpression": projection[0]}, {})}
            for key in asked
        ]
        return Call("transact_get_items", {"TransactItems": gets}, True, projection[1])

    def write(puts: list[Any], deletes: list[Any]) -> Call:
        taken = [(item["id"], item["at"]) for item in puts]
        parts = [{"PutRequest": {"Item": item}} for item in puts]
        parts += [{"DeleteRequest": {"Key": key}} for key in deletes if (key["id"], key["at"]) not in taken]
        return Call("batch_write_item", {"RequestItems": {"{table}": parts}}, True)

    distinct: Callable[[Any], Any] = lambda key: (key["id"], key["at"])  # noqa: E731
    some = st.lists(keys(), min_size=1, max_size=3, unique_by=distinct)
    projections = _either(_PROJECTIONS, _REFUSED_PROJECTIONS)
    return st.one_of(
        st.builds(get, some, projections),
        st.builds(transact, some, projections),
        st.builds(write, st.lists(items(), min_size=1, max_size=3, unique_by=distinct), some),
    )
