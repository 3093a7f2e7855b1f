"""Units, sizes and what they add up to: the figures that a plan rests on."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamodb_stream_encryptor.planning.sizes import GRAIN, Sizes
from dynamodb_stream_encryptor.planning.units import read_units, scan_units, write_units

SIZES = st.integers(0, 400 * 1024)


@pytest.mark.parametrize(
    ("size", "reads", "writes"),
    [(0, 1, 1), (1, 1, 1), (1024, 1, 1), (1025, 1, 2), (4096, 1, 4), (4097, 2, 5), (409_600, 100, 400)],
)
def test_units_are_rounded_up_as_dynamodb_does(size, reads, writes):
    assert (read_units(size), write_units(size)) == (reads, writes)


@given(SIZES, SIZES)
def test_larger_items_never_take_fewer_units(one, other):
    smaller, larger = sorted((one, other))
    assert read_units(smaller) <= read_units(larger)
    assert write_units(smaller) <= write_units(larger)
    assert scan_units(smaller) <= read_units(larger)


def test_sizes_are_counted_by_a_number_that_divides_both_units():
    assert 1024 % GRAIN == 0
    assert 4096 % GRAIN == 0


@given(st.lists(SIZES, min_size=1))
def test_units_of_counted_sizes_are_exact(sizes):
    counted = Sizes()
    for size in sizes:
        counted.add(size)
    assert counted.sum_of(read_units) == sum(map(read_units, sizes))
    assert counted.sum_of(write_units) == sum(map(write_units, sizes))
    assert (counted.count, counted.total) == (len(sizes), sum(sizes))
    assert (counted.least, counted.most) == (min(sizes), max(sizes))
    assert sum(count for _, count in counted.bands()) == len(sizes)


@given(st.lists(SIZES, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_the_true_one_to_within_the_grain(sizes, part):
    counted = Sizes()
    for size in sizes:
        counted.add(size)
    true = sorted(sizes)[max(-(-int(part * len(sizes) * 1e9) // 10**9) - 1, 0)]
    assert counted.quantile(part) >= true - GRAIN
    assert sum(size <= counted.quantile(part) for size in sizes) >= part * len(sizes) - 1e-6


def test_a_million_sizes_take_no_more_memory_than_there_are_multiples():
    counted, chance = Sizes(), random.Random(1)
    for _ in range(100_000):
        counted.add(chance.randrange(400 * 1024 + 1))
    assert len(counted._counts) <= 400 * 1024 // GRAIN + 1


def test_nothing_has_a_mean_of_zero():
    assert (Sizes().mean, Sizes().quantile(0.5), Sizes().mean_of(read_units)) == (0.0, 0, 0.0)
