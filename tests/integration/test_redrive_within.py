"""A redrive for somebody who waits for the answer: it ends within the seconds that they have, and says what is left."""

from types import SimpleNamespace

import pytest

from migrator import control
from tests.faults import ALWAYS
from tests.migration import Migration


class Clock:
    """Of an invocation that has 300 seconds, and whose reads of items take some."""

    def __init__(self, world: Migration, seconds_a_read: float) -> None:
        self.passed = 0.0

        def read() -> None:
            self.passed += seconds_a_read

        world.interrupt("before", "dynamodb.BatchGetItem", read, times=ALWAYS)

    def context(self) -> SimpleNamespace:
        left = SimpleNamespace(aws_request_id="request-1")
        left.get_remaining_time_in_millis = lambda: (300 - self.passed) * 1000
        return left


def fail(world: Migration, number: int) -> None:
    """Leave dead letters of items that are plaintext by now, and can be encrypted."""
    for each in range(number):
        world.put(f"s{each}", encrypted_history={"S": "%%%"})
    world.run("encrypt")
    for each in range(number):
        world.plain(f"s{each}")


def test_given_slow_items_when_redriven_within_seconds_then_what_is_not_begun_by_then_is_left(world: Migration) -> None:
    fail(world, 4)
    clock = Clock(world, 4.5)

    answer = control.handle({"command": "redrive", "by": "alice", "within": 10}, clock.context(), world.parts)

    # One is done; the time for the second is used up when it is read; the third and the fourth are not begun.
    assert (answer["done"], answer["again"], answer["remaining"]) == (1, 1, 3)
    assert "The time was used up; redrive again for the rest." in answer["notes"]
    assert clock.passed <= 10
    assert sorted(letter["attempts"] for letter in world.letters()) == [1, 1, 2]


def test_given_a_letter_whose_time_has_just_come_when_redriven_then_it_is_begun_and_the_next_is_not(
    world: Migration,
) -> None:
    fail(world, 5)
    clock = Clock(world, 20)

    answer = control.handle({"command": "redrive", "by": "alice", "within": 120}, clock.context(), world.parts)

    # With less than 60 of the 120 seconds no letter is begun. After the third there are 60, not less.
    assert (answer["done"], answer["again"], answer["remaining"]) == (4, 0, 1)
    assert answer["notes"] == ["The time was used up; redrive again for the rest."]
    assert clock.passed == 80


def test_given_nobody_who_waits_when_redriven_then_it_takes_as_long_as_it_takes(world: Migration) -> None:
    fail(world, 4)

    answer = control.handle({"command": "redrive", "by": "jane"}, Clock(world, 4.5).context(), world.parts)

    assert (answer["done"], answer["again"], answer["remaining"], answer["notes"]) == (4, 0, 0, [])


@pytest.mark.parametrize("within", [0, -1, "10", True, 10**6])
def test_given_seconds_that_are_none_when_redriven_then_it_is_refused_by_name(world: Migration, within: object) -> None:
    error = world.command("redrive", within=within)["error"]
    assert (error["code"], error["field"]) == ("invalid-request", "within")
