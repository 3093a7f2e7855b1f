"""`verify` and `report` ask the control function what a verification proves, and keep what it answers as it comes."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from tests.fake_control import STACK, WHO, FakeAws, FakeControl, sweep

Run = Callable[..., Result]


@pytest.fixture
def control() -> FakeControl:
    control = FakeControl()
    control.sweeps = {"v": sweep(id="v")}
    return control


@pytest.fixture
def run(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    fake = FakeAws(control)
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    options = ("--stack", STACK, "--region", "us-east-1")
    yield lambda *arguments: CliRunner().invoke(app, [*arguments, *options])
    fake.stop()


def asked(control: FakeControl, command: str) -> dict[str, Any]:
    (event,) = [event for event in control.events if event["command"] == command]
    return event


def test_report_when_written_then_it_was_asked_for_with_who_asks_and_what_they_know(
    run: Run, control: FakeControl, tmp_path: Path
) -> None:
    options = ("--backup", "b=2026-01-01/2026-05-01", "--backup", "c=2026-01-02", "--may-be-absent", "history")

    result = run("report", "--sweep", "v", "--output", str(tmp_path / "q1.html"), *options)

    assert result.exit_code == 0, result.stderr
    event = asked(control, "report")
    assert event.pop("versions").keys() == {"dynamodb-stream-encryptor", "boto3", "python"}
    assert event == {
        "command": "report",
        "by": WHO,
        "sweep": "v",
        "html": True,
        "name": "q1",
        "mayBeAbsent": ["history"],
        "backups": [
            {"name": "b", "made": "2026-01-01T00:00:00+00:00", "deleted": "2026-05-01T00:00:00+00:00"},
            {"name": "c", "made": "2026-01-02T00:00:00+00:00"},
        ],
    }


@pytest.mark.parametrize("name", ["", "evidence.json"], ids=["a folder", "a file"])
def test_page_when_written_then_it_has_the_name_and_the_hash_of_the_file_beside_it(
    run: Run, tmp_path: Path, name: str
) -> None:
    assert run("report", "--sweep", "v", "--output", str(tmp_path / name)).exit_code == 0

    (text,), (page,) = tmp_path.glob("*.json"), tmp_path.glob("*.html")
    assert text.stem == page.stem
    assert f"<code>{text.name}</code>" in page.read_text()
    assert hashlib.sha256(text.read_bytes()).hexdigest() in page.read_text()


@pytest.mark.parametrize("state", ["paused", "cancelled", "stopped"])
def test_report_when_its_verification_did_not_end_then_it_is_written_and_says_so(
    run: Run, control: FakeControl, tmp_path: Path, state: str
) -> None:
    control.outcome = {"state": state}

    result = run("report", "--output", str(tmp_path / "r.json"), "--interval", "0.05")

    assert result.exit_code == 1
    assert f"did not end: it is {state}" in result.stderr
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "not-as-it-should-be"


GOOD: dict[str, Any] = {"report": {"findings": []}, "name": "e", "json": "{}", "html": "<!doctype html>"}


@pytest.mark.parametrize(
    "answer",
    [{}, {**GOOD, "report": None}, {**GOOD, "report": {}}, {**GOOD, "html": None}, {**GOOD, "json": {}},
     {**GOOD, "name": "../e"}, {**GOOD, "name": ""}],
)  # fmt: skip
def test_report_when_the_answer_is_none_then_nothing_is_written(
    run: Run, control: FakeControl, tmp_path: Path, answer: dict[str, Any]
) -> None:
    control.answers["report"] = answer

    result = run("report", "--sweep", "v", "--output", str(tmp_path / "folder"))

    assert result.exit_code == 3
    assert "unknown shape" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_report_when_it_is_refused_then_the_sentence_is_shown(run: Run, control: FakeControl, tmp_path: Path) -> None:
    control.answers["report"] = {"error": {"code": "invalid-request", "message": "list fewer backups."}}

    result = run("report", "--sweep", "v", "--output", str(tmp_path))

    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "list fewer backups." in result.stderr


def test_verdict_when_names_may_be_absent_then_the_control_function_is_told(run: Run, control: FakeControl) -> None:
    result = run("verify", "--json", "--may-be-absent", "history", "--interval", "0.05")

    assert asked(control, "judge") == {"command": "judge", "sweep": "sweep-2", "mayBeAbsent": ["history"]}
    shown = json.loads(result.stdout)
    assert (shown["verdict"], shown["findings"]) == ("as-it-should-be-by-headers", [])


def test_verification_when_watched_then_its_verdict_is_the_exit_code(run: Run, control: FakeControl) -> None:
    control.sweeps["v"]["counts"] = {"plaintext": 1, "encrypted": 709}

    assert run("watch", "v", "--interval", "0.05").exit_code == 1
    assert run("watch", "v", "--json", "--interval", "0.05").exit_code == 1


def judgement(**fields: Any) -> dict[str, Any]:
    states = [{"words": "in plaintext", "items": 0, "wrong": False}]
    good = {"verdict": "as-it-should-be", "sentence": "All.", "findings": [], "otherFindings": [], "states": states}
    return {"judgement": {**good, **fields}}


def test_verdict_when_it_is_one_of_a_later_version_then_it_is_never_taken_for_a_good_one(
    run: Run, control: FakeControl
) -> None:
    control.answers["judge"] = judgement()
    assert run("watch", "v").exit_code == 0

    control.answers["judge"] = judgement(verdict="as-it-should-be-in-part")
    assert run("watch", "v").exit_code == 1


@pytest.mark.parametrize(
    "answer",
    [{}, {"judgement": None}, {"judgement": []}, judgement(findings=None), judgement(states=[{"words": "x"}]),
     judgement(states=[{"words": "x", "items": "many", "wrong": False}])],
)  # fmt: skip
def test_verdict_when_the_answer_is_none_then_there_is_no_exit_code_for_good(
    run: Run, control: FakeControl, answer: dict[str, Any]
) -> None:
    control.answers["judge"] = answer

    result = run("watch", "v")

    assert result.exit_code == 3
    assert "unknown shape" in result.stderr
