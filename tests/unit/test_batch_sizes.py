"""Which changes are written with others in one request, and which go alone. What DynamoDB says: tests/dynamodb."""

from dataclasses import replace
from typing import Any, Final

import pytest

from item_crypto.core.change import Change
from item_crypto.dynamodb.batch import MOST_BYTES, Batch, statement
from item_crypto.dynamodb.table import MAX_OPERATORS
from tests.scene import CLIENT

BATCH: Final = Batch(CLIENT, "sessions")
KEY: Final[dict[str, Any]] = {"id": {"S": "alice"}}
CHANGE: Final = Change(KEY, {"history": {"S": "plain"}, "encrypted_history": None}, {"a": {"S": "x"}}, ("history",))


def test_change_then_it_takes_what_is_sent_of_it_and_of_a_comma() -> None:
    size = BATCH.size_of(CHANGE)
    assert size is not None
    assert size > len(statement("sessions", CHANGE)["Statement"]) + len('{"S": "alice"}{"S": "plain"}{"S": "x"}')


@pytest.mark.parametrize("guards", [{}, {"a": None}, {"a": None, "b": None}, {"id": None, "history": {"S": "plain"}}])
def test_change_that_may_create_its_item_then_it_goes_alone_since_update_never_does(guards: dict[str, Any]) -> None:
    assert BATCH.size_of(replace(CHANGE, guards=guards)) is None


def test_change_that_rests_on_one_value_then_its_item_is_there() -> None:
    assert BATCH.size_of(replace(CHANGE, guards={"a": None, "history": {"S": "plain"}})) is not None


@pytest.mark.parametrize("name", ["#n", ":v", "#", ":"])
def test_name_that_statements_take_for_a_placeholder_then_it_goes_alone(name: str) -> None:
    value: dict[str, Any] = {name: {"S": "x"}}
    for change in (
        replace(CHANGE, guards=CHANGE.guards | value),
        replace(CHANGE, sets=value),
        replace(CHANGE, removes=(name,)),
        replace(CHANGE, key=value),
    ):
        assert BATCH.size_of(change) is None
    assert BATCH.size_of(replace(CHANGE, sets={f"n{name}": {"S": "x"}})) is not None


def test_as_many_conditions_as_fit_then_one_more_goes_alone() -> None:
    def resting_on(many: int) -> Change:
        return replace(CHANGE, guards={f"a{number}": {"N": "1"} for number in range(many)})

    most = (MAX_OPERATORS + 1) // 2 - len(KEY)  # Each but the first has an AND, which is an operator itself.
    assert BATCH.size_of(resting_on(most)) is not None
    assert BATCH.size_of(resting_on(most + 1)) is None


@pytest.mark.parametrize("character", ["n", "ä"])
def test_statement_as_long_as_dynamodb_takes_then_a_longer_one_goes_alone(character: str) -> None:
    names = {f"{number:02}{'n' * 240}": None for number in range(31)}
    short = replace(CHANGE, guards={"history": {"S": "plain"}, **names})
    room = 8192 - length(short) - len(' AND "" IS MISSING')

    def wide(bytes_more: int) -> Change:
        padding = "p" * (room + bytes_more - 10 * len(character.encode())) + 10 * character
        return replace(short, guards={**short.guards, padding: None})

    assert [length(wide(more)) for more in (0, 1)] == [8192, 8193]
    assert BATCH.size_of(wide(0)) is not None
    assert BATCH.size_of(wide(1)) is None


def length(change: Change) -> int:
    return len(statement("sessions", change)["Statement"].encode())


def test_change_as_large_as_a_request_then_a_larger_one_goes_alone() -> None:
    def holding(many: int) -> Change:
        return replace(CHANGE, sets={"a": {"S": "x" * many}})

    frame = BATCH.size_of(holding(0))
    assert frame is not None
    assert BATCH.size_of(holding(MOST_BYTES - frame)) == MOST_BYTES
    assert BATCH.size_of(holding(MOST_BYTES - frame + 1)) is None
