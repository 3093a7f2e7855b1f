"""The verdict on a part: never one on the whole table, and each item is judged by its own policy."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dynamodb_stream_encryptor.judgement import read_judgement
from evidence.page import page
from evidence.report import Findings, evidence
from evidence.retention import plaintext_gone
from evidence.summary import sentence, summary
from evidence.sweep import read_sweep
from evidence.verdict import Judgement, Verdict, inside, judge, wanted
from tests.fake_control import WHO, setting, status, sweep

PART = {"setting": {**setting(), "part": {"buckets": 100, "of": 10_000}}}
GOOD: dict[str, Any] = {
    "counts": {"encrypted": 7, "none": 1},
    "outside": {"plaintext": 700, "none": 2},
    "values": {"seen": 14, "decrypted": 14},
    "deep": True,
}


def judged(found: dict[str, Any], **asked: Any) -> Judgement:
    return judge(read_sweep(sweep(**found)), wanted(status(**(asked or PART))))


def document(found: dict[str, Any]) -> dict[str, Any]:
    return evidence(
        Findings(
            stack="chats",
            region="us-east-1",
            who=WHO,
            now=datetime(2026, 1, 2, 9, tzinfo=UTC),
            status=status(**PART),
            config={"history": [PART["setting"]]},
            failures={"failures": []},
            verification=read_sweep(sweep(**found)),
            backups=[],
            versions={},
        )
    )


def test_part_when_all_inside_is_encrypted_and_all_outside_plaintext_then_the_part_is_as_it_should_be() -> None:
    result = judged(GOOD)

    assert (result.verdict, result.findings) == (Verdict.PART_VERIFIED, ())
    assert sentence(read_sweep(sweep(**GOOD)), result) == (
        "The part is as it should be: 1% of the keys, 8 items of 710, 14 values decrypted, no plaintext and no old "
        "form in it. This says nothing of the other 702 of 710 items, which stay in plaintext."
    )


def test_part_when_only_headers_were_read_then_it_says_so() -> None:
    found = {**GOOD, "deep": False, "values": {"seen": 14, "decrypted": 0}}
    result = judged(found)

    assert result.verdict is Verdict.PART_BY_HEADERS
    assert sentence(read_sweep(sweep(**found)), result).startswith(
        "The part is as it should be by the headers: 1% of the keys, 8 items of 710, 14 values, "
    )


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize(
    "counts",
    [{"encrypted": 7, "none": 1}, {"encrypted": 7, "none": 1, "plaintext": 1}],
)
def test_part_whatever_is_found_then_no_verdict_reads_like_one_of_the_whole_table(
    counts: dict[str, int], deep: bool
) -> None:
    found = {**GOOD, "counts": counts, "deep": deep}
    result = judged(found)

    assert result.verdict not in (Verdict.VERIFIED, Verdict.BY_HEADERS)
    assert not sentence(read_sweep(sweep(**found)), result).startswith("As it should be")


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"counts": {"encrypted": 6, "plaintext": 1, "none": 1}}, "1 item in plaintext."),
        ({"counts": {"encrypted": 6, "oldForm": 2}}, "2 items encrypted in the old form."),
        ({"outside": {"plaintext": 690, "encrypted": 12}}, "12 items encrypted, though outside of the part."),
        ({"outside": {"plaintext": 701, "mixed": 1}}, "1 item partly in plaintext, though outside of the part."),
        ({"outside": {"plaintext": 701, "undecryptable": 1}},
         "1 item that cannot be decrypted, though outside of the part."),
        ({"outside": {"plaintext": 702, "conflicts": 1}},
         "1 item with a conflict to look at, though outside of the part."),
    ],
)  # fmt: skip
def test_part_when_an_item_is_not_as_its_own_policy_has_it_then_it_is_a_finding(
    changed: dict[str, Any], finding: str
) -> None:
    result = judged({**GOOD, **changed})

    assert (result.verdict, result.findings, result.other_findings) == (Verdict.FINDINGS, (finding,), ())


def test_part_when_no_item_is_in_it_then_nothing_was_looked_at() -> None:
    result = judged({**GOOD, "counts": {}, "outside": {"plaintext": 710}})

    assert result.verdict is Verdict.FINDINGS
    assert result.findings == ("No item is in the part (1% of the keys): nothing of it was looked at.",)


def test_part_when_items_outside_keep_conflicts_then_each_is_one_item_all_the_same() -> None:
    found = {**GOOD, "outside": {"plaintext": 700, "none": 2, "conflicts": 8}}

    assert inside(read_sweep(sweep(**found))) == 8
    assert judged(found).findings == ("8 items with a conflict to look at, though outside of the part.",)


NOTHING = "No item of the part (1% of the keys) has anything to encrypt: nothing was verified."


@pytest.mark.parametrize(
    ("may_be_absent", "verdict", "findings"),
    [
        (
            (),
            Verdict.FINDINGS,
            ("No item of the part (1% of the keys) has anything to encrypt: nothing was verified.",),
        ),
        (("history", "configuration"), Verdict.PART_VERIFIED, ()),
    ],
)
def test_part_when_none_of_its_items_has_anything_to_encrypt_then_a_count_of_nothing_is_no_good_count(
    may_be_absent: tuple[str, ...], verdict: Verdict, findings: tuple[str, ...]
) -> None:
    found = {**GOOD, "counts": {"none": 8}, "values": {"seen": 0, "decrypted": 0}}

    result = judge(read_sweep(sweep(**found)), wanted(status(**PART), may_be_absent))

    assert (result.verdict, result.findings) == (verdict, findings)


def test_part_when_it_was_left_since_then_what_was_outside_counts_too() -> None:
    result = judged(GOOD, setting=setting(version=2))

    assert result.verdict is Verdict.FINDINGS
    assert result.wrong == {"plaintext": 700}
    assert "The setting was changed after the verification began." in result.findings


@pytest.mark.parametrize("part", [{"buckets": 100, "of": 10_000}, {"keys": 3}, {"colour": "red"}, {}, 0, False])
def test_part_whatever_it_is_told_as_then_it_is_never_taken_for_all(part: Any) -> None:
    asked = {"setting": {**setting(), "part": part}}

    assert judge(read_sweep(sweep(**GOOD)), wanted(status(**asked))).verdict is Verdict.PART_VERIFIED


def test_summary_when_of_a_part_then_each_state_says_whose_it_is() -> None:
    found = read_sweep(sweep(**{**GOOD, "outside": {"plaintext": 690, "encrypted": 12}}))
    shown = summary(found, judge(found, wanted(status(**PART))))

    states = {state["words"]: (state["items"], state["wrong"]) for state in shown["states"]}
    assert states["encrypted, in the part"] == (7, False)
    assert states["in plaintext, outside of the part"] == (690, False)
    assert states["encrypted, outside of the part"] == (12, True)
    assert read_judgement(shown).good is False
    assert shown["sentence"] == "Not as it should be: of 710 items, 12 encrypted outside of the part."


def test_command_when_the_part_is_as_it_should_be_then_the_verdict_is_good_and_not_green() -> None:
    found = read_sweep(sweep(**GOOD))
    judgement = read_judgement(summary(found, judge(found, wanted(status(**PART)))))

    assert (judgement.good, judgement.style) == (True, "yellow")


def test_report_when_on_for_a_part_then_it_is_not_as_it_should_be_and_dates_nothing() -> None:
    made = document(GOOD)

    assert made["verdict"] == "not-as-it-should-be"
    assert made["findings"] == ["Encryption is on for 1% of the keys only: all other writes are stored in plaintext."]
    assert made["verification"]["byState"]["plaintext"] == 700
    assert made["verification"]["outsideByState"]["plaintext"] == 700
    assert made["verification"]["part"] == "1% of the keys"
    assert made["earlierPlaintext"]["encryptedBy"] is None
    assert "on for 1% of the keys only" in page(made, "x", "y")


def test_dates_when_a_verification_counted_outside_of_a_part_then_there_are_none() -> None:
    assert plaintext_gone(read_sweep(sweep(**{**GOOD, "outside": {"none": 702}})), []) is None
