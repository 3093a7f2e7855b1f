"""An alarm on what waits goes off while there is time to act: well before the message is given up."""

import pytest

from migrator.sweep import longest_life
from tests.unit.sam_template import Stack, source, translated

TEMPLATE = source()


def most_receipts(queue: str) -> int:
    most: int = TEMPLATE["Resources"][queue]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    return most


@pytest.mark.parametrize(("receipts", "seconds"), [(1, 0), (2, 10), (3, 30), (8, 10 * (2**6 - 1) + 600), (9, 1830)])
def test_message_of_a_sweep_that_fails_each_time_then_it_waits_twice_as_long_up_to_ten_minutes(
    receipts: int, seconds: int
) -> None:
    assert longest_life(receipts) == seconds


def test_message_of_a_sweep_that_fails_each_time_then_the_alarm_leaves_half_of_its_life_to_act() -> None:
    alarm = TEMPLATE["Parameters"]["OldestWorkAlarmMinutes"]["Default"] * 60
    assert 2 * alarm <= longest_life(most_receipts("WorkQueue"))


@pytest.mark.parametrize(
    ("parameter", "queue"), [("OldestRetryAlarmMinutes", "RetryQueue"), ("OldestDeferredAlarmMinutes", "DeferredQueue")]
)
def test_key_that_fails_each_time_then_the_alarm_leaves_half_of_its_life_to_act(parameter: str, queue: str) -> None:
    hidden = Stack(translated(), {}).properties(queue)["VisibilityTimeout"]
    alarm = TEMPLATE["Parameters"][parameter]["Default"] * 60
    assert 2 * alarm <= (most_receipts(queue)) * hidden
