"""The laws of a segment's pace: bounds that always hold, half where it is throttled, step by step up else."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.adaptive_rate import (
    CUT,
    FLOOR,
    PAGE,
    RECOVERY,
    START,
    STEP,
    LimitedBy,
    Limits,
    Pace,
    Page,
    after,
    first,
    limits,
    page_size,
    speed,
    within,
)

rates = st.floats(0.001, 1e6)
counts = st.integers(0, 50)


@st.composite
def known(draw: st.DrawFn) -> Limits:
    ceiling = draw(st.one_of(st.none(), rates))
    names = draw(st.sets(st.sampled_from(["read", "write", "write byUserId"])))
    capacity = {name: draw(st.floats(0.5, 1e6)) for name in sorted(names)}
    return limits(ceiling, capacity, draw(st.integers(1, 1000)), draw(st.one_of(st.none(), st.integers(1, 1000))))


@st.composite
def pages(draw: st.DrawFn, throttled: bool | None = None) -> Page:
    least = 1 if throttled else 0
    table, kms = draw(st.tuples(counts, counts).filter(lambda pair: sum(pair) >= least))
    if throttled is False:
        table = kms = 0
    units = {name: draw(st.floats(0, 1e5)) for name in ("read", "write", "write byUserId")}
    return Page(draw(st.integers(0, PAGE)), draw(st.floats(0, 300)), table, kms, units)


@st.composite
def paces(draw: st.DrawFn, limited: Limits) -> Pace:
    pace = Pace(draw(rates), draw(st.one_of(st.just(0.0), rates)), draw(st.sampled_from([None, *LimitedBy])))
    return within(pace, limited)


@given(st.data())
def test_a_pace_is_never_above_the_ceiling_nor_below_a_floor(data: st.DataObject) -> None:
    limited = data.draw(known())
    pace = first(limited)
    for page in data.draw(st.lists(pages(), max_size=20)):
        assert min(FLOOR, limited.ceiling) <= pace.rate <= limited.ceiling
        assert 1 <= page_size(pace.rate) <= PAGE
        pace = after(pace, page, limited)
    assert min(FLOOR, limited.ceiling) <= pace.rate <= limited.ceiling


@given(st.data())
def test_a_pace_that_was_throttled_falls_by_half_or_more_and_tells_by_whom(data: st.DataObject) -> None:
    limited = data.draw(known())
    pace, page = data.draw(paces(limited)), data.draw(pages(throttled=True))

    slower = after(pace, page, limited)

    assert slower.rate <= max(pace.rate * CUT, min(FLOOR, limited.ceiling))
    assert slower.throttled_at == pace.rate
    by_kms = page.kms_throttles > page.table_throttles
    assert slower.limited_by is (LimitedBy.KMS_THROTTLED if by_kms else LimitedBy.TABLE_THROTTLED)


@given(st.data())
def test_a_pace_that_was_not_throttled_rises_by_the_step_at_most_whatever_it_is(data: st.DataObject) -> None:
    limited = data.draw(known())
    pace, page = data.draw(paces(limited)), data.draw(pages(throttled=False))

    faster = after(pace, page, limited)

    seconds = page.items / pace.rate
    assert faster.rate <= max(pace.rate + STEP / limited.at_once * min(seconds, 10), FLOOR) * (1 + 1e-9)
    assert faster.throttled_at == pace.throttled_at


@given(st.floats(1, 1e4), st.integers(1, 50))
def test_a_pace_that_nothing_hinders_rises_by_the_same_each_second_however_fast_it_is(
    rate: float, at_once: int
) -> None:
    """The increase is additive: it hangs on neither the rate nor the size of the pages."""
    pace = Pace(rate)
    page = Page(page_size(rate), 0.0)
    seconds = page.items / rate

    assert after(pace, page, Limits(at_once)).rate - rate == pytest.approx(STEP / at_once * seconds, rel=1e-3, abs=1e-9)


@settings(max_examples=30)
@given(st.floats(2, 300))
def test_a_throttled_pace_needs_a_minute_at_least_to_be_back_and_goes_on_from_there(rate: float) -> None:
    limited = Limits(at_once=1)
    pace = after(Pace(rate), Page(1, 0.0, table_throttles=1), limited)
    seconds = 0.0
    while pace.rate < rate:
        assert pace.limited_by is LimitedBy.TABLE_THROTTLED
        page = Page(page_size(pace.rate), 0.0)
        seconds += page.items / pace.rate
        pace = after(pace, page, limited)
        assert seconds < 10_000
    assert seconds >= RECOVERY * 0.95
    assert after(pace, Page(page_size(pace.rate), 0.0), limited).limited_by is None


@given(st.data())
def test_segments_that_have_read_the_number_of_those_left_at_any_time_stay_under_the_ceiling_together(
    data: st.DataObject,
) -> None:
    """Each segment that is left divides by how many were left at some moment before: by too many, never by too few."""
    ceiling, segments = data.draw(rates), data.draw(st.integers(1, 100))
    left = data.draw(st.integers(1, segments))
    seen = [data.draw(st.integers(left, segments)) for _ in range(left)]

    assert sum(limits(ceiling, {}, number).ceiling for number in seen) <= ceiling * (1 + 1e-9)


class TestWhatLimits:
    def test_given_no_limit_when_it_begins_then_it_is_modest_and_gets_faster(self) -> None:
        limited = limits(None, {}, 4)
        assert first(limited) == Pace(START / 4)
        assert after(first(limited), Page(25, 0.1), limited) == Pace(START / 4 + STEP / 4)

    def test_given_more_segments_than_are_worked_on_at_once_then_those_share_the_start(self) -> None:
        assert first(limits(None, {}, 1000, 4)).rate == START / 4

    def test_given_a_ceiling_when_it_is_reached_then_it_is_named(self) -> None:
        limited = limits(8, {}, 4)
        pace = first(limited)
        assert pace == Pace(2.0, 0.0, LimitedBy.CEILING)
        assert after(pace, Page(2, 0.1), limited) == pace

    def test_given_a_lowered_ceiling_when_a_page_follows_then_it_is_under_it_at_once(self) -> None:
        assert within(Pace(50.0, 60.0), limits(8, {}, 4)) == Pace(2.0, 60.0, LimitedBy.CEILING)

    def test_given_provisioned_capacity_when_pages_take_more_then_it_falls_to_what_it_may_take(self) -> None:
        limited = limits(None, {"write": 10.0, "read": 1000.0}, 2)

        begun = first(limited)
        pace = after(begun, Page(5, 0.1, units={"write": 20.0, "read": 5.0}), limited)

        assert begun.rate == 5.0  # As if each item took one unit.
        assert pace == Pace(5 * 5 / 20, 0.0, LimitedBy.TABLE_CAPACITY)  # Four units an item, of five a second.

    def test_given_an_index_with_less_capacity_then_it_is_what_limits(self) -> None:
        limited = limits(None, {"write": 1000.0, "write byUserId": 2.0}, 1)
        assert after(Pace(9.0), Page(9, 0.1, units={"write": 9.0, "write byUserId": 9.0}), limited).rate == 2.0

    def test_given_work_that_takes_as_long_as_the_pace_allows_then_it_stays_and_the_function_limits(self) -> None:
        limited = limits(None, {}, 1)
        assert after(Pace(100.0), Page(100, 1.0), limited) == Pace(100.0, 0.0, LimitedBy.FUNCTION)

    @pytest.mark.parametrize(("seconds", "rises"), [(0.9, True), (0.901, False)])
    def test_given_nine_tenths_of_a_pages_time_are_used_then_there_is_slack_and_beyond_there_is_none(
        self, seconds: float, rises: bool
    ) -> None:
        assert (after(Pace(100.0), Page(100, seconds), limits(None, {}, 1)).rate > 100) is rises

    def test_given_an_empty_page_when_it_is_done_then_it_says_nothing(self) -> None:
        assert after(Pace(100.0), Page(0, 1.0), limits(None, {}, 1)) == Pace(100.0)


@pytest.mark.parametrize(
    ("items", "seconds", "expected"), [(10, 0.5, 10.0), (10, 2.0, 5.0), (0, 0.0, 0.0)], ids=["rests", "late", "empty"]
)
def test_speed_counts_the_pause_that_follows(items: int, seconds: float, expected: float) -> None:
    assert speed(Pace(10.0), Page(items, seconds)) == expected


def test_a_page_is_a_seconds_worth() -> None:
    assert [page_size(rate) for rate in (0.01, 1.0, 7.9, 250.0, 1e6)] == [1, 1, 7, 100, 100]
    assert math.isinf(limits(None, {}, 3).ceiling)
