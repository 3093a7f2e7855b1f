"""The operator's commands, from their arguments to their exit code, against AWS as they see it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from tests.fake_control import (
    EARLIER_KEY,
    FUNCTION,
    KEY,
    STACK,
    WHO,
    FakeAws,
    FakeControl,
    FunctionFailed,
    setting,
    sweep,
)

Run = Callable[..., Result]
IN_AWS = ("--stack", STACK, "--region", "us-east-1")
THROTTLED = (429, "TooManyRequestsException", "Rate Exceeded.")
FAST = ("--interval", "0.05")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def fake_aws(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    fake = FakeAws(control)
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield fake
    fake.stop()


@pytest.fixture
def run(fake_aws: FakeAws) -> Run:
    """Run a command against the stack in AWS."""
    return lambda *arguments, **options: CliRunner().invoke(app, [*arguments, *IN_AWS], **options)


def document(result: Result) -> Any:
    """Return the one JSON document that is all of standard output."""
    return json.loads(result.stdout)


class TestFindingTheStack:
    def test_neither_stack_is_assumed(self):
        result = CliRunner().invoke(app, ["migrate"])
        assert result.exit_code == 2
        assert "--stack NAME" in result.stderr
        assert "--local" in result.stderr

    @pytest.mark.parametrize(
        "options",
        [("--local", "--stack", STACK), ("--local", "--region", "eu-west-1"), ("--local", "--profile", "x")],
        ids=["both", "local with a Region", "local with a profile"],
    )
    def test_options_that_contradict_each_other_are_refused(self, options):
        assert CliRunner().invoke(app, ["status", *options]).exit_code == 2

    def test_a_stack_in_aws_is_found_by_its_outputs(self, run, control):
        result = run("status")
        assert result.exit_code == 0, result.stderr
        assert "chat-sessions" in result.stdout
        assert control.commands() == ["status"]

    def test_the_local_stack_is_found_by_its_file_with_credentials_that_no_account_accepts(
        self, tmp_path, control, monkeypatch
    ):
        fake = FakeAws(control)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
        stack = {"endpoint_url": fake.url, "region": "us-east-1", "api_url": "", "outputs": fake.outputs}
        (tmp_path / "stack.json").write_text(json.dumps(stack))
        result = CliRunner().invoke(app, ["status", "--local", "--state-directory", str(tmp_path)])
        fake.stop()
        assert result.exit_code == 0, result.stderr
        assert control.commands() == ["status"]
        assert all("testing/" in authorization for authorization in fake.authorizations)

    def test_no_local_stack(self, tmp_path):
        result = CliRunner().invoke(app, ["status", "--local", "--state-directory", str(tmp_path)])
        assert result.exit_code == 3
        assert "python -m local up" in result.stderr

    @pytest.mark.parametrize("content", ["", "{}", "[]", '{"endpoint_url": "x", "region": "y", "outputs": 1}'])
    def test_a_local_file_that_is_something_else(self, tmp_path, content):
        (tmp_path / "stack.json").write_text(content)
        result = CliRunner().invoke(app, ["status", "--local", "--state-directory", str(tmp_path)])
        assert result.exit_code == 3
        assert "stack.json" in result.stderr

    def test_a_local_stack_that_goes_away_while_a_sweep_is_followed(self, tmp_path, control):
        fake = FakeAws(control)
        control.readings = 10**6
        stack = {"endpoint_url": fake.url, "region": "us-east-1", "api_url": "", "outputs": fake.outputs}
        (tmp_path / "stack.json").write_text(json.dumps(stack))
        command = ["migrate", "--watch", "--local", "--state-directory", str(tmp_path), *FAST]
        process = subprocess.Popen(
            [sys.executable, "-m", "dynamodb_stream_encryptor", *command], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 30
        while "sweep" not in control.commands():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        fake.stop()
        _, said = process.communicate(timeout=30)
        assert process.returncode == 3
        assert said.count("The local stack does not answer: it was stopped, or killed") == 1
        assert "Still following" not in said
        assert "goes on" not in said
        assert "Traceback" not in said

    def test_a_local_stack_that_was_killed(self, tmp_path):
        fake = FakeAws(FakeControl())
        fake.stop()
        stack = {"endpoint_url": fake.url, "region": "us-east-1", "api_url": "", "outputs": fake.outputs}
        (tmp_path / "stack.json").write_text(json.dumps(stack))
        result = CliRunner().invoke(app, ["status", "--local", "--state-directory", str(tmp_path)])
        assert result.exit_code == 3
        assert "does not answer" in result.stderr

    def test_an_unknown_stack(self, fake_aws):
        result = CliRunner().invoke(app, ["status", "--stack", "nothing", "--region", "us-east-1"])
        assert result.exit_code == 3
        assert "no stack nothing in us-east-1" in result.stderr

    def test_a_stack_of_something_else(self, run, fake_aws):
        fake_aws.outputs = {"Other": "x"}
        result = run("status")
        assert result.exit_code == 3
        assert "no DynamoDB Stream Encryptor" in result.stderr

    def test_a_function_that_is_gone(self, run, fake_aws):
        fake_aws.outputs = {"ControlFunctionName": "gone"}
        result = run("status")
        assert result.exit_code == 3
        assert "gone of the stack chats does not exist" in result.stderr

    def test_an_unknown_profile(self, fake_aws):
        result = CliRunner().invoke(app, ["status", *IN_AWS, "--profile", "nobody"])
        assert result.exit_code == 2
        assert "nobody" in result.stderr

    def test_no_region(self, monkeypatch, tmp_path):
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        result = CliRunner().invoke(app, ["status", "--stack", STACK])
        assert result.exit_code == 2
        assert "--region" in result.stderr

    def test_no_credentials(self, monkeypatch, tmp_path):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        result = CliRunner().invoke(app, ["status", *IN_AWS])
        assert result.exit_code == 3
        assert "aws sso login" in result.stderr


class TestErrors:
    @pytest.mark.parametrize(
        ("refusal", "code", "words"),
        [
            ((403, "AccessDeniedException", "not authorized to perform lambda:InvokeFunction"), 3, "InvokeFunction"),
            ((403, "ExpiredTokenException", "expired"), 3, "have expired"),
            ((403, "UnrecognizedClientException", "invalid token"), 3, "does not accept"),
            (THROTTLED, 3, "throttling"),
            ((500, "ServiceException", "oops"), 3, "ServiceException"),
            ((400, "KMSDisabledException", "the key is disabled"), 3, "the key is disabled"),
        ],
        ids=lambda value: value[1] if isinstance(value, tuple) else None,
    )
    def test_what_aws_refuses_is_one_sentence(self, run, fake_aws, refusal, code, words):
        fake_aws.refusals["lambda"] = [refusal]
        result = run("status")
        assert result.exit_code == code
        assert words in result.stderr
        assert "Traceback" not in result.stderr
        assert result.stdout == ""

    def test_what_cloudformation_refuses_too(self, run, fake_aws):
        fake_aws.refusals["cloudformation"] = [(403, "AccessDenied", "no cloudformation:DescribeStacks")]
        result = run("status")
        assert result.exit_code == 3
        assert "cloudformation:DescribeStacks" in result.stderr

    def test_nobody_answers(self, run, fake_aws, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        result = run("status")
        assert result.exit_code == 3
        assert "No connection" in result.stderr

    @pytest.mark.parametrize(
        ("code", "exit_code"),
        [
            ("invalid-request", 2),
            ("not-found", 5),
            ("ambiguous", 2),
            ("conflict", 4),
            ("forbidden-by-setting", 4),
            ("mapping-not-enabled", 4),
            ("stopped", 4),
            ("undecryptable", 1),
            ("a-later-one", 3),
        ],
    )
    def test_what_the_control_function_refuses_has_an_exit_code_of_its_kind(self, run, control, code, exit_code):
        control.answers["start"] = {"error": {"code": code, "message": "Because of this."}}
        result = run("migrate", "--json")
        assert result.exit_code == exit_code
        assert document(result) == {"error": {"code": code, "message": "Because of this."}}
        assert "Because of this." in result.stderr

    def test_a_function_that_raised(self, run, control):
        trace = ["  File handler.py, line 1"]
        control.answers["status"] = FunctionFailed(
            errorType="SystemicError", errorMessage="kms: disabled\nmore", stackTrace=trace
        )
        result = run("status")
        assert result.exit_code == 3
        assert "SystemicError: kms: disabled." in result.stderr
        assert "handler.py" not in result.output

    @pytest.mark.parametrize("answer", [None, [], "text", 1])
    def test_an_answer_that_is_none(self, run, control, answer):
        control.answers["status"] = answer
        result = run("status")
        assert result.exit_code == 3
        assert FUNCTION in result.stderr

    @pytest.mark.parametrize(
        "answer", [{}, {"sweep": None}, {"sweep": {"id": "x"}}, {"sweep": sweep(startedAt="soon")}]
    )
    def test_a_sweep_in_an_unknown_shape(self, run, control, answer):
        control.answers["start"] = answer
        result = run("migrate")
        assert result.exit_code == 3
        assert "unknown shape" in result.stderr


class TestStatus:
    def test_it_shows_setting_table_sweeps_queues_and_key(self, run, control):
        control.status["sweeps"] = [sweep(id="running-1", goal="encrypt", state="running", finishedAt=None)]
        control.status["failureQueue"]["messages"] = 3
        shown = run("status").stdout
        for words in ("710 items", "on (version 1, by jane", "running-1", "3 messages", KEY, "every 90 days"):
            assert words in shown

    def test_json_is_the_answer_as_it_came(self, run, control):
        result = run("status", "--json")
        assert document(result) == control.status
        assert result.stderr == ""

    def test_a_table_name_is_never_markup_and_moves_no_cursor(self, run, control):
        control.status["table"] = "[bold]x[/] \x1b[2J"
        shown = run("status").stdout
        assert "[bold]x[/]" in shown
        assert "\x1b" not in shown


class TestSweeps:
    @pytest.mark.parametrize(
        ("arguments", "fields"),
        [
            (["migrate"], {"goal": "encrypt", "segments": 4, "rate": None, "force": False}),
            (
                ["decrypt", "--segments", "1000", "--rate", "50", "--force"],
                {"goal": "decrypt", "segments": 1000, "rate": 50, "force": True},
            ),
            (["re-encrypt"], {"goal": "re-encrypt", "segments": 4, "rate": None, "force": False}),
            (
                ["re-encrypt", "--older-than", "30"],
                {"goal": "re-encrypt", "segments": 4, "rate": None, "force": False, "olderThanDays": 30},
            ),
            (
                ["verify", "--deep", "--no-watch"],
                {"goal": "verify", "segments": 4, "rate": None, "force": False, "deep": True},
            ),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else None,
    )
    def test_options_become_one_request_that_says_who_asks(self, run, control, arguments, fields):
        result = run(*arguments)
        assert result.exit_code == 0, result.stderr
        assert control.events == [{"command": "start", **fields, "by": WHO}]
        assert "watch --stack chats --region us-east-1`" in result.stdout

    @pytest.mark.parametrize(
        "arguments",
        [("--segments", "0"), ("--segments", "1001"), ("--segments", "x"), ("--rate", "0"), ("--interval", "0")],
        ids=" ".join,
    )
    def test_numbers_out_of_range_are_refused_before_anything_is_asked(self, run, control, arguments):
        assert run("migrate", *arguments).exit_code == 2
        assert control.events == []

    def test_followed_to_its_end_in_plain_lines(self, run):
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert "encrypt sweep-1:  14 %, 100 of about 700 items" in result.stderr
        assert "encrypt sweep-1: 100 %" in result.stderr
        assert "Done: 710 items." in result.stdout

    def test_json_is_the_last_reading_alone(self, run):
        result = run("migrate", "--watch", "--json", *FAST)
        assert document(result)["sweep"]["state"] == "done"
        assert document(result)["sweep"]["counts"]["encrypted"] == 700

    def test_items_that_failed_make_the_exit_code_1(self, run, control):
        control.outcome = {"counts": {"encrypted": 700, "failed": 2}}
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 1
        assert "2 of 710 items failed: see `failures list`" in result.stdout

    @pytest.mark.parametrize("state", ["stopped", "cancelled", "paused"])
    def test_a_sweep_that_does_not_get_to_its_end_makes_the_exit_code_1(self, run, control, state):
        control.outcome = {"state": state, "reason": "setting-changed"}
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 1
        assert f"{state}: setting-changed" in result.stdout

    def test_verify_waits_without_being_asked_and_names_the_keys(self, run, control):
        control.outcome = {"underKey": {KEY: 600, EARLIER_KEY: 100}}
        result = run("verify", *FAST)
        assert result.exit_code == 0, result.stderr
        assert "no plaintext and no old form" in result.stdout
        assert f"600 under {KEY} (the current key)" in result.stdout
        assert f"100 under {EARLIER_KEY}\n" in result.stdout

    @pytest.mark.parametrize("state", ["plaintext", "mixed", "oldForm", "conflicts", "undecryptable"])
    def test_verify_tells_by_its_exit_code_that_something_is_left(self, run, control, state):
        control.outcome = {"counts": {state: 1, "encrypted": 709}}
        result = run("verify", *FAST)
        assert result.exit_code == 1
        assert "Not as it should be: of 710 items, 1 " in result.stdout

    def test_throttling_while_following_is_passed_over(self, run, fake_aws, control):
        control.readings = 3
        fake_aws.refusals["lambda"] = [None, None, THROTTLED, THROTTLED]
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert result.stderr.count("Still following.") == 2

    def test_a_service_that_fails_the_control_function_for_a_moment_while_following_is_passed_over(self, run, control):
        control.readings = 2
        failed = FunctionFailed(errorType="TransientError", errorMessage="dynamodb: ReadTimeoutError")
        answers = iter([None, failed, failed])
        answer = control._one
        control._one = lambda command, sweep: next(answers, None) or answer(command, sweep)
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert result.stderr.count("dynamodb: ReadTimeoutError. Its log says more. Still following.") == 2

    def test_an_answer_that_stays_away_ends_the_following_and_says_that_the_sweep_goes_on(self, run, fake_aws, control):
        control.readings = 10**6
        fake_aws.refusals["lambda"] = [None, None, *[THROTTLED] * 20]
        result = run("migrate", "--watch", *FAST)
        assert result.exit_code == 3
        assert "The sweep sweep-1 goes on." in result.stderr


class TestRunningSweeps:
    @pytest.mark.parametrize(
        ("verb", "state", "after"),
        [("pause", "running", "paused"), ("cancel", "paused", "cancelled")],
    )
    def test_the_only_one_is_meant(self, run, control, verb, state, after):
        control.sweeps = {"a": sweep(id="a", state=state), "b": sweep(id="b", state="done")}
        result = run(verb)
        assert result.exit_code == 0, result.stderr
        assert control.events[-1] == {"command": verb, "sweep": "a", "by": WHO}
        assert f"is {after}" in result.stdout

    def test_which_one_is_resumed_is_for_the_control_function_to_say(self, run, control):
        control.answers["resume"] = {"sweep": sweep(id="a", state="running")}
        result = run("resume")
        assert result.exit_code == 0, result.stderr
        assert control.events == [{"command": "resume", "by": WHO}]
        assert "a (verify) is running" in result.stdout

    @pytest.mark.parametrize(("code", "exit_code"), [("not-found", 5), ("ambiguous", 2)])
    def test_none_to_resume_is_not_found_and_more_than_one_is_a_wrong_request(self, run, control, code, exit_code):
        control.answers["resume"] = {"error": {"code": code, "message": "Name one."}}
        result = run("resume")
        assert result.exit_code == exit_code
        assert "Name one." in result.stderr

    def test_one_is_named(self, run, control):
        control.sweeps = {"a": sweep(id="a", state="running"), "b": sweep(id="b", state="running")}
        assert document(run("pause", "b", "--json"))["sweep"]["state"] == "paused"
        assert control.commands() == ["pause"]

    @pytest.mark.parametrize("verb", ["pause", "cancel"])
    def test_there_is_none(self, run, control, verb):
        control.sweeps = {"b": sweep(id="b", state="done")}
        result = run(verb)
        assert result.exit_code == 5
        assert "No sweep is" in result.stderr
        assert control.commands() == ["status"]

    def test_there_are_two(self, run, control):
        control.sweeps = {"a": sweep(id="a", state="running"), "b": sweep(id="b", state="paused")}
        result = run("cancel")
        assert result.exit_code == 2
        assert "a (verify, running), b (verify, paused)" in result.stderr
        assert control.commands() == ["status"]

    def test_watch_follows_to_the_end(self, run, control):
        control._start({"goal": "encrypt", "segments": 2})
        result = run("watch", *FAST)
        assert result.exit_code == 0, result.stderr
        assert "Done: 710 items." in result.stdout

    def test_watch_as_json_is_a_line_for_each_reading_that_brings_news(self, run, control):
        control._start({"goal": "encrypt", "segments": 2})
        readings = [json.loads(line)["sweep"] for line in run("watch", "--json", *FAST).stdout.splitlines()]
        assert [reading["scanned"] for reading in readings] == [100, 200, 710]
        assert readings[-1]["state"] == "done"


class TestConfig:
    def test_show(self, run, control):
        control.history = [setting(), setting(False, 0)]
        result = run("config", "show")
        assert "Encryption is on (version 1, by jane" in result.stdout

    def test_off_asks_first(self, run, control):
        result = run("config", "off", input="y\n")
        assert result.exit_code == 0, result.stderr
        assert "stored in plaintext" in result.stderr
        assert control.events[-1] == {
            "command": "set-config",
            "enabled": False,
            "version": 1,
            "confirm": "switch-off",
            "by": WHO,
        }

    @pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "nothing", "nobody"])
    def test_off_changes_nothing_without_a_yes(self, run, control, answer):
        result = run("config", "off", input=answer)
        assert result.exit_code == 2
        assert "othing is changed" in result.stderr
        assert control.commands() == ["config"]

    def test_off_without_a_question_as_json(self, run):
        result = run("config", "off", "--yes", "--json")
        assert document(result)["setting"]["enabled"] is False

    def test_on_says_that_a_sweep_is_queued(self, run, control):
        control.status["setting"] = setting(False, 5)
        result = run("config", "on")
        assert control.events[-1] == {"command": "set-config", "enabled": True, "version": 5, "by": WHO}
        assert "A sweep over the table follows" in result.stdout

    def test_off_already_is_left_alone(self, run, control):
        control.status["setting"] = setting(False, 5)
        result = run("config", "off")
        assert result.exit_code == 0
        assert "already" in result.stdout
        assert control.commands() == ["config"]

    def test_on_already_is_asked_for_again_so_that_the_sweep_is_certain(self, run, control):
        control.answers["set-config"] = {"setting": setting()}
        result = run("config", "on")
        assert result.exit_code == 0
        assert "already on" in result.stdout
        assert control.events[-1] == {"command": "set-config", "enabled": True, "version": 1, "by": WHO}

    def test_a_change_by_somebody_else_since_the_question_is_not_overruled(self, run, control):
        control.answers["config"] = {"setting": setting(True, 0), "history": []}
        result = run("config", "off", "--yes")
        assert result.exit_code == 4
        assert "version 1" in result.stderr
        assert control.status["setting"]["enabled"] is True


class TestFailures:
    def test_list_shows_keys_and_reasons(self, run, control):
        failure = {
            "id": "m-1",
            "kind": "item",
            "key": {"sessionId": {"S": "dlg-\x1b[2J"}, "userId": {"S": "alice"}},
            "reason": "unknown-form",
            "time": "2026-01-02T08:30:00Z",
            "attempts": 2,
        }
        control.answers["failures"] = {"failures": [failure]}
        result = run("failures", "list", "--max", "7")
        assert control.events == [{"command": "failures", "max": 7}]
        assert "unknown-form" in result.stdout
        assert "\x1b" not in result.stdout
        assert document(run("failures", "list", "--json")) == {"failures": [failure]}

    def test_a_piped_list_has_a_line_a_row_whatever_its_length(self, run, control):
        reason = "unexpected-" + "x" * 200
        letters = [
            {"id": f"m-{n}", "kind": "item", "key": {"sessionId": {"S": f"poison-{n}"}, "userId": {"S": "mallory"}},
             "reason": reason if n == 2 else "unknown-form", "time": "2026-01-02T08:30:00Z", "attempts": n}
            for n in range(3)
        ]  # fmt: skip
        control.answers["failures"] = {"failures": letters}
        head, *rows = run("failures", "list").stdout.splitlines()
        assert [row.split()[0] for row in rows] == ["m-0", "m-1", "m-2"]
        place = head.index("key")
        assert [row[place:] for row in rows] == [f"sessionId=poison-{n} userId=mallory" for n in range(3)]
        assert not [row for row in rows if row != row.rstrip()]

    def test_list_of_none(self, run):
        assert run("failures", "list").stdout == "No failures.\n"

    def test_redrive_of_all(self, run, control):
        control.answers["redrive"] = {
            "done": 2,
            "again": 0,
            "sweep": "s-9",
            "notes": ["A range is trimmed."],
            "remaining": 0,
        }
        result = run("failures", "redrive")
        assert result.exit_code == 0
        assert control.events == [{"command": "redrive", "max": 100, "by": WHO}]
        for words in ("2 done, 0 failed again", "A range is trimmed.", "s-9"):
            assert words in result.stdout

    def test_redrive_of_what_fails_again_makes_the_exit_code_1(self, run, control):
        control.answers["redrive"] = {"done": 1, "again": 1, "sweep": None, "notes": [], "remaining": 1}
        assert run("failures", "redrive", "--json").exit_code == 1

    def test_discard_needs_a_reason(self, run, control):
        assert run("failures", "discard", "m-1").exit_code == 2
        assert run("failures", "discard", "m-1", "--reason", " ").exit_code == 2
        assert control.events == []

    def test_discard(self, run, control):
        control.answers["discard"] = {"discarded": True}
        assert run("failures", "discard", "m-1", "--reason", "test data").exit_code == 0
        assert control.events == [{"command": "discard", "id": "m-1", "reason": "test data", "by": WHO}]


class TestDecryptItem:
    ITEM: ClassVar = {"sessionId": {"S": "dlg-1"}, "history": {"L": [{"N": "0.10"}]}}

    def test_the_item_is_all_of_standard_output(self, run, control):
        control.answers["decrypt-item"] = {"item": self.ITEM}
        result = run("decrypt-item", '{"sessionId": "dlg-1", "userId": 7}')
        assert result.exit_code == 0, result.stderr
        key = {"sessionId": {"S": "dlg-1"}, "userId": {"N": "7"}}
        assert control.events == [{"command": "decrypt-item", "key": key, "by": WHO}]
        assert json.loads(result.stdout, parse_float=str) == {"sessionId": "dlg-1", "history": ["0.10"]}
        assert result.stderr == ""

    def test_json_tells_every_type(self, run, control):
        control.answers["decrypt-item"] = {"item": self.ITEM}
        assert document(run("decrypt-item", '{"id": {"S": "x"}}', "--json")) == {"item": self.ITEM}

    def test_a_bad_key_asks_nothing(self, run, control):
        result = run("decrypt-item", "{sessionId: dlg-1}")
        assert result.exit_code == 2
        assert "KEY is not JSON" in result.stderr
        assert control.events == []

    def test_an_item_that_is_not_there(self, run, control):
        control.answers["decrypt-item"] = {"error": {"code": "not-found", "message": "There is no such item."}}
        result = run("decrypt-item", '{"id": "x"}')
        assert result.exit_code == 5
        assert result.stdout == ""

    @pytest.mark.parametrize("item", [None, {"a": "secret"}, {"a": {"S": "secret", "N": "1"}}])
    def test_an_answer_that_is_no_item_is_not_quoted(self, run, control, item):
        control.answers["decrypt-item"] = {"item": item}
        result = run("decrypt-item", '{"id": "x"}')
        assert result.exit_code == 3
        assert "secret" not in result.output


class TestReport:
    def test_it_verifies_and_writes_both_files(self, run, tmp_path):
        result = run("report", "--output", str(tmp_path / "new"), *FAST)
        assert result.exit_code == 0, result.stderr
        (page,) = (tmp_path / "new").glob("evidence-chat-sessions-*.html")
        evidence = json.loads(page.with_suffix(".json").read_text())
        assert evidence["verdict"] == "as-it-should-be-by-headers"
        assert evidence["generatedBy"] == WHO
        assert evidence["verification"]["byState"]["encrypted"] == 700
        assert str(page) in result.stdout

    def test_a_file_can_be_named(self, run, tmp_path):
        assert run("report", "--output", str(tmp_path / "q1.html"), *FAST).exit_code == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["q1.html", "q1.json"]

    def test_a_finished_verification_can_be_used_again(self, run, control, tmp_path):
        control.sweeps = {"v": sweep(id="v")}
        assert run("report", "--sweep", "v", "--output", str(tmp_path)).exit_code == 0
        assert "start" not in control.commands()

    @pytest.mark.parametrize("other", [sweep(id="v", goal="encrypt"), sweep(id="v", state="paused")])
    def test_another_sweep_cannot(self, run, control, tmp_path, other):
        control.sweeps = {"v": other}
        assert run("report", "--sweep", "v", "--output", str(tmp_path)).exit_code == 2
        assert not list(tmp_path.iterdir())

    def test_findings_make_the_exit_code_1(self, run, control, tmp_path):
        control.outcome = {"counts": {"plaintext": 3, "encrypted": 707}}
        result = run("report", "--output", str(tmp_path), "--json", *FAST)
        assert result.exit_code == 1
        assert document(result)["findings"] == ["3 items in plaintext."]
        assert "3 items in plaintext." in result.stderr

    def test_backups_come_from_both_options(self, run, tmp_path):
        (tmp_path / "list.json").write_text('[{"name": "b", "created": "2026-01-01"}]')
        options = ("--backup", "a=2026-01-01/2026-05-01", "--backups", str(tmp_path / "list.json"))
        evidence = document(run("report", "--output", str(tmp_path), "--json", *options, *FAST))
        names = [place["name"] for place in evidence["earlierPlaintext"]["copies"]]
        assert names[2:] == ["backup a", "backup b"]

    def test_bad_backups_are_refused_before_a_sweep_starts(self, run, control, tmp_path):
        assert run("report", "--output", str(tmp_path), "--backup", "yesterday").exit_code == 2
        assert run("report", "--output", str(tmp_path), "--backups", str(tmp_path / "none")).exit_code == 2
        assert control.events == []

    @pytest.mark.parametrize("place", ["file", "file/below", "file/below.html", "q1.html", "q1.json", "locked/new"])
    def test_a_place_that_cannot_be_written_is_refused_before_anything_is_asked(self, run, control, tmp_path, place):
        for name in ("file", "q1.json"):
            (tmp_path / name).write_text("x")
        (tmp_path / "locked").mkdir(mode=0o500)
        if place.startswith("locked") and os.access(tmp_path / "locked", os.W_OK):
            pytest.skip("whoever runs the tests may write anywhere")
        result = run("report", "--output", str(tmp_path / place), *FAST)
        assert result.exit_code == 2
        assert "--output: " in result.stderr
        assert control.events == []
        assert (tmp_path / "q1.json").read_text() == "x"

    def test_a_place_that_is_lost_meanwhile_costs_no_verification(self, run, control, tmp_path):
        place = tmp_path / "q1.html"
        answer = control._start

        def start(event):
            place.write_text("somebody else's")
            return answer(event)

        control._start = start
        result = run("report", "--output", str(place), *FAST)
        assert result.exit_code == 2
        assert place.read_text() == "somebody else's"
        assert "report --sweep sweep-1 --stack chats --region us-east-1`" in result.stderr

    def test_a_sweep_that_is_not_there(self, run, tmp_path):
        assert run("report", "--sweep", "none", "--output", str(tmp_path)).exit_code == 5

    def test_the_page_loads_and_runs_nothing(self, run, control, tmp_path):
        control.status["sweeps"] = []
        control.history = [{**setting(), "changedBy": "<script>alert(1)</script>"}]
        run("report", "--output", str(tmp_path / "x.html"), *FAST)
        tags: list[tuple[str, Any]] = []

        class Tags(HTMLParser):
            def handle_starttag(self, tag: str, attributes: Any) -> None:
                tags.append((tag, dict(attributes)))

        Tags().feed((tmp_path / "x.html").read_text())
        assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in tags)
        assert not [
            name for _, attributes in tags for name in attributes if name in ("src", "href") or name[:2] == "on"
        ]
        assert "svg" in {tag for tag, _ in tags}


class TestOnATerminal:
    """In a process of its own, on a pseudo-terminal, where bars are drawn and Ctrl-C is pressed."""

    @pytest.fixture
    def terminal(self, fake_aws: FakeAws) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], int]]]:
        opened: list[tuple[subprocess.Popen[bytes], int]] = []

        def start(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
            ours, theirs = pty.openpty()
            # As a terminal starts it: where the tests run in a shell's background, Ctrl-C would be ignored.
            before = signal.signal(signal.SIGINT, signal.default_int_handler)
            process = subprocess.Popen(
                [sys.executable, "-m", "dynamodb_stream_encryptor", *arguments, *IN_AWS],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=theirs,
                env=os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
            )
            signal.signal(signal.SIGINT, before)
            os.close(theirs)
            opened.append((process, ours))
            return process, ours

        yield start
        for process, ours in opened:
            process.kill()
            process.communicate()
            os.close(ours)

    def test_bars_are_drawn_to_the_end(self, terminal):
        process, screen = terminal("migrate", *FAST)
        drawn = read_until(screen, "100 %")
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "segment 3" in drawn
        assert "items/s" in drawn
        assert b"Done: 710 items." in output

    def test_ctrl_c_stops_the_following_and_not_the_sweep(self, terminal, control):
        control.readings = 10**6
        process, screen = terminal("migrate", *FAST)
        read_until(screen, "segment 3")
        process.send_signal(signal.SIGINT)
        said = read_until(screen, "stop it.")
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert "sweep-1 goes on" in " ".join(said.split())
        assert "Traceback" not in said
        assert set(control.commands()) == {"start", "sweep"}


def read_until(screen: int, words: str, seconds: float = 30.0) -> str:
    """Return what is drawn until `words` are."""
    drawn, deadline = "", time.monotonic() + seconds
    while words not in " ".join(drawn.split()):
        ready, _, _ = select.select([screen], [], [], max(deadline - time.monotonic(), 0))
        assert ready, drawn
        try:
            drawn += os.read(screen, 4096).decode(errors="replace")
        except OSError:  # The process has ended.
            assert words in " ".join(drawn.split()), drawn
    return drawn


def test_a_reader_that_has_gone_is_no_error(fake_aws):
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamodb_stream_encryptor", "status", "--json", *IN_AWS],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    stderr = process.stderr.read() if process.stderr else b""
    assert process.wait(timeout=30) == 0
    assert stderr == b""


def test_help_names_the_exit_codes_and_every_command():
    result = CliRunner().invoke(app, ["--help"])
    words = " ".join(result.stdout.split())
    assert "Exit codes: 0" in words
    assert "5 not found" in words
    commands = "status migrate decrypt re-encrypt verify watch pause resume cancel failures config decrypt-item report"
    for name in commands.split():
        assert name in result.stdout


def all_helps() -> list[list[str]]:
    """Return the arguments that show each page of help."""

    def below(command: Any, path: list[str]) -> Iterator[list[str]]:
        yield path
        for name, one in getattr(command, "commands", {}).items():
            yield from below(one, [*path, name])

    return list(below(get_command(app), []))


def test_text_in_help_fills_its_lines():
    lines = [line.strip() for line in CliRunner().invoke(app, ["verify", "--help"]).stdout.splitlines()]
    begun = next(n for n, line in enumerate(lines) if line.startswith("Exit code 1 where"))
    paragraph = lines[begun : lines.index("", begun)]
    assert len(paragraph) > 1
    for line, following in pairwise(paragraph):
        assert len(f"{line} {following.split()[0]}") > 78


@pytest.mark.parametrize("path", all_helps(), ids=" ".join)
def test_a_flag_has_no_type_in_help(path):
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "--help" in result.stdout
    assert "bool" not in result.stdout.lower()


def test_an_operator_needs_cloudformation_and_the_function_and_no_more(run, fake_aws):
    run("migrate")
    services = {authorization.split("/")[3] for authorization in fake_aws.authorizations}
    assert services == {"cloudformation", "sts", "lambda"}
