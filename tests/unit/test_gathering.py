"""What is written together: never more than a request holds, nothing left behind, memory bounded."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto.gathering import Gathering, Portion

MOST, MOST_BYTES = 5, 100


@given(st.lists(st.integers(1, MOST_BYTES), max_size=40))
def test_any_entries_then_each_is_in_one_portion_in_order_and_no_portion_is_too_large(sizes: list[int]) -> None:
    gathering: Gathering[int] = Gathering(MOST, MOST_BYTES, 10 * MOST_BYTES)
    portions = [gathering.add(number, size) for number, size in enumerate(sizes)] + [gathering.rest()]
    given_out = [portion for portion in portions if portion is not None]

    assert [entry for portion in given_out for entry in portion.entries] == list(range(len(sizes)))
    for portion in given_out:
        assert 1 <= len(portion.entries) <= MOST
        assert sum(sizes[entry] for entry in portion.entries) == portion.size <= MOST_BYTES
    for portion, following in pairwise(given_out):
        # It was given out since the next entry did not fit, and for no other reason.
        is_full = len(portion.entries) == MOST
        assert is_full or portion.size + sizes[following.entries[0]] > MOST_BYTES


def test_nothing_gathered_then_there_is_no_rest() -> None:
    gathering: Gathering[int] = Gathering(MOST, MOST_BYTES, MOST_BYTES)
    assert gathering.rest() is None


def test_too_many_bytes_in_flight_then_the_next_waits_until_a_portion_is_done_with() -> None:
    gathering: Gathering[str] = Gathering(1, MOST_BYTES, MOST_BYTES)
    portion = gathering.add("first", MOST_BYTES)
    assert portion is not None
    begun = threading.Event()

    def begin() -> None:
        gathering.room()
        begun.set()

    waiting = threading.Thread(target=begin, daemon=True)
    waiting.start()
    assert not begun.wait(0.05)

    gathering.done(portion)

    assert begun.wait(10)
    waiting.join()


@pytest.mark.parametrize("gathered", [0, 1, MOST - 1])
def test_nothing_being_written_then_nobody_waits_however_much_is_gathered(gathered: int) -> None:
    gathering: Gathering[int] = Gathering(MOST, 1000 * MOST_BYTES, 1)
    for number in range(gathered):
        assert gathering.add(number, MOST_BYTES) is None
    gathering.room()


def test_many_threads_then_no_entry_is_lost_or_given_twice() -> None:
    gathering: Gathering[int] = Gathering(3, MOST_BYTES, 2 * MOST_BYTES)
    given_out: list[Portion[int]] = []

    def work(numbers: range) -> None:
        for number in numbers:
            gathering.room()
            portion = gathering.add(number, 30)
            if portion is not None:
                given_out.append(portion)
                gathering.done(portion)

    threads = [threading.Thread(target=work, args=(range(first, first + 200),)) for first in range(0, 1600, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    rest = gathering.rest()
    entries = [entry for portion in [*given_out, *([rest] if rest else [])] for entry in portion.entries]

    assert sorted(entries) == list(range(1600))
