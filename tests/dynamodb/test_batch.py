"""Statements of PartiQL on DynamoDB Local, which judges them as DynamoDB does: what a request may have, and does."""

import itertools
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from item_crypto.core.change import Change, guards_hold, stands_in
from item_crypto.core.codec import is_same
from item_crypto.dynamodb.batch import MOST, MOST_BYTES, Batch, statement
from item_crypto.dynamodb.table import Table
from item_crypto.errors import InvalidRequest, OutcomeUnknown, SystemicError, TransientError
from tests.faults import failing

TABLE: Final = "batch.ed-writes_1"
NUMBERS: Final = itertools.count()


@pytest.fixture
def dynamodb(database: None) -> Any:
    """A client that sends each request once, and a table with a sort key."""
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture
def batch(dynamodb: Any) -> Batch:
    return Batch(dynamodb, TABLE, sleep=lambda _: None)


def new_key() -> dict[str, Any]:
    number = next(NUMBERS)
    return {"id": {"S": f"item {number}"}, "at": {"N": str(number)}}


def stored(dynamodb: Any, key: Any) -> Any:
    return dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")


def put(dynamodb: Any, key: Any, **attributes: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item={**key, **attributes})


def encryption(key: Any, value: Any = None) -> Change:
    """A change as encryption makes it: the plaintext and the absence of all else are what it rests on."""
    value = value or {"S": "plain"}
    guards = {"history": value, "encrypted_history": None, "is_encrypted": None}
    return Change(key, guards, {"encrypted_history": {"S": "sealed"}, "is_encrypted": {"BOOL": True}}, ("history",))


def prepared(dynamodb: Any, many: int) -> list[Change]:
    changes = [encryption(new_key()) for _ in range(many)]
    for change in changes:
        put(dynamodb, change.key, history={"S": "plain"})
    return changes


# The same effect as UpdateItem


_TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_NUMBERS: Final = st.one_of(
    st.sampled_from(["0", "-0", "1E-130", "9.9999999999999999999999999999999999999E+125", "1.50", "-12", "1" * 38]),
    st.integers(-(10**20), 10**20).map(str),
)
_SCALARS: Final = st.one_of(
    _TEXTS.map(lambda text: {"S": text}),
    _NUMBERS.map(lambda number: {"N": number}),
    st.binary(max_size=6).map(lambda data: {"B": data}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"NULL": True}),
    st.sets(_TEXTS, min_size=1, max_size=3).map(lambda texts: {"SS": sorted(texts)}),
    st.sets(st.integers(-99, 99), min_size=1, max_size=3).map(lambda numbers: {"NS": [str(n) for n in numbers]}),
    st.sets(st.binary(max_size=3), min_size=1, max_size=3).map(lambda datas: {"BS": sorted(datas)}),
)
VALUES: Final = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda members: {"L": members})
        | st.dictionaries(_TEXTS.filter(bool), inner, max_size=3).map(lambda members: {"M": members})
    ),
    max_leaves=6,
)
NAMES: Final = st.one_of(
    st.sampled_from(
        ['a"b', '"', '""', "select", "SET", "a.b", "a[0]", "?", "'", "--", "é 😀", "\n", "#n", ":v", "a b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda name: name not in ("id", "at"))


@st.composite
def items_and_changes(draw: st.DrawFn) -> tuple[dict[str, Any] | None, Change, dict[str, Any]]:
    """An item or none, a change of it that holds, or hardly does not, and the key."""
    key = new_key()
    attributes = draw(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
    others = draw(st.lists(NAMES.filter(lambda name: name not in attributes), max_size=3, unique=True))
    guards: dict[str, Any] = {name: value for name, value in attributes.items() if draw(st.booleans())} | dict.fromkeys(
        others
    )
    if draw(st.booleans()) and guards:
        name = draw(st.sampled_from(sorted(guards)))
        guards[name] = draw(st.none() | VALUES)  # Somebody wrote in between.
    if draw(st.booleans()):
        guards |= key
    sets = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    removes = tuple(name for name in attributes if name not in sets and draw(st.booleans()))
    if not sets and not removes:
        sets = {"more": {"S": "x"}}
    item = {**key, **attributes} if draw(st.integers(0, 9)) else None
    return item, Change(key, guards, sets, removes), key


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(items_and_changes(), min_size=1, max_size=6))
def test_any_changes_when_made_together_then_their_effect_is_that_of_update_item(
    dynamodb: Any, batch: Batch, cases: list[tuple[Any, Change, Any]]
) -> None:
    sized = [case for case in cases if batch.size_of(case[1]) is not None]
    table = Table(dynamodb, TABLE)

    def restore() -> None:
        for item, _, key in sized:
            dynamodb.delete_item(TableName=TABLE, Key=key)
            if item is not None:
                dynamodb.put_item(TableName=TABLE, Item=item)

    restore()
    alone = [table.apply(change) for _, change, _ in sized]
    effect = [stored(dynamodb, key) for *_, key in sized]
    restore()

    together = batch.apply([change for _, change, _ in sized]) if sized else []

    assert together == alone
    for (before, change, key), was_made, expected in zip(sized, together, effect, strict=True):
        now = stored(dynamodb, key)
        assert (now is None) == (expected is None)
        assert now is None or all(is_same(now.get(name), expected.get(name)) for name in {*now, *expected})
        # What is looked at after a lost answer judges as DynamoDB does.
        assert was_made == (before is not None and guards_hold(change, before))
        assert not was_made or stands_in(change, now)


@pytest.mark.parametrize("name", ["#n", ":v", "#", ":"])
def test_name_that_statements_take_for_a_placeholder_then_it_goes_alone(dynamodb: Any, batch: Batch, name: str) -> None:
    key = new_key()
    put(dynamodb, key, a={"S": "x"})
    made = Change(key, {"a": {"S": "x"}}, {name: {"S": "y"}}, ())

    assert [type(answer) for answer in batch.apply([made])] == [InvalidRequest]
    for change in (
        made,
        Change(key, {name: {"S": "x"}}, {"a": {"S": "x"}}, ()),
        replace(made, sets={}, removes=(name,)),
    ):
        assert batch.size_of(change) is None
    assert Table(dynamodb, TABLE).apply(made)


# What fits


def test_sizes_then_they_are_the_bytes_that_are_sent(dynamodb: Any, batch: Batch) -> None:
    values = [
        {"S": 'é "quoted"\n\u0001😀'},
        {"B": bytes(range(256))},
        {"BS": [b"a", b"b"]},
        {"L": [{"M": {"ü": {"B": b"x"}}}, {"NULL": True}]},
        {"N": "1E-7"},
    ]
    changes = []
    for number, value in enumerate(values):
        change = Change(new_key(), {"a": value, "ß": None}, {"é": value, f"n{number}": {"BOOL": True}}, ("a",))
        put(dynamodb, change.key, a=value)
        changes.append(change)
    bodies: list[bytes] = []
    dynamodb.meta.events.register("before-send", lambda request, **_: bodies.append(request.body))

    assert batch.apply(changes) == [True] * len(changes)

    statements = sum(size for change in changes if (size := batch.size_of(change)))
    assert 0 < len(bodies[-1]) - statements < 100


def test_as_many_statements_as_dynamodb_takes_then_one_more_is_refused(dynamodb: Any, batch: Batch) -> None:
    assert batch.apply(prepared(dynamodb, MOST)) == [True] * MOST
    more = prepared(dynamodb, MOST + 1)
    assert {type(answer) for answer in batch.apply(more)} == {OutcomeUnknown}
    assert all("history" in stored(dynamodb, change.key) for change in more)


def test_statements_of_as_many_bytes_as_a_request_may_have_then_dynamodb_takes_them(
    dynamodb: Any, batch: Batch
) -> None:
    value = {"S": "x" * 159_800}
    changes = [encryption(new_key(), value) for _ in range(MOST)]
    changes = [
        Change(change.key, change.guards, {**change.sets, "encrypted_history": {"S": "s" * 159_000}}, change.removes)
        for change in changes
    ]
    for change in changes:
        put(dynamodb, change.key, history=value)
    assert 0.99 * MOST_BYTES < sum(size for change in changes if (size := batch.size_of(change))) <= MOST_BYTES

    assert batch.apply(changes) == [True] * MOST


def test_statement_as_long_as_dynamodb_takes_then_a_longer_one_goes_alone(dynamodb: Any, batch: Batch) -> None:
    def wide(characters: int) -> Change:
        key = new_key()
        names = [f"{number:02}{'n' * 240}" for number in range(characters // 260)]
        change = Change(key, {"history": {"S": "plain"}, **dict.fromkeys(names)}, {"a": {"S": "x"}}, ())
        padding = "p" * (characters - length(change) - len(' AND "" IS MISSING'))
        return Change(key, {**change.guards, padding: None}, change.sets, ())

    fitting, longer = wide(8192), wide(8193)
    assert [length(change) for change in (fitting, longer)] == [8192, 8193]
    for change in (fitting, longer):
        put(dynamodb, change.key, history={"S": "plain"})

    assert batch.size_of(fitting) is not None
    assert batch.apply([fitting]) == [True]
    assert batch.size_of(longer) is None
    with pytest.raises(ClientError, match="8192"):
        dynamodb.batch_execute_statement(Statements=[statement(TABLE, longer)])
    assert Table(dynamodb, TABLE).apply(longer)


def length(change: Change) -> int:
    return len(statement(TABLE, change)["Statement"])


def test_as_many_conditions_as_dynamodb_takes_then_one_more_goes_alone(dynamodb: Any, batch: Batch) -> None:
    def resting_on(many: int) -> Change:
        change = Change(new_key(), {f"a{number}": {"N": "1"} for number in range(many)}, {"b": {"S": "x"}}, ())
        dynamodb.put_item(TableName=TABLE, Item={**change.key, **change.guards})
        return change

    fitting, more = resting_on(148), resting_on(149)  # And two for the key.
    assert batch.size_of(fitting) is not None
    assert batch.apply([fitting]) == [True]
    assert batch.size_of(more) is None
    assert {type(answer) for answer in batch.apply([more])} == {InvalidRequest}
    assert Table(dynamodb, TABLE).apply(more)


def test_one_key_twice_then_dynamodb_makes_one_and_refuses_the_request_so_it_is_not_sent(
    dynamodb: Any, batch: Batch
) -> None:
    change, other = prepared(dynamodb, 2)
    with pytest.raises(ClientError, match="duplicates"):
        dynamodb.batch_execute_statement(Statements=[statement(TABLE, change)] * 2)
    assert "history" not in stored(dynamodb, change.key)

    with pytest.raises(ValueError, match="twice"):
        batch.apply([other, replace(other, key={"id": other.key["id"], "at": {"N": f"{other.key['at']['N']}.0"}})])
    assert "history" in stored(dynamodb, other.key)


# What becomes of each


def test_one_statement_that_fails_then_no_other_does(dynamodb: Any, batch: Batch) -> None:
    changes = prepared(dynamodb, 4)
    put(dynamodb, changes[0].key, history={"S": "newer"})
    dynamodb.delete_item(TableName=TABLE, Key=changes[1].key)
    put(dynamodb, changes[2].key, history={"S": "plain"}, filled={"S": "x" * 390_000})
    large = {**changes[2].sets, "encrypted_history": {"S": "x" * 30_000}}
    changes[2] = Change(changes[2].key, changes[2].guards, large, ())

    answers = batch.apply(changes)

    assert answers[:2] == [False, False]
    assert isinstance(answers[2], InvalidRequest)
    assert answers[3] is True
    assert stored(dynamodb, changes[0].key)["history"] == {"S": "newer"}
    assert stored(dynamodb, changes[1].key) is None


def test_one_malformed_value_then_the_request_is_refused_as_a_whole_and_has_to_be_looked_at(
    dynamodb: Any, batch: Batch
) -> None:
    changes = prepared(dynamodb, 3)
    malformed = Change(changes[1].key, changes[1].guards, {"a": {"N": "1E200"}}, ())

    answers = batch.apply([changes[0], malformed, changes[2]])

    assert {type(answer) for answer in answers} == {OutcomeUnknown}
    assert all("history" in stored(dynamodb, change.key) for change in changes)


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("InternalServerError", 500, OutcomeUnknown),
        ("ServiceUnavailable", 503, OutcomeUnknown),
        ("ValidationException", 400, OutcomeUnknown),
    ],
)
def test_request_whose_answer_tells_nothing_of_its_statements_then_it_holds_for_each(
    dynamodb: Any, batch: Batch, code: str, status: int, meaning: type[Exception]
) -> None:
    changes = prepared(dynamodb, 2)
    with failing(dynamodb, "dynamodb.BatchExecuteStatement", code, status=status, moment="after"):
        assert {type(answer) for answer in batch.apply(changes)} == {meaning}


def test_answer_that_is_lost_then_nobody_knows(dynamodb: Any, batch: Batch) -> None:
    changes = prepared(dynamodb, 2)
    lost = ReadTimeoutError(endpoint_url="https://dynamodb")
    sent: list[str] = []
    dynamodb.meta.events.register("before-send", lambda **_: sent.append("sent"))
    with failing(dynamodb, "dynamodb.BatchExecuteStatement", lost, moment="after"):
        assert {type(answer) for answer in batch.apply(changes)} == {OutcomeUnknown}
    assert sent == ["sent"], "sent again, it would find its own conditions broken"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [("ThrottlingException", TransientError), ("AccessDeniedException", SystemicError)],
)
def test_request_that_is_refused_then_that_is_raised(
    dynamodb: Any, batch: Batch, code: str, meaning: type[Exception]
) -> None:
    changes = prepared(dynamodb, 2)
    with failing(dynamodb, "dynamodb.BatchExecuteStatement", code), pytest.raises(meaning):
        batch.apply(changes)
