"""Until when copies of the table hold earlier plaintext."""

from datetime import UTC, datetime, timedelta

import pytest

from evidence.retention import Backup, PlaintextGone, copies, plaintext_gone
from evidence.sweep import read_sweep
from tests.fake_control import CLEAN, sweep

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
GONE = PlaintextGone(NOON, "")


def at(day, **fields):
    """A sweep that ended at noon of a day in January, a verification that found all well by default."""
    return read_sweep(sweep(**{"id": f"day-{day}", "finishedAt": f"2026-01-{day:02}T12:00:00+00:00", **fields}))


def encrypt(day, encrypted, **fields):
    return at(day, goal="encrypt", counts={"encrypted": encrypted, **fields.pop("counts", {})}, **fields)


VERIFIED = at(20)


@pytest.mark.parametrize(
    ("sweeps", "day"),
    [
        ([], 20),
        ([encrypt(10, 700)], 10),
        ([encrypt(10, 700), encrypt(5, 3)], 10),
        ([encrypt(15, 0), encrypt(10, 700)], 10),
        ([encrypt(15, 0), encrypt(14, 0)], 14),
        ([at(12), at(11)], 11),
        ([at(12, counts={**CLEAN, "plaintext": 1}), at(11), encrypt(10, 700)], 20),
        ([at(12, counts={**CLEAN, "oldForm": 1}), encrypt(10, 700)], 20),
        ([encrypt(10, 700, counts={"failed": 1})], 20),
        ([encrypt(10, 700, counts={"destroyed": 1})], 10),
        ([encrypt(10, 700, counts={"retried": 1})], 20),
        ([encrypt(10, 700, counts={"deferred": 1})], 20),
        ([encrypt(12, 5, state="cancelled"), encrypt(10, 700)], 20),
        ([at(12, goal="decrypt", counts={"decrypted": 5}), encrypt(10, 700)], 20),
        ([at(12, goal="re-encrypt", counts={"encrypted": 5}), encrypt(10, 700)], 10),
        ([encrypt(10, 700, settingVersion=0)], 20),
        ([encrypt(25, 700)], 20),
        ([encrypt(20, 700, id="another"), encrypt(10, 700)], 20),
        ([encrypt(10, 700, finishedAt=None, state="running")], 20),
        ([VERIFIED, encrypt(10, 700)], 10),
    ],
    ids=["alone", "migrated", "the later of two", "a catch-up that found nothing", "all found nothing",
         "earlier verifications", "plaintext between", "old form between, which can hide plaintext", "one failed",
         "one whose key was destroyed: no plaintext", "one left to the retry queue", "one deferred", "cancelled",
         "decrypted between", "re-encrypted between", "under an earlier setting", "after the verification",
         "ended with it", "still running", "listed itself"],
)  # fmt: skip
def test_the_time_is_never_earlier_than_what_is_proved(sweeps, day):
    gone = plaintext_gone(VERIFIED, sweeps)
    assert gone is not None
    assert gone.at == datetime(2026, 1, day, 12, tzinfo=UTC)


def test_a_sweep_that_began_before_an_attribute_was_listed_proves_nothing_of_it():
    began = datetime(2026, 1, 10, 11, tzinfo=UTC)
    sweeps = [encrypt(10, 700, startedAt=began.isoformat())]
    for listed_since, day in ((None, 10), (began, 10), (began + timedelta(seconds=1), 20)):
        gone = plaintext_gone(VERIFIED, sweeps, listed_since)
        assert gone is not None
        assert gone.at.day == day
    gone = plaintext_gone(VERIFIED, [encrypt(10, 700, startedAt=None)], began)
    assert gone is not None
    assert gone.at.day == 20


@pytest.mark.parametrize("state", ["plaintext", "mixed", "oldForm", "undecryptable"])
def test_there_is_no_time_while_there_may_be_plaintext(state):
    assert plaintext_gone(at(20, counts={**CLEAN, state: 1}), [encrypt(10, 700)]) is None


def test_there_is_no_time_without_a_verification_to_its_end():
    assert plaintext_gone(at(20, state="cancelled"), []) is None


def test_stream_and_point_in_time_recovery_end_some_time_after():
    stream, recovery = copies(GONE, True, 35, [], NOON)
    assert stream.until == NOON + timedelta(hours=24)
    assert recovery.until == NOON + timedelta(days=35)
    assert copies(GONE, None, 7, [], NOON)[1].until == NOON + timedelta(days=7)


def test_recovery_that_is_off_holds_nothing():
    assert copies(GONE, False, 35, [], NOON)[1].holds is False


def test_without_a_time_nothing_ends():
    assert [(place.holds, place.until) for place in copies(None, True, 35, [], NOON)] == [(True, None)] * 2


@pytest.mark.parametrize(
    ("backup", "holds", "until"),
    [
        (Backup("b", NOON - timedelta(days=1)), True, None),
        (Backup("b", NOON - timedelta(days=1), NOON + timedelta(days=9)), True, NOON + timedelta(days=9)),
        (Backup("b", NOON + timedelta(days=1)), False, None),
        (Backup("b", NOON - timedelta(days=9), NOON - timedelta(days=1)), False, NOON - timedelta(days=1)),
        (Backup("b", NOON), False, None),
        (Backup("b", NOON - timedelta(days=9), NOON + timedelta(days=2)), False, NOON + timedelta(days=2)),
    ],
    ids=["kept", "deleted by a plan", "made after", "deleted already", "made just then", "deleted now"],
)
def test_a_backup_holds_what_was_there_when_it_was_made(backup, holds, until):
    place = copies(GONE, True, 35, [backup], NOON + timedelta(days=2))[2]
    assert (place.holds, place.until) == (holds, until)


def test_without_a_time_every_backup_may_hold_plaintext():
    assert copies(None, True, 35, [Backup("b", NOON)], NOON)[2].holds is True
