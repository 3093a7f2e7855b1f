"""The simulated event source beside the local stack: they agree on how long items stand in plaintext."""

import pytest

from benchmarks.scale import local

pytestmark = pytest.mark.usefixtures("dynamodb_local")  # Where it is missing, all this is skipped.
FACTOR = 3.0  # Loose: other tests take the processors meanwhile. The document has what a run by itself gave.


def test_windows_when_simulated_then_they_are_about_those_of_the_local_stack() -> None:
    found = local.measure("local", rates=(5, 20), seconds=12)
    assert [one.rate for one in found] == [5, 20]
    for one in found:
        assert one.writes > 6 * one.rate
        for measured, simulated in zip(one.measured, one.simulated, strict=True):
            assert measured / FACTOR < simulated < measured * FACTOR, one
