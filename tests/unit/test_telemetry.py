import io
import json
from typing import Any
from uuid import uuid4

import pytest

from encryptor_runtime.telemetry import Telemetry
from item_crypto import Outcome, Status

KEY: Any = {"sessionId": {"S": "dlg-1"}, "id": {"B": b"\xff"}}


class Output:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Powertools keeps one logger for each service, with the stream it was first given.
        self.service = f"sessions-{uuid4()}"
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", self.service)
        self._stream = io.StringIO()
        self.telemetry = Telemetry("stream_encryptor", "arn:key", self._stream)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    return Output(monkeypatch)


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


def test_operation_when_audited_then_the_line_says_who_what_which_and_how_it_ended(output: Output) -> None:
    output.telemetry.audit("user-24", "read", KEY, "decrypted", ("history",), reason="old-form")

    (line,) = output.lines()
    assert {name: line[name] for name in ("audit", "who", "operation", "item", "attributes", "keyArn", "result")} == {
        "audit": True,
        "who": "user-24",
        "operation": "read",
        "item": {"sessionId": {"S": "dlg-1"}, "id": {"B": "/w=="}},
        "attributes": ["history"],
        "keyArn": "arn:key",
        "result": "decrypted",
    }
    assert line["reason"] == "old-form"


def test_outcomes_when_written_then_each_is_counted_and_all_but_nothing_to_do_audited(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    output.telemetry.outcomes(Outcome(KEY, status, "reason") for status in Status)
    output.telemetry.flush()

    counted = metrics(capsys)
    for name in (
        "ItemsEncrypted",
        "ItemsDecrypted",
        "ItemsSkipped",
        "ItemsSuperseded",
        "ItemsDeferred",
        "ItemsFailedPermanent",
        "ItemsFailedTransient",
        "ItemsFailedSystemic",
    ):
        assert counted[name] == [1.0]
    audited = [line["result"] for line in output.lines()]
    assert audited == [status.value for status in Status if status is not Status.NOTHING]
    assert {line["who"] for line in output.lines()} == {"stream_encryptor"}


def test_item_partly_deferred_when_counted_then_it_is_encrypted_and_deferred(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    output.telemetry.outcomes([Outcome(KEY, Status.DEFERRED, "old-form", ("configuration",), ("history",))])
    output.telemetry.flush()

    counted = metrics(capsys)
    assert (counted["ItemsEncrypted"], counted["ItemsDeferred"]) == ([1.0], [1.0])


def test_metrics_when_flushed_then_they_are_in_the_namespace_and_gone_afterwards(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    output.telemetry.kms([12.3456, 7.0])
    output.telemetry.flush()

    counted = metrics(capsys)
    assert counted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "StreamEncryptor"
    assert counted["service"] == output.service
    assert (counted["KmsCalls"], counted["KmsLatency"]) == ([2.0], [12.346, 7.0])

    output.telemetry.seconds("WorkMessageAge", [1.23456, 0.0])
    output.telemetry.flush()
    assert metrics(capsys)["WorkMessageAge"] == [1.235, 0.0]

    output.telemetry.kms([])
    output.telemetry.flush()
    assert capsys.readouterr().out == ""


def test_problem_when_logged_then_its_level_is_error(output: Output) -> None:
    output.telemetry.log("all is well", items=3)
    output.telemetry.problem("all is not well")

    assert [(line["level"], line["message"]) for line in output.lines()] == [
        ("INFO", "all is well"),
        ("ERROR", "all is not well"),
    ]
