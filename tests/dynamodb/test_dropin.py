"""The drop-in beside a plain table, on DynamoDB Local: the same calls give the same answers."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dropin import Pair, steps


# Nothing is shrunk: it takes minutes here, and a series is short.
@settings(
    phases=[Phase.explicit, Phase.generate],
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.usefixtures("database")
@given(series=st.lists(steps(), min_size=1, max_size=12))
def test_series_of_calls_when_made_to_both_then_answers_and_tables_are_the_same(series: list[Any]) -> None:
    pair = Pair()
    for step in series:
        pair.do(step)
