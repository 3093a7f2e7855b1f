"""Everything at once on DynamoDB Local, by seed: whatever the order and whatever fails, nothing is lost or told.

make test-dynamodb                          what CI runs
make test-dynamodb STEPS=5000 SEEDS=20      longer
make test-dynamodb SEED=17                  one run again
"""

import os
from collections import Counter
from typing import Final

import pytest

from tests.dynamodb.bursts import Bursts, UnsweptBursts
from tests.dynamodb.two_encodings import TwoEncodings
from tests.dynamodb.unswept import Unswept
from tests.dynamodb.world import World

STEPS: Final = int(os.environ.get("STEPS") or 400)
SEEDS: Final = (
    [int(os.environ["SEED"])] if os.environ.get("SEED") else list(range(1, int(os.environ.get("SEEDS") or 6) + 1))
)
VIEWS: Final = ("KEYS_ONLY", "NEW_AND_OLD_IMAGES")
_QUIET: Final = 100  # Steps after which everything comes to rest and is checked.
_SOON: Final = 40  # The same where no sweep repairs anything, but a later write may.


@pytest.mark.parametrize("kind", [World, Bursts])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("database")
def test_writers_functions_sweeps_and_faults_in_any_order_then_nothing_is_lost_left_or_told(
    seed: int, kind: type[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = kind(monkeypatch, seed, VIEWS[seed % 2])
    with world.listening():
        world.run_often(STEPS // _QUIET, _QUIET)

    done = world.count
    assert done["written"] > STEPS / 25, f"seed {seed} tries too little: {done}"
    assert done["invoked"] > STEPS / 10, f"seed {seed} tries too little: {done}"
    assert done["carried on"] > STEPS / 400, f"seed {seed} tries too little: {done}"
    check_together(world, STEPS)


@pytest.mark.parametrize("kind", [Unswept, UnsweptBursts])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("database")
def test_no_sweep_when_all_queues_are_empty_then_nothing_is_left_in_plaintext(
    seed: int, kind: type[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = kind(monkeypatch, seed, VIEWS[seed % 2])
    with world.listening():
        world.run_often(STEPS // _QUIET, _SOON)

    steps = STEPS // _QUIET * _SOON
    assert world.count["written"] > steps / 25, f"seed {seed} tries too little: {world.count}"
    check_together(world, steps)


def check_together(world: World, steps: int) -> None:
    """Check that many items were written in one request where they are to be, and that this went wrong at times."""
    fates = Counter(line.split()[-1] for line in world.wire.trace if "BatchExecuteStatement" in line)
    if not world.batched:
        assert not fates
        return
    assert fates.total() > steps / 80, f"too few requests of many items: {fates}"
    assert fates.total() > fates["answered"], f"none of the requests of many items went wrong: {fates}"


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.usefixtures("database")
def test_environments_that_store_in_different_encodings_then_nothing_is_lost_left_or_told_and_it_comes_to_rest(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = TwoEncodings(monkeypatch, seed, VIEWS[seed % 2])
    with world.listening():
        world.run_often(STEPS // _QUIET, _QUIET)

    assert min(world.stored.values()) > STEPS / _QUIET, f"seed {seed} tries too little: {world.stored}"


@pytest.mark.usefixtures("database")
def test_same_seed_then_the_same_requests_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traces = []
    for name in ("once", "again"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"same{name}")
        world = World(monkeypatch, seed=7)
        with world.listening():
            world.run(120)
        traces.append(world.wire.trace)

    assert traces[0] == traces[1]
    assert len(traces[0]) > 30
