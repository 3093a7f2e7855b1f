import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.event_sources.delivery import Delivery, Discard, Invoke, RetryPolicy, StreamRecord, Wait


def records(count, created=0.0):
    return [StreamRecord(sequence=number, created=created, event={}) for number in range(1, count + 1)]


class Run:
    """Takes a delivery to its end with a clock of its own; writes down what happens to each record."""

    def __init__(self, batch, policy, outcome, seconds_each=0.0):
        self.now = 0.0
        self.invoked, self.acknowledged, self.discarded, self.conditions = [], [], [], []
        self.resolved = []
        self.checkpoints = []
        delivery = Delivery(batch, policy)
        while (step := delivery.next_step(self.now)) is not None:
            match step:
                case Wait(seconds):
                    assert seconds > 0
                    self.now += seconds
                case Discard(lost, condition):
                    self.discarded.append([record.sequence for record in lost])
                    self.conditions.append((condition, step.invocations))
                    self.resolved += [record.sequence for record in lost]
                    delivery.discarded()
                case Invoke(given):
                    sequences = [record.sequence for record in given]
                    self.invoked.append(sequences)
                    self.now += seconds_each
                    failed = outcome(sequences)
                    if failed is None:
                        delivery.acknowledge()
                        taken = sequences
                    elif failed == "all":
                        delivery.fail(self.now)
                        taken = []
                    else:
                        delivery.fail(self.now, lowest=failed)
                        taken = [sequence for sequence in sequences if sequence < failed]
                    self.acknowledged += taken
                    self.resolved += taken
            assert len(self.invoked) < 10_000
            self.checkpoints.append(delivery.checkpoint)


def fails_with(*poison):
    return lambda sequences: "all" if set(poison) & set(sequences) else None


def reports(*poison):
    return lambda sequences: min(set(poison) & set(sequences), default=None)


def test_a_batch_that_succeeds_is_invoked_once():
    run = Run(records(3), RetryPolicy(), fails_with())
    assert run.invoked == [[1, 2, 3]]
    assert run.checkpoints[-1] == 3


def test_without_bisecting_the_whole_batch_is_retried_and_given_up():
    run = Run(records(3), RetryPolicy(max_retries=2), fails_with(2))
    assert run.invoked == [[1, 2, 3]] * 3
    assert run.discarded == [[1, 2, 3]]
    assert run.conditions == [("RetryAttemptsExhausted", 3)]


def test_bisecting_isolates_the_bad_record():
    run = Run(records(8), RetryPolicy(max_retries=1, bisect=True), fails_with(6))
    assert run.discarded == [[6]]
    assert run.acknowledged == [1, 2, 3, 4, 5, 7, 8]
    assert run.invoked[:4] == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [5, 6]]


def test_splitting_does_not_count_as_a_retry():
    run = Run(records(2), RetryPolicy(max_retries=0, bisect=True), fails_with(1))
    assert run.invoked == [[1, 2], [1], [2]]
    assert run.discarded == [[1]]


def test_a_partial_failure_goes_on_at_the_reported_record():
    run = Run(records(5), RetryPolicy(max_retries=1), reports(3))
    assert run.invoked == [[1, 2, 3, 4, 5], [3, 4, 5]]
    assert run.discarded == [[3, 4, 5]]  # without bisecting, those behind the bad record go with it


def test_a_partial_failure_with_bisecting_loses_the_bad_record_only():
    run = Run(records(8), RetryPolicy(max_retries=1, bisect=True), reports(3))
    assert run.discarded == [[3]]
    assert run.acknowledged == [1, 2, 4, 5, 6, 7, 8]


def test_retries_are_spaced_ever_wider_up_to_a_limit():
    policy = RetryPolicy(max_retries=4, first_delay=1, longest_delay=3)
    run = Run(records(1), policy, fails_with(1))
    assert run.now == 1 + 2 + 3 + 3


def test_records_that_are_too_old_are_discarded_without_an_invocation():
    batch = [StreamRecord(1, created=-100, event={}), StreamRecord(2, created=-1, event={})]
    run = Run(batch, RetryPolicy(max_age=60), fails_with())
    assert run.discarded == [[1]]
    assert run.conditions == [("RecordAgeExceeded", 0)]
    assert run.invoked == [[2]]


def test_with_unlimited_retries_the_age_ends_it():
    run = Run(records(2), RetryPolicy(max_age=60, bisect=True), fails_with(1), seconds_each=1)
    assert run.discarded == [[1], [2]]  # the second got too old while the first was retried
    assert [condition for condition, _ in run.conditions] == ["RecordAgeExceeded"] * 2
    assert 60 < run.now < 80


def test_the_checkpoint_never_passes_an_unresolved_record():
    delivery = Delivery(records(4), RetryPolicy(bisect=True))
    delivery.next_step(0)
    delivery.fail(0, lowest=3)
    assert delivery.checkpoint == 2
    assert delivery.next_step(0) == Invoke(tuple(records(4)[2:]))


def test_an_outcome_needs_a_step():
    delivery = Delivery(records(1), RetryPolicy())
    with pytest.raises(TypeError):
        delivery.acknowledge()


@given(
    count=st.integers(1, 12),
    bisect=st.booleans(),
    max_retries=st.integers(0, 3),
    max_age=st.none() | st.floats(0.5, 20),
    data=st.data(),
)
def test_every_record_is_resolved_once_and_in_order_whatever_happens(count, bisect, max_retries, max_age, data):
    def outcome(sequences):
        return data.draw(st.sampled_from([None, "all", *sequences]))

    policy = RetryPolicy(max_retries=max_retries, max_age=max_age, bisect=bisect)
    run = Run(records(count), policy, outcome, seconds_each=0.3)

    assert run.resolved == list(range(1, count + 1))
    assert all(invoked == list(range(invoked[0], invoked[-1] + 1)) for invoked in run.invoked)
    progress = [checkpoint or 0 for checkpoint in run.checkpoints]
    assert progress == sorted(progress)


@given(count=st.integers(1, 16), poison=st.sets(st.integers(1, 16)), reporting=st.booleans())
def test_with_bisecting_exactly_the_bad_records_are_lost(count, poison, reporting):
    outcome = reports(*poison) if reporting else fails_with(*poison)
    run = Run(records(count), RetryPolicy(max_retries=2, bisect=True), outcome)
    bad = [sequence for sequence in range(1, count + 1) if sequence in poison]
    assert [sequence for part in run.discarded for sequence in part] == bad
    assert run.acknowledged == [sequence for sequence in range(1, count + 1) if sequence not in poison]
