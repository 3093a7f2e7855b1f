"""Writes whose caller waits for the answer: sent again where DynamoDB says that it did nothing, and never else."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import exceptions as botocore_errors

from item_crypto import SystemicError, Table, TransientError
from item_crypto.core.change import Change
from item_crypto.errors import OutcomeUnknown
from tests.faults import ALWAYS, failing
from tests.scene import TABLE, Scene


class Waits(list[float]):
    """A sleep that only notes how long it was asked to."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def table(scene: Scene, waits: Waits) -> Table:
    return Table(scene.dynamodb, TABLE, sleep=waits, jitter=lambda: 0.5)


def update(scene: Scene, table: Table) -> Callable[[], bool]:
    key = scene.new_key()
    return lambda: table.apply_once(Change(key, {"name": None}, {"name": {"S": "mine"}}, ()))


def delete(scene: Scene, table: Table) -> Callable[[], bool]:
    key = scene.new_key()
    scene.store({**key, "name": {"S": "mine"}})
    return lambda: table.delete(key, {"name": {"S": "mine"}})


WRITES = pytest.mark.parametrize(("operation", "write"), [("UpdateItem", update), ("DeleteItem", delete)])


@WRITES
def test_throttled_write_when_it_passes_then_it_was_sent_thrice_at_most_after_growing_waits(
    scene: Scene, table: Table, waits: Waits, operation: str, write: Any
) -> None:
    send = write(scene, table)
    with failing(scene.dynamodb, f"dynamodb.{operation}", "ThrottlingException", times=2):
        assert send() is True

    assert waits == [0.05, 0.1]


@WRITES
def test_throttled_write_when_it_does_not_pass_then_it_is_told_after_three_sendings(
    scene: Scene, table: Table, waits: Waits, operation: str, write: Any
) -> None:
    send = write(scene, table)
    with (
        failing(scene.dynamodb, f"dynamodb.{operation}", "ThrottlingException", times=3),
        pytest.raises(TransientError) as told,
    ):
        send()

    assert not isinstance(told.value, OutcomeUnknown)
    assert len(waits) == 2
    assert send() is True  # None of the three took effect.


@WRITES
@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("code", ["InternalServerError", "SomethingElse"])
def test_write_when_dynamodb_fails_at_work_then_nobody_knows_and_it_is_not_sent_again(
    scene: Scene, table: Table, waits: Waits, operation: str, write: Any, status: int, code: str
) -> None:
    send = write(scene, table)
    with (
        failing(scene.dynamodb, f"dynamodb.{operation}", code, status=status, times=1),
        pytest.raises(OutcomeUnknown) as told,
    ):
        send()

    assert (told.value.service, told.value.code) == ("dynamodb", code)
    assert waits == []


@WRITES
@pytest.mark.parametrize(
    ("error", "is_known"),
    [
        (botocore_errors.ReadTimeoutError(endpoint_url="x"), False),
        (botocore_errors.ConnectionClosedError(endpoint_url="x"), False),
        (botocore_errors.ConnectTimeoutError(endpoint_url="x"), True),
        (botocore_errors.EndpointConnectionError(endpoint_url="x"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_write_when_the_connection_fails_then_it_is_told_whether_it_was_sent(
    scene: Scene, table: Table, waits: Waits, operation: str, write: Any, error: Exception, is_known: bool
) -> None:
    send = write(scene, table)
    with (
        failing(scene.dynamodb, f"dynamodb.{operation}", error, times=ALWAYS),
        pytest.raises(TransientError if is_known else OutcomeUnknown) as told,
    ):
        send()

    assert isinstance(told.value, OutcomeUnknown) is not is_known
    assert len(waits) == (2 if is_known else 0)


@WRITES
def test_denied_write_when_sent_then_it_is_told_at_once(
    scene: Scene, table: Table, waits: Waits, operation: str, write: Any
) -> None:
    send = write(scene, table)
    with failing(scene.dynamodb, f"dynamodb.{operation}", "AccessDeniedException"), pytest.raises(SystemicError):
        send()

    assert waits == []


def test_write_when_its_guard_fails_then_it_is_not_made(scene: Scene, table: Table) -> None:
    key = scene.new_key()
    scene.store({**key, "name": {"S": "theirs"}})

    assert table.apply_once(Change(key, {"name": None}, {"name": {"S": "mine"}}, ())) is False
    assert table.delete(key, {"name": {"S": "mine"}}) is False
    assert scene.stored(key) == {**key, "name": {"S": "theirs"}}


def test_deletion_when_nothing_is_there_then_it_is_told(scene: Scene, table: Table) -> None:
    assert table.delete(scene.new_key()) is False
