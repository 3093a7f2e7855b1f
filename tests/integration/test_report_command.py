"""The control function's commands `judge` and `report`, over the migrator itself."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from migrator import reporting
from tests.migration import SECRET, TABLE, Migration

HISTORY: Any = {"L": [{"S": SECRET}]}
CONFIGURATION: Any = {"M": {"model": {"S": "small"}}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch)


def verified(world: Migration, **fields: Any) -> str:
    """Return the id of a verification that went to its end."""
    sweep_id = world.start("verify", **fields)
    world.pump()
    return sweep_id


def refusal(answer: dict[str, Any]) -> str:
    return str(answer["error"]["code"])


def test_report_when_no_verification_has_finished_then_it_is_not_found(world: Migration) -> None:
    world.plain("s")
    world.run("encrypt")
    cancelled = world.start("verify")
    world.command("cancel", sweep=cancelled)

    answer = world.command("report")

    assert answer["error"] == {
        **answer["error"],
        "code": "not-found",
        "message": "There is no finished verification to report on: verify the table first.",
    }


def test_report_when_no_sweep_is_named_then_it_rests_on_the_newest_finished_verification(world: Migration) -> None:
    world.plain("s")
    world.run("encrypt")
    verified(world)
    newest = verified(world, deep=True)
    world.command("cancel", sweep=world.start("verify"))

    document = world.command("report")["report"]

    assert document["verification"]["sweep"] == newest
    assert document["verification"]["method"] == "2 of 2 values decrypted"
    assert document["generatedBy"] == "operator"
    assert (document["table"]["name"], document["stack"]["region"]) == (TABLE, "eu-central-1")
    assert document["stack"]["name"] == world.parts.stack
    assert document["versions"].keys() == {"boto3", "python"}
    # moto's key is not rotated and there is no mapping here: both are said, and nothing else.
    assert [finding.split(" ")[1] for finding in document["findings"]] == ["key's", "stream"]


def test_report_when_a_page_is_asked_for_then_both_files_come_with_it(world: Migration) -> None:
    verified(world)

    alone = world.command("report")
    both = world.command("report", html=True, name="q1", versions={"boto3": "1.0"})

    assert alone["html"] is None
    assert alone["name"].startswith(f"evidence-{TABLE}-")
    assert both["name"] == "q1"
    assert json.loads(both["json"]) == both["report"]
    assert both["sha256"] == hashlib.sha256(both["json"].encode()).hexdigest()
    assert both["sha256"] in both["html"]
    assert both["report"]["versions"] == {"boto3": "1.0"}
    assert json.loads(json.dumps(both)) == both


def test_report_when_a_sweep_is_none_or_no_verification_or_runs_then_it_is_refused(world: Migration) -> None:
    world.plain("s")
    migrated = world.start("encrypt")
    world.pump()
    running = world.start("verify")

    assert refusal(world.command("report", sweep="none")) == "not-found"
    assert refusal(world.command("report", sweep=migrated)) == "invalid-request"
    assert refusal(world.command("report", sweep=running)) == "conflict"
    assert refusal(world.command("report", backups=[{}])) == "invalid-request"


def test_report_when_the_verification_did_not_end_then_that_is_what_it_says(world: Migration) -> None:
    paused = world.start("verify")
    world.command("pause", sweep=paused)

    document = world.command("report", sweep=paused)["report"]

    assert "The verification did not end: it is paused." in document["findings"]
    assert document["verdict"] == "not-as-it-should-be"


def test_report_when_names_may_be_absent_and_backups_are_listed_then_it_is_judged_by_them(world: Migration) -> None:
    world.put("s", history=HISTORY)
    world.run("encrypt")
    verified(world)
    backups = [{"name": "old", "made": "2020-01-01", "deleted": "2099-01-01"}]

    strict = world.command("report", backups=backups)["report"]
    told = world.command("report", backups=backups, mayBeAbsent=["configuration"])["report"]

    absent = "No item has the attribute configuration: is that its name?"
    assert absent in strict["findings"]
    assert absent not in told["findings"]
    assert told["verification"]["mayBeAbsent"] == ["configuration"]
    assert [copy["name"] for copy in told["earlierPlaintext"]["copies"]][2:] == ["backup old"]
    assert told["earlierPlaintext"]["copies"][2]["until"] == "2099-01-01T00:00:00Z"


def test_report_when_items_failed_then_no_key_and_no_value_of_one_is_in_it(world: Migration) -> None:
    world.put("landlords-session", encrypted_history={"S": "no ciphertext of ours"}, configuration=CONFIGURATION)
    world.plain("s")
    world.run("encrypt")
    verified(world, deep=True)

    answer = world.command("report", html=True)

    assert answer["report"]["failures"]["messages"] == 1
    assert [failure["kind"] for failure in answer["report"]["failures"]["listed"]] == ["item"]
    for secret in (SECRET, "landlords-session", "alice", "no ciphertext of ours"):
        assert secret not in json.dumps(answer, ensure_ascii=False)


def test_report_when_it_would_be_larger_than_an_answer_then_it_is_refused(world: Migration) -> None:
    verified(world)
    most = [{"name": f"{number:04}", "made": "2020-01-01"} for number in range(1000)]

    ordinary = world.command("report", backups=most, html=True)
    large = world.command("report", backups=[{**backup, "name": '"' * 500} for backup in most], html=True)

    assert len(ordinary["report"]["earlierPlaintext"]["copies"]) == 1002
    assert len(json.dumps(ordinary)) < reporting.LARGEST / 3
    assert large["error"]["code"] == "invalid-request"
    assert "list fewer backups" in large["error"]["message"]


def test_judgement_when_asked_for_then_it_is_what_the_report_says(world: Migration) -> None:
    world.put("s", history=HISTORY)
    sweep_id = verified(world)

    strict = world.command("judge", sweep=sweep_id)["judgement"]
    told = world.command("judge", sweep=sweep_id, mayBeAbsent=["configuration"])["judgement"]

    assert strict["findings"] == [
        "1 item in plaintext.",
        "No item has the attribute configuration: is that its name?",
    ]
    assert told["findings"] == ["1 item in plaintext."]
    report = world.command("report", sweep=sweep_id, mayBeAbsent=["configuration"])["report"]
    assert report["findings"][:1] == told["findings"]
    assert refusal(world.command("judge", sweep=sweep_id, mayBeAbsent="history")) == "invalid-request"


def test_judgement_when_the_sweep_is_none_or_no_verification_then_it_is_refused(world: Migration) -> None:
    world.plain("s")
    migrated = world.start("encrypt")
    world.pump()

    assert refusal(world.command("judge", sweep="none")) == "not-found"
    assert refusal(world.command("judge", sweep=migrated)) == "invalid-request"
    assert refusal(world.command("judge")) == "invalid-request"
