"""The evidence, and the page that shows it."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from evidence.chart import Bar, bars
from evidence.page import page
from evidence.report import Findings, evidence
from evidence.retention import Backup
from evidence.sweep import read_sweep
from tests.fake_control import CLEAN, EARLIER_KEY, KEY, WHO, setting, status, sweep

HOSTILE = "</td><script>alert('x')</script>\"&"


def findings(**fields: Any) -> Findings:
    """What is known where all is as it should be, but for `fields`."""
    given = {
        "stack": "chats",
        "region": "us-east-1",
        "who": WHO,
        "now": datetime(2026, 1, 2, 9, tzinfo=UTC),
        "status": status(),
        "config": {"history": [setting()]},
        "failures": {"failures": []},
        "verification": read_sweep(sweep()),
        "backups": [],
        "versions": {"boto3": "1.0"},
    }
    return Findings(**{**given, **fields})


def test_all_as_it_should_be():
    document = evidence(findings())
    assert document["verdict"] == "as-it-should-be-by-headers"
    assert document["findings"] == []
    assert document["generatedAt"] == "2026-01-02T09:00:00Z"
    assert document["verification"]["byState"] == CLEAN
    assert document["verification"]["byKey"] == {KEY: 700}
    earlier = document["earlierPlaintext"]
    assert earlier["encryptedBy"] == "2026-01-02T08:30:00Z"
    assert [place["until"] for place in earlier["copies"]] == ["2026-01-03T08:30:00Z", "2026-02-06T08:30:00Z"]
    assert earlier["goneEverywhereBy"] == "2026-02-06T08:30:00Z"
    assert json.loads(json.dumps(document)) == document


def test_states_that_were_not_counted_are_none():
    verification = read_sweep(sweep(counts={"encrypted": 700}, outside={}))
    by_state = evidence(findings(verification=verification))["verification"]["byState"]
    assert by_state == {**dict.fromkeys(CLEAN, 0), "encrypted": 700}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "status": status(setting=setting(False)),
                "verification": read_sweep(sweep(counts={"plaintext": 700, "none": 10})),
            },
            "Encryption is off",
        ),
        ({"status": status(setting=setting(True, 2))}, "changed after the verification began"),
        ({"status": status(mapping={"state": "Disabled"})}, "mapping is Disabled"),
        ({"status": status(mapping={"state": None})}, "mapping is unknown"),
        ({"status": status(key={"arn": KEY, "state": "PendingDeletion", "rotationEnabled": True})}, "PendingDeletion"),
        ({"status": status(key={"arn": KEY, "state": "Enabled", "rotationEnabled": False})}, "rotation is off"),
        ({"status": status(failureQueue={"messages": 2})}, "2 failures open"),
        ({"failures": {"failures": [{"id": "m-1"}]}}, "1 failure open"),
        ({"verification": read_sweep(sweep(state="cancelled"))}, "did not end: it is cancelled"),
        ({"verification": read_sweep(sweep(counts={**CLEAN, "plaintext": 1}))}, "1 item in plaintext"),
        ({"verification": read_sweep(sweep(counts={**CLEAN, "oldForm": 2}))}, "2 items encrypted in the old form"),
        ({"verification": read_sweep(sweep(counts={**CLEAN, "conflicts": 1}))}, "1 item with a conflict"),
        ({"verification": read_sweep(sweep(counts={**CLEAN, "failed": 4}))}, "4 items could not be looked at"),
        (
            {
                "status": status(earlierKeys=[EARLIER_KEY]),
                "verification": read_sweep(sweep(underKey={KEY: 1, EARLIER_KEY: 699})),
            },
            "699 items still under the earlier key",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_thing_that_is_not_as_it_should_be_is_one_finding(fields, words):
    document = evidence(findings(**fields))
    assert document["verdict"] == "not-as-it-should-be"
    assert len(document["findings"]) == 1
    assert words in document["findings"][0]


def test_an_earlier_key_that_no_item_needs_is_no_finding():
    assert evidence(findings(status=status(earlierKeys=[EARLIER_KEY])))["findings"] == []


def test_the_window_of_point_in_time_recovery_is_the_tables_own():
    recovery = {"pitr": True, "days": 7, "earliest": None, "latest": None}
    copy = evidence(findings(status=status(recovery=recovery)))["earlierPlaintext"]["copies"][1]
    assert copy["until"] == "2026-01-09T08:30:00Z"


def test_a_backup_without_an_end_leaves_no_date_for_all():
    earlier = evidence(findings(backups=[Backup("old", datetime(2025, 1, 1, tzinfo=UTC))]))["earlierPlaintext"]
    assert earlier["goneEverywhereBy"] is None
    assert earlier["copies"][2]["mayHold"] is True


def test_there_is_no_date_while_there_is_plaintext():
    earlier = evidence(findings(verification=read_sweep(sweep(counts={**CLEAN, "plaintext": 1}))))["earlierPlaintext"]
    assert earlier["encryptedBy"] is None
    assert earlier["goneEverywhereBy"] is None


def test_no_key_of_an_item_is_in_it():
    failure = {"id": "m-1", "kind": "item", "key": {"userId": {"S": "alice"}}, "reason": "too-large", "body": "alice"}
    document = evidence(findings(failures={"failures": [failure]}))
    assert document["failures"]["listed"][0]["reason"] == "too-large"
    assert "alice" not in json.dumps(document) + page(document, "x.json", "0")


class Parsed(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in ("line", "rect") or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(value: Any) -> Any:
    """Return a document with every text in it replaced, times included."""
    match value:
        case str():
            return HOSTILE
        case dict():
            return {name: hostile(member) for name, member in value.items()}
        case list():
            return [hostile(member) for member in value]
        case _:
            return value


def test_the_page_shows_what_is_in_the_evidence():
    failures = {"failures": [{"id": "m-1", "kind": "item", "reason": "too-large", "time": None, "attempts": 1}]}
    document = evidence(findings(failures=failures, backups=[Backup("old", datetime(2025, 1, 1, tzinfo=UTC))]))
    shown = Parsed(page(document, "evidence.json", "ab12"))
    for words in (
        "chat-sessions",
        KEY,
        WHO,
        "Not all is as it should be.",
        "1 failure open",
        "too-large",
        "backup old",
    ):
        assert words in shown.text
    for words in (
        "backup old",
        "700 · 98.6 %",
        "2026-01-03 08:30 UTC",
        "every 90 days",
        "evidence.json",
        "ab12",
        "boto3 1.0",
    ):
        assert words in shown.text
    assert shown.open == []


def test_the_page_shows_ciphertext_that_no_attribute_is_behind_only_where_there_is_some():
    document = evidence(findings())
    words = "Ciphertext that no listed attribute is behind"
    assert words not in Parsed(page(document, "x", "y")).text
    document["verification"]["notListed"] = {"encrypted_notes": 1234}
    shown = Parsed(page(document, "x", "y")).text
    assert words in shown
    assert "encrypted_notes1,234" in shown


def test_the_page_shows_attributes_only_where_they_were_counted():
    document = evidence(findings())
    head = '<th scope="col">in plaintext</th>'
    assert head in page(document, "x", "y")
    document["verification"]["byAttribute"] = {}
    assert head not in page(document, "x", "y")


@pytest.mark.parametrize(
    ("key", "shown", "hidden"),
    [
        ({"rotationEnabled": True, "rotationPeriodInDays": 90}, "on every 90 days", "next"),
        ({"rotationEnabled": True, "nextRotationDate": "2026-04-01T00:00:00+00:00"}, "on, next 2026-04-01", "every"),
        ({"rotationEnabled": True, "nextRotationDate": "some day"}, "on, next some day", "every"),
        ({"rotationEnabled": False, "rotationPeriodInDays": 90}, "off or unknown", "every"),
        ({}, "off or unknown", "next"),
    ],
)
def test_the_page_says_of_a_keys_rotation_what_is_known(key, shown, hidden):
    document = evidence(findings())
    document["key"] = {"arn": KEY, "state": "Enabled", **key}
    section = Parsed(page(document, "x", "y")).text.split("rotation", 1)[1][:60]
    assert section.startswith(shown)
    assert hidden not in section.split("Items")[0]


def test_nothing_in_the_evidence_becomes_markup():
    failures = {"failures": [{"id": "m-1", "kind": "item", "reason": "too-large", "time": "x", "attempts": 1}]}
    document = evidence(findings(failures=failures))
    document = {**hostile(document), "generatedAt": document["generatedAt"]}
    document["earlierPlaintext"] |= {"encryptedBy": HOSTILE, "goneEverywhereBy": HOSTILE}
    document["earlierPlaintext"]["copies"] = [{"name": HOSTILE, "mayHold": False, "until": None, "note": HOSTILE}]
    document["verification"]["byKey"] = {HOSTILE: 5}
    text = page(document, HOSTILE, HOSTILE)
    shown = Parsed(text)
    assert "script" not in shown.tags
    assert shown.open == []
    assert HOSTILE in shown.text


def test_the_page_says_when_a_copy_is_over():
    document = evidence(findings(now=datetime(2026, 1, 20, tzinfo=UTC)))
    assert "over since 2026-01-03 08:30 UTC" in Parsed(page(document, "x", "y")).text


@pytest.mark.parametrize(("listed", "rest"), [(1, None), (0, "and 1 more."), (50, None)])
def test_the_page_says_how_many_failures_it_does_not_list(listed, rest):
    failure = {"id": "m-1", "kind": "item", "reason": "too-large", "time": None, "attempts": 1}
    document = evidence(findings())
    document["failures"] = {"messages": 1, "listed": [failure] * listed}
    text = Parsed(page(document, "x", "y")).text
    assert ("more." in text) == (rest is not None)
    assert rest is None or rest in text


def test_a_copy_is_over_from_its_date_on():
    document = evidence(findings())
    for until, words in (("2026-01-20T00:00:00+00:00", "over"), ("2026-01-20T00:00:01+00:00", "until")):
        place = {"name": "a copy", "mayHold": True, "until": until, "note": ""}
        document["earlierPlaintext"]["copies"] = [place]
        document["generatedAt"] = "2026-01-20T00:00:00+00:00"
        text = Parsed(page(document, "x", "y")).text
        assert ("over since" in text, "until 2026-01-20" in text) == (words == "over", words == "until")


def chart(*rows: Bar, total: int) -> ElementTree.Element:
    return ElementTree.fromstring(bars("Title", rows, total))


def test_lengths_are_shares_and_the_smallest_is_still_seen():
    rows = [Bar("all", 1_000_000, "red"), Bar("half", 500_000, "red"), Bar("one", 1, "red"), Bar("no", 0, "red")]
    lengths = [float(rect.get("width") or 0) for rect in chart(*rows, total=1_000_000).iter("rect")]
    assert lengths[1] == pytest.approx(lengths[0] / 2)
    assert lengths[2] == 2
    assert lengths[3] == 0


@pytest.mark.parametrize(
    ("number", "total", "words"),
    [(5, 5, "5 · 100 %"), (1, 3, "1 · 33.3 %"), (1, 10**6, "1 · < 0.1 %"), (999_999, 10**6, "999,999 · > 99.9 %"),
     (0, 10, "0"), (0, 0, "0")],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(number, total, words):
    texts = [text.text for text in chart(Bar("x", number, "red"), total=total).iter("text")]
    assert texts == ["x", words]


def test_names_bars_and_numbers_stand_beside_one_another_a_row_each():
    root = chart(Bar("all", 4, "red"), Bar("half", 2, "red"), Bar("no", 0, "red"), total=4)
    assert root.get("viewBox") == "0 0 760 94"  # Three rows of 30, and 2 above and below.
    assert {(line.get("x1"), line.get("x2"), line.get("y2")) for line in root.iter("line")} == {("245", "245", "94")}
    bars_of_rows = [(rect.get("x"), rect.get("y"), rect.get("width")) for rect in root.iter("rect")]
    assert bars_of_rows == [("245", "9.0", "385.0"), ("245", "39.0", "192.5"), ("245", "69.0", "0.0")]
    # A name ends before the axis, a number begins behind its bar, each in the middle of its row.
    texts = [(text.get("x"), text.get("y")) for text in root.iter("text")]
    assert texts == [
        *[("233", "17.0"), ("639.0", "17.0")],
        *[("233", "47.0"), ("446.5", "47.0")],
        *[("233", "77.0"), ("254.0", "77.0")],
    ]


def test_a_name_is_cut_once_it_is_longer_than_its_place():
    names = ["a" * 29, "b" * 30, "c" * 300]
    shown = [next(group.iter("text")).text for group in chart(*(Bar(name, 1, "red") for name in names), total=1)[1:]]
    assert shown == ["a" * 29, "…" + "b" * 28, "…" + "c" * 28]


def test_a_long_name_is_cut_and_kept_as_a_tooltip():
    root = chart(Bar(KEY, 1, "red"), total=1)
    assert re.match("….{5,}1111$", next(root.iter("text")).text or "")
    assert KEY in (next(root.iter("title")).text or "")


def test_no_name_of_a_state_is_cut():
    text = page(evidence(findings()), "x.json", "0")
    assert "…" not in text.split("<svg")[1].split("</svg>")[0]
