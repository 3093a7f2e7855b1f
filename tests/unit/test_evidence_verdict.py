"""The verdict on a verification: green only where something was seen, and all of it is as the setting asks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.page import page
from evidence.report import Findings, evidence
from evidence.retention import copies, plaintext_gone
from evidence.summary import sentence
from evidence.sweep import read_sweep
from evidence.verdict import Judgement, Verdict, judge, wanted
from tests.fake_control import CLEAN, WHO, setting, status, sweep

NOWHERE = {"plaintext": 0, "encrypted": 0, "absent": 69}
MISSPELT = {
    "scanned": 69,
    "deep": True,
    "counts": {"none": 69},
    "attributes": {"histroy": NOWHERE, "configuraton": NOWHERE},
    "values": {"seen": 0, "decrypted": 0},
    "underKey": {},
}
DEEP = {"deep": True, "values": {"seen": 1400, "decrypted": 1400}}
OFF = {"setting": setting(False)}
BACK = {
    "counts": {"plaintext": 700, "none": 10},
    "attributes": {name: {"plaintext": 700, "encrypted": 0, "absent": 10} for name in ("history", "configuration")},
    "values": {"seen": 0, "decrypted": 0},
    "underKey": {},
}


def judged(found: dict[str, Any], *may_be_absent: str, **asked: Any) -> Judgement:
    return judge(read_sweep(sweep(**found)), wanted(status(**asked), may_be_absent))


def document(found: dict[str, Any], may_be_absent: tuple[str, ...] = (), **asked: Any) -> dict[str, Any]:
    return evidence(
        Findings(
            stack="chats",
            region="us-east-1",
            who=WHO,
            now=datetime(2026, 1, 2, 9, tzinfo=UTC),
            status=status(**asked),
            config={"history": []},
            failures={"failures": []},
            verification=read_sweep(sweep(**found)),
            backups=[],
            versions={},
            may_be_absent=may_be_absent,
        )
    )


def test_every_value_when_it_was_decrypted_then_verified_and_the_sentence_says_how_many() -> None:
    result = judged(DEEP)

    assert (result.verdict, result.findings) == (Verdict.VERIFIED, ())
    assert sentence(read_sweep(sweep(**DEEP)), result) == (
        "As it should be: 710 items, 1,400 values decrypted, no plaintext and no old form."
    )


def test_headers_when_only_they_were_read_then_neither_verdict_nor_sentence_is_that_of_a_deep_one() -> None:
    result = judged({})

    assert (result.verdict, result.findings) == (Verdict.BY_HEADERS, ())
    assert sentence(read_sweep(sweep()), result).startswith("As it should be by the headers: 710 items, 1,400 values, ")
    deep, headers = document(DEEP), document({})
    assert (deep["verdict"], headers["verdict"]) == ("as-it-should-be", "as-it-should-be-by-headers")
    assert deep["verification"]["method"] == "1,400 of 1,400 values decrypted"
    assert headers["verification"]["method"] == "the headers of 1,400 values read, and none decrypted"
    assert "every value was decrypted" in page(deep, "x", "y")
    assert "No value was decrypted." in page(headers, "x", "y")


def test_misspelt_attributes_when_no_item_has_them_then_each_is_a_finding_and_nothing_is_dated() -> None:
    asked = {"attributes": ["histroy", "configuraton"]}

    assert judged(MISSPELT, **asked).findings == (
        "No item has the attribute histroy: is that its name?",
        "No item has the attribute configuraton: is that its name?",
    )
    assert document(MISSPELT, **asked)["earlierPlaintext"]["encryptedBy"] is None
    assert judged(MISSPELT, "histroy", **asked).findings == (
        "No item has the attribute configuraton: is that its name?",
    )
    assert judged(MISSPELT, "histroy", "configuraton", **asked).verdict is Verdict.VERIFIED


def test_attribute_when_it_was_listed_only_after_the_verification_then_it_was_not_looked_at() -> None:
    (finding,) = judged(DEEP, attributes=["history", "configuration", "name"]).findings

    assert finding.startswith("The attribute name was not looked at")


def test_empty_table_when_verified_then_that_is_one_finding_of_its_own() -> None:
    empty = {**DEEP, "scanned": 0, "counts": {}, "attributes": {}, "values": {}, "underKey": {}}

    assert judged(empty).findings == ("The table is empty: nothing was looked at.",)
    assert judged(empty, "history").findings == ("The table is empty: nothing was looked at.",)
    assert judged(empty, "history", "configuration").findings == ()


def test_ciphertext_when_no_listed_attribute_is_behind_it_then_a_finding_names_it() -> None:
    stray = {**DEEP, "strays": {"encrypted_notes": 1}}

    (finding,) = judged(stray).findings
    assert finding.startswith("1 item has ciphertext in encrypted_notes, which no listed attribute is behind")
    assert judged(stray, "encrypted_notes").findings == ()
    # To expect that an attribute is absent is not to expect its ciphertext under a name that nobody reads.
    assert judged(stray, "notes").findings == (finding,)
    assert "encrypted_notes" in page(document(stray), "x", "y")


def test_switched_off_when_all_is_decrypted_then_as_it_should_be() -> None:
    result = judged({**BACK, "deep": True}, **OFF)

    assert (result.verdict, result.findings) == (Verdict.VERIFIED, ())
    assert sentence(read_sweep(sweep(**BACK, deep=True)), result) == (
        "As it should be: encryption is off, and 710 items, 0 values decrypted, nothing is encrypted."
    )
    assert judged(BACK, **OFF).verdict is Verdict.BY_HEADERS


@pytest.mark.parametrize("state", ["mixed", "encrypted", "oldForm", "conflicts", "undecryptable"])
def test_switched_off_when_something_is_encrypted_still_then_a_finding(state: str) -> None:
    (finding,) = judged({**BACK, "counts": {"plaintext": 700, state: 1}}, **OFF).findings

    assert finding.startswith("1 item ")
    assert finding.endswith(", though encryption is off.")


@pytest.mark.parametrize("state", ["plaintext", "mixed", "oldForm", "conflicts", "undecryptable"])
def test_switched_on_when_something_is_left_then_a_finding(state: str) -> None:
    result = judged({**DEEP, "counts": {**CLEAN, state: 2}})

    assert (result.verdict, len(result.findings)) == (Verdict.FINDINGS, 1)
    assert sentence(read_sweep(sweep(**DEEP)), result).startswith("Not as it should be: of 710 items, 2 ")


def test_setting_when_it_changed_meanwhile_or_is_unknown_then_the_verdict_is_never_the_milder_one() -> None:
    assert judged(DEEP, setting=setting(True, 2)).findings == ("The setting was changed after the verification began.",)
    assert judged({**BACK, "settingVersion": None}, setting=None).wrong == {"plaintext": 700}


def test_values_when_fewer_were_decrypted_than_seen_then_a_finding_whatever_the_states_say() -> None:
    assert judged({**DEEP, "values": {"seen": 1400, "decrypted": 1399}}).findings == (
        "Of 1,400 encrypted values, 1,399 were decrypted.",
    )


@pytest.mark.parametrize("state", ["running", "paused", "cancelled", "stopped"])
def test_verification_when_it_did_not_end_then_never_as_it_should_be(state: str) -> None:
    assert judged({**DEEP, "state": state}).verdict is Verdict.FINDINGS


@pytest.mark.parametrize(
    ("view_type", "holds", "words"),
    [
        ("KEYS_ONLY", False, "hold keys and never a value"),
        ("NEW_IMAGE", True, "The stream's view type is NEW_IMAGE"),
        (None, True, "view type is unknown"),
    ],
)
def test_stream_when_it_has_keys_only_then_it_holds_no_plaintext_and_needs_no_date(
    view_type: str | None, holds: bool, words: str
) -> None:
    stream = copies(None, None, 35, [], datetime(2026, 1, 2, tzinfo=UTC), view_type)[0]

    assert (stream.holds, stream.until) == (holds, None)
    assert words in stream.note


def test_report_when_written_then_it_says_which_table_and_how_it_is_encrypted() -> None:
    found = document({**DEEP, "encodings": {"base64": 1390, "binary": 10}})
    shown = page(found, "x", "y")

    assert found["table"]["arn"] == "arn:aws:dynamodb:us-east-1:111122223333:table/chat-sessions"
    assert (found["table"]["account"], found["table"]["streamViewType"]) == ("111122223333", "NEW_AND_OLD_IMAGES")
    assert found["encryption"] == {
        "algorithm": "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
        "encoding": "base64",
        "contextAttributes": ["userId", "sessionId"],
        "purpose": "session-encryption",
    }
    for words in (found["table"]["arn"], "111122223333", "NEW_AND_OLD_IMAGES", "COMMIT_KEY", "purpose = session-enc"):
        assert words in shown
    assert found["verification"]["byAttribute"]["history"] == {"plaintext": 0, "encrypted": 700, "absent": 10}
    assert found["verification"]["byEncoding"] == {"base64": 1390, "binary": 10}
    assert "base64; found: 1,390 values as base64, 10 values as binary" in shown


def test_plaintext_when_an_attribute_was_added_later_then_earlier_sweeps_say_nothing_of_its_end() -> None:
    verification = read_sweep(
        sweep(id="v", **DEEP, startedAt="2026-03-01T08:00:00Z", finishedAt="2026-03-01T08:30:00Z")
    )
    before = read_sweep(
        sweep(id="m", goal="encrypt", counts={"encrypted": 700}, startedAt="2026-01-02T08:00:00Z",
              finishedAt="2026-01-02T09:00:00Z")
    )  # fmt: skip

    known = plaintext_gone(verification, [before], datetime(2026, 1, 1, tzinfo=UTC))
    added = plaintext_gone(verification, [before], datetime(2026, 2, 1, tzinfo=UTC))

    assert (known and known.at) == before.finished_at
    assert (added and added.at) == verification.finished_at


def test_report_when_an_attribute_was_added_later_then_its_date_is_the_verifications() -> None:
    early = sweep(id="m", goal="encrypt", counts={"encrypted": 700}, startedAt="2026-01-01T08:00:00Z",
                  finishedAt="2026-01-01T09:00:00Z")  # fmt: skip
    since = {
        "history": "2025-12-01T00:00:00Z",
        "configuration": "2026-01-02T00:00:00Z",
        "dropped": "2026-02-01T00:00:00Z",
    }

    assert document(DEEP, sweeps=[early])["earlierPlaintext"]["encryptedBy"] == "2026-01-01T09:00:00Z"
    added = document(DEEP, sweeps=[early], attributesSince=since)["earlierPlaintext"]
    assert added["encryptedBy"] == "2026-01-02T08:30:00Z"
