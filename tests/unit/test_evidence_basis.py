"""What was changed since a verification began, so that it does not tell of what is now."""

from dataclasses import replace

import pytest

from evidence.basis import Basis, changes

THEN = Basis("sessions", ("history",), ("notes",), ("key-1", "key-2"), ("userId", "sessionId", "purpose"))


@pytest.mark.parametrize(
    "now",
    [
        THEN,
        replace(THEN, keys=("key-3", "key-2", "key-1")),
        replace(THEN, attributes=("history", "configuration")),
        replace(THEN, attributes=(), earlier=("history", "notes")),
    ],
)
def test_what_takes_nothing_from_the_counts_then_nothing_is_told(now: Basis) -> None:
    assert list(changes(THEN, now)) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(THEN, table="other"), "another table, sessions"),
        (replace(THEN, keys=("key-1",)), "A key"),
        (replace(THEN, keys=("key-3",)), "A key"),
        (replace(THEN, context=("sessionId", "purpose")), "context"),
        (replace(THEN, attributes=("history", "notes"), earlier=()), "The attribute notes"),
    ],
)
def test_what_the_counts_do_not_tell_of_then_it_is_told(now: Basis, told: str) -> None:
    (found,) = changes(THEN, now)
    assert told in found


def test_verification_of_which_nothing_was_noted_then_that_is_told() -> None:
    (found,) = changes(None, THEN)
    assert found.startswith("Nobody knows")
