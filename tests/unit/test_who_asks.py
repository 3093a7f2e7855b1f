"""Who asked for a command: two users are never kept under one name."""

import pytest

from migrator import requests


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("élise", "ülise", id="letters that are not ASCII"),
        pytest.param("a\nb", "a\tb", id="control characters"),
        pytest.param("u" * 255 + "éa", "u" * 255 + "éb", id="long ones"),
        pytest.param("u" * 1023 + "a", "u" * 1023 + "b", id="the longest ones"),
        pytest.param("\\xe9", "é", id="one that looks like another's spelling"),
    ],
)
def test_two_users_when_they_ask_then_their_names_differ_and_are_printable_and_bounded(one: str, other: str) -> None:
    names = [requests.by({"by": user}) for user in (one, other)]

    assert names[0] != names[1]
    assert all(name.isascii() and name.isprintable() and len(name) <= 256 for name in names)


@pytest.mark.parametrize("user", ["alice", "AROAEXAMPLE:session", "0b7c-11?", "a b"])
def test_an_ordinary_id_when_it_asks_then_it_is_kept_as_it_is(user: str) -> None:
    assert requests.by({"by": user}) == user


def test_nobody_when_they_ask_then_that_is_said() -> None:
    assert requests.by({}) == "unknown"
