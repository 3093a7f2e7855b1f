"""A judgement as it is shown: what was counted, zeros too, and what of it should not be."""

import json
from typing import Any

from evidence.summary import summary
from evidence.sweep import read_sweep
from evidence.verdict import STATE_WORDS, judge, wanted
from tests.fake_control import CLEAN, setting, status, sweep


def summarised(**found: Any) -> dict[str, Any]:
    verification = read_sweep(sweep(**found))
    return summary(verification, judge(verification, wanted(status())))


def test_clean_table_when_summarised_then_every_state_is_told_and_none_is_wrong() -> None:
    shown = summarised()

    assert shown["verdict"] == "as-it-should-be-by-headers"
    assert {state["state"]: state["items"] for state in shown["states"]} == CLEAN
    assert [state["words"] for state in shown["states"]] == list(STATE_WORDS.values())
    assert not any(state["wrong"] for state in shown["states"])
    assert (shown["findings"], shown["otherFindings"]) == ([], [])
    assert json.loads(json.dumps(shown)) == shown


def test_states_that_were_not_counted_when_summarised_then_they_are_none() -> None:
    items = {state["state"]: state["items"] for state in summarised(counts={"encrypted": 710})["states"]}
    assert items == {**dict.fromkeys(STATE_WORDS, 0), "encrypted": 710}


def test_findings_when_summarised_then_those_that_no_count_shows_are_told_apart() -> None:
    shown = summarised(counts={**CLEAN, "plaintext": 3}, strays={"encrypted_notes": 1})

    assert [state["state"] for state in shown["states"] if state["wrong"]] == ["plaintext"]
    assert shown["sentence"] == "Not as it should be: of 710 items, 3 in plaintext."
    assert shown["findings"][0] == "3 items in plaintext."
    (other,) = shown["otherFindings"]
    assert "encrypted_notes" in other


def test_other_counts_when_summarised_then_they_follow_and_only_failures_are_wrong() -> None:
    shown = summarised(counts={**CLEAN, "failed": 2, "later": 5})

    assert shown["states"][-2:] == [
        {"state": "failed", "words": "failed", "items": 2, "wrong": True},
        {"state": "later", "words": "later", "items": 5, "wrong": False},
    ]
    assert not summarised(counts={**CLEAN, "failed": 0})["states"][-1]["wrong"]


def test_plaintext_when_encryption_is_off_then_it_is_not_wrong() -> None:
    verification = read_sweep(sweep(counts={"plaintext": 700, "encrypted": 1}))
    shown = summary(verification, judge(verification, wanted(status(setting=setting(False)))))

    assert [state["state"] for state in shown["states"] if state["wrong"]] == ["encrypted"]
