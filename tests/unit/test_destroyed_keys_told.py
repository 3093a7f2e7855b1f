"""Items whose key was destroyed on purpose: a sweep passes them over and tells of them."""

import pytest

from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.sweep import Sweep, read_sweep
from dynamodb_stream_encryptor.sweep_text import outcome, show_outcome
from tests.fake_control import sweep


def migrated(**counts: int) -> Sweep:
    return read_sweep(sweep(goal="encrypt", counts=counts))


def test_items_whose_key_was_destroyed_when_shown_then_counted_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    show_outcome(Output(), migrated(encrypted=708, destroyed=2))

    shown = " ".join(capsys.readouterr().out.split())
    assert "2 passed over: their tenant's key was destroyed" in shown
    assert "Done: 710 items." in shown


@pytest.mark.parametrize(
    ("counts", "succeeded"),
    [
        ({"encrypted": 710}, True),
        ({"encrypted": 709, "destroyed": 1}, True),
        ({"encrypted": 708, "destroyed": 1, "failed": 1}, False),
    ],
    ids=["all encrypted", "one key destroyed", "one failed"],
)
def test_sweep_when_it_is_done_then_it_succeeded_only_if_it_left_nothing(
    counts: dict[str, int], succeeded: bool
) -> None:
    assert migrated(**counts).succeeded is succeeded


def test_failed_and_destroyed_when_both_are_there_then_what_failed_is_told() -> None:
    assert outcome(migrated(failed=3, destroyed=1)) == "Done, but 3 of 710 items failed: see `failures list`."
