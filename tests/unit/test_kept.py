"""What is kept for a while: asked for once, forgotten in time, bounded."""

import gc
import weakref

import pytest

from item_crypto.keys.kept import Kept


def kept(clocks: list[list[float]], entries: int = 3) -> tuple[Kept[str], list[str]]:
    asked: list[str] = []
    return Kept[str](10, entries, tuple(lambda clock=clock: clock[0] for clock in clocks)), asked


def get(cache: Kept[str], asked: list[str], question: str) -> str:
    return cache.get(question, lambda: (asked.append(question), question.upper())[1])


def test_answer_when_asked_for_again_then_it_is_kept_until_it_is_too_old() -> None:
    clock = [100.0]
    cache, asked = kept([clock])

    for clock[0] in (100.0, 109.9, 110.0, 119.9):
        assert get(cache, asked, "a") == "A"

    assert asked == ["a", "a"]


@pytest.mark.parametrize("moved", [(100.0, 200.0), (200.0, 100.0), (100.0, 99.0)])
def test_answer_when_either_clock_moved_on_or_one_was_put_back_then_it_is_asked_for(moved: tuple[float, float]) -> None:
    clocks = [[100.0], [100.0]]
    cache, asked = kept(clocks)
    get(cache, asked, "a")
    clocks[0][0], clocks[1][0] = moved

    get(cache, asked, "a")

    assert asked == ["a", "a"]


def test_answers_when_too_many_then_the_one_used_longest_ago_goes() -> None:
    cache, asked = kept([[0.0]])
    for question in ("a", "b", "c", "a", "d", "a", "c", "d", "b"):
        get(cache, asked, question)

    assert asked == ["a", "b", "c", "d", "b"]


def test_failure_when_asked_for_then_it_is_not_kept() -> None:
    cache, asked = kept([[0.0]])

    def fail() -> str:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        cache.get("a", fail)

    assert get(cache, asked, "a") == "A"


class Answer:
    """Something that can be seen to be gone."""


def test_answer_when_it_is_too_old_then_a_question_that_is_answered_from_memory_removes_it_too() -> None:
    clock = [0.0]
    cache = Kept[Answer](10, 3, (lambda: clock[0],))
    old = weakref.ref(cache.get("old", Answer))
    clock[0] = 5.0
    young = cache.get("young", Answer)
    clock[0] = 10.0

    assert cache.get("young", Answer) is young
    gc.collect()
    assert old() is None


def test_answer_when_it_is_kept_then_that_is_told_and_else_not() -> None:
    told: list[str] = []
    cache = Kept[str](10, 3, (lambda: 0.0,), on_kept=lambda: told.append("kept"))

    for _ in range(3):
        cache.get("a", lambda: "A")

    assert told == ["kept", "kept"]
