"""The setting over HTTP on moto's DynamoDB and SQS: who gets what, what is stored, queued and logged."""

import base64
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader

from admin import application
from admin.handler import lambda_handler
from encryptor_runtime.switch import Switch, SwitchState
from item_crypto.core.part import ListedKeys
from tests.factories import CONTEXT, audit_lines, cognito, iam, json_lines, jwt
from tests.faults import ALWAYS, FunctionFaults
from tests.records import bodies
from tests.tables import create_table

EVENTS = Path(__file__).parents[2] / "events"
LOADER = create_loader()  # Service descriptions are read once, not once a test.
TABLE = "control"
PATH = "/session/encryption/config"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.secret.token"
ADMIN = jwt("alice", **{"cognito:groups": "[staff admin]"})
USER = jwt("bob", **{"cognito:groups": "[staff]"})
OFF = {"enabled": False, "version": 0, "confirm": "switch-off"}


class Admin:
    """A control table and a work queue on moto, and the function over them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = botocore.session.get_session()
        session.register_component("data_loader", LOADER)
        boto3.setup_default_session(botocore_session=session)
        self.dynamodb = boto3.client("dynamodb")
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="work")["QueueUrl"]
        create_table(self.dynamodb, TABLE, "id", "part")
        self.faults = FunctionFaults(self.set)
        self._monkeypatch = monkeypatch
        self.other = Switch(self.dynamodb, TABLE, True, 0)
        self.calls: list[str] = []
        # Clients made from here on, which are the function's, are listened to.
        session.register("before-call", lambda model, **_: self.calls.append(model.name))
        self.set(
            CONTROL_TABLE_NAME=TABLE,
            WORK_QUEUE_URL=self.queue,
            SESSION_ENCRYPTION_ENABLED="true",
            SETTING_CACHE_SECONDS="0",
            SESSION_ENCRYPTION_KEY_ARN=KEY_ARN,
            # Powertools keeps a logger, and the stream it writes to, by this name.
            POWERTOOLS_SERVICE_NAME=f"test-{uuid.uuid4()}",
        )

    def set(self, **environment: str) -> None:
        """Change the function's environment; it starts anew."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        application.application.cache_clear()

    def call(
        self,
        method: str,
        authorizer: Any = None,
        body: str | bytes | None = None,
        stage: str = "$default",
        content_type: str = "application/json",
    ) -> Any:
        """Send a request; bytes arrive as base64, as API Gateway hands over what is not text."""
        prefix = "" if stage == "$default" else f"/{stage}"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{method} {PATH}",
            "rawPath": prefix + PATH,
            "rawQueryString": "",
            "headers": {"authorization": f"Bearer {TOKEN}", "content-type": content_type},
            "requestContext": {"http": {"method": method, "path": prefix + PATH}, "stage": stage},
            "isBase64Encoded": isinstance(body, bytes),
        }
        if authorizer is not None:
            event["requestContext"]["authorizer"] = authorizer
        if body is not None:
            event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
        return Answer(lambda_handler(event, CONTEXT))

    def get(self, authorizer: Any = USER, **options: Any) -> Any:
        return self.call("GET", authorizer, **options)

    def put(self, content: Any, authorizer: Any = ADMIN, **options: Any) -> Any:
        body = content if isinstance(content, str | bytes) else json.dumps(content)
        return self.call("PUT", authorizer, body, **options)

    def setting(self) -> SwitchState:
        return self.other.read_now()

    def messages(self) -> list[Any]:
        """Return the bodies of the messages in the work queue, also of those that are held back."""
        return bodies(self.queue)


class Answer:
    """A response."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]
        self.text: str = response["body"]
        assert response["isBase64Encoded"] is False
        assert self.headers["Cache-Control"] == "no-store"
        assert self.headers["X-Content-Type-Options"] == "nosniff"
        assert self.headers["Content-Type"] == "application/json"
        if self.status != 200:
            assert self.body["statusCode"] == self.status
            assert self.body["message"]

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[Admin]:
    yield Admin(monkeypatch)
    application.application.cache_clear()
    boto3.setup_default_session()


# Reading


def test_given_a_part_when_any_user_reads_then_they_see_how_large_it_is_and_no_key(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [{"sessionId": {"S": "s"}, "userId": {"S": "Wilhelmine"}}]
    admin.other.change(True, "carol", 0, ListedKeys.of(keys))

    answer = admin.get(USER)
    changed = admin.put({"enabled": True, "version": 1})

    assert answer.body["part"] == {"keys": 1}
    assert (changed.body["part"], changed.body["version"]) == (None, 2)
    assert "Wilhelmine" not in answer.text + capsys.readouterr().out


@pytest.mark.parametrize("enabled", [True, False])
def test_given_no_change_yet_when_read_then_the_environments_value_holds(admin: Admin, enabled: bool) -> None:
    admin.set(SESSION_ENCRYPTION_ENABLED=str(enabled).lower())

    answer = admin.get()

    assert answer.status == 200
    assert answer.body == {"enabled": enabled, "part": None, "version": 0, "changedBy": None, "changedAt": None}


@pytest.mark.parametrize(
    "authorizer",
    [
        pytest.param(ADMIN, id="administrator"),
        pytest.param(USER, id="user"),
        pytest.param(iam("AIDAEXAMPLE1"), id="iam user"),
        pytest.param(iam("AROAEXAMPLE:session"), id="iam role"),
        pytest.param(cognito("eu-central-1:0d1c"), id="cognito identity"),
    ],
)
def test_given_any_authenticated_caller_when_they_read_then_they_see_the_setting(admin: Admin, authorizer: Any) -> None:
    made = admin.other.change(False, "carol", 0)

    assert admin.get(authorizer).body == {
        "enabled": False,
        "part": None,
        "version": 1,
        "changedBy": "carol",
        "changedAt": made.changed_at and made.changed_at.isoformat(),
    }


def test_given_a_change_of_somebody_else_when_read_again_then_it_shows_at_once(admin: Admin) -> None:
    admin.set(SETTING_CACHE_SECONDS="60")
    admin.get()
    admin.other.change(False, "carol", 0)

    assert admin.get().body["enabled"] is False


def test_given_a_named_stage_when_called_then_it_is_served(admin: Admin) -> None:
    assert admin.get(stage="prod").status == 200
    assert admin.put(OFF, stage="prod").status == 200


# Changing


def test_given_on_when_an_administrator_switches_off_then_it_is_off_and_nothing_is_queued(admin: Admin) -> None:
    answer = admin.put(OFF)

    setting = admin.setting()
    assert answer.status == 200
    assert answer.body == setting.as_json() == admin.get().body
    assert (setting.enabled, setting.version, setting.changed_by) == (False, 1, "alice")
    assert admin.messages() == []


def test_given_off_when_an_administrator_switches_on_then_the_sweep_is_queued_before_the_change(admin: Admin) -> None:
    admin.other.change(False, "carol", 0)
    admin.calls.clear()

    answer = admin.put({"enabled": True, "version": 1})

    assert (answer.status, answer.body["enabled"], answer.body["version"]) == (200, True, 2)
    assert admin.calls == [
        *("GetItem", "GetItem", "SendMessage", "TransactWriteItems", "SendMessage"),
        "PutItem",  # among the recent actions
    ]
    assert admin.messages() == [{"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 2}] * 2


def test_given_changes_when_asked_for_the_history_then_each_is_there(admin: Admin) -> None:
    admin.put(OFF)
    admin.put({"enabled": True, "version": 1}, jwt("dave", **{"cognito:groups": "[admin]"}))

    history = [(setting.version, setting.enabled, setting.changed_by) for setting in admin.other.history()]
    assert history == [(2, True, "dave"), (1, False, "alice")]


@pytest.mark.parametrize("enabled", [True, False])
def test_given_what_the_setting_says_already_when_put_then_no_version_is_made_and_on_is_made_sure_of(
    admin: Admin, enabled: bool
) -> None:
    admin.other.change(enabled, "carol", 0)
    before = admin.setting()

    answer = admin.put({"enabled": enabled, "version": 1, "confirm": "switch-off"})

    assert (answer.status, answer.body) == (200, before.as_json())
    assert admin.setting() == before
    asked = {"kind": "start", "goal": "encrypt", "by": "alice", "settingVersion": 1, "again": True}
    assert admin.messages() == ([asked] if enabled else [])


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("version", [0, 2, 10**40], ids=["behind", "ahead", "far ahead"])
def test_given_another_version_when_put_then_it_is_a_conflict_with_the_current_one(
    admin: Admin, enabled: bool, version: int
) -> None:
    before = admin.other.change(False, "carol", 0)

    answer = admin.put({"enabled": enabled, "version": version, "confirm": "switch-off"})

    assert answer.status == 409
    assert answer.body.keys() == {"statusCode", "message", "version"}
    assert answer.body["version"] == 1
    assert admin.setting() == before
    assert admin.messages() == []


@pytest.mark.parametrize("start", [0, 1], ids=["first change", "later change"])
def test_given_two_changes_at_once_from_one_version_when_put_then_one_wins(admin: Admin, start: int) -> None:
    if start:
        admin.other.change(True, "carol", 0)
    first = admin.faults.interrupting("dynamodb.TransactWriteItems", lambda: admin.other.change(False, "first", start))

    with first:
        answer = admin.put({**OFF, "version": start})

    assert (answer.status, answer.body["version"]) == (409, start + 1)
    assert admin.setting().changed_by == "first"
    assert len(admin.other.history()) == start + 1


# Refusals


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    "authorizer",
    [
        pytest.param(None, id="nobody"),
        pytest.param({"jwt": {"claims": {"cognito:groups": "[admin]"}}}, id="administrator without a name"),
        pytest.param(iam(None), id="signature without a user id"),
    ],
)
def test_given_no_usable_identity_when_called_then_it_is_401(admin: Admin, method: str, authorizer: Any) -> None:
    assert admin.call(method, authorizer, json.dumps(OFF)).status == 401
    assert admin.calls == []


@pytest.mark.parametrize("content", [OFF, {"enabled": "maybe"}, "no JSON"], ids=["change", "invalid", "unreadable"])
@pytest.mark.parametrize(
    "authorizer",
    [
        pytest.param(USER, id="user"),
        pytest.param(jwt("admin"), id="user named like the group"),
        pytest.param(iam("AIDAEXAMPLE1"), id="iam user"),
        pytest.param(iam("AROAEXAMPLE:admin"), id="iam role"),
        pytest.param(cognito("eu-central-1:0d1c"), id="cognito identity"),
    ],
)
def test_given_no_administrator_when_they_put_whatever_then_it_is_403_and_nothing_is_touched(
    admin: Admin, authorizer: Any, content: Any
) -> None:
    assert admin.put(content, authorizer).status == 403
    assert admin.calls == []
    assert admin.setting().version == 0


def test_given_a_guest_of_a_cognito_pool_when_they_read_then_it_is_403(admin: Admin) -> None:
    assert admin.get(cognito("eu-central-1:0d1c", amr="unauthenticated")).status == 403


def test_given_a_group_with_a_space_in_its_name_when_its_member_puts_then_it_is_403(admin: Admin) -> None:
    admin.set(ADMIN_GROUP_CLAIM="groups")

    assert admin.put(OFF, jwt("mallory", groups="[not admin]")).status == 403
    assert admin.put(OFF, jwt("alice", groups="[admin]")).status == 200


@pytest.mark.parametrize(
    ("content", "field"),
    [
        pytest.param({"version": 0}, "enabled", id="no enabled"),
        pytest.param({"enabled": "false", "version": 0}, "enabled", id="enabled as text"),
        pytest.param({"enabled": 0, "version": 0}, "enabled", id="enabled as a number"),
        pytest.param({"enabled": None, "version": 0}, "enabled", id="enabled null"),
        pytest.param({"enabled": True}, "version", id="no version"),
        pytest.param({"enabled": True, "version": "0"}, "version", id="version as text"),
        pytest.param({"enabled": True, "version": True}, "version", id="version as a boolean"),
        pytest.param({"enabled": True, "version": -1}, "version", id="negative version"),
        pytest.param('{"enabled": true, "version": 0.0}', "version", id="version as a fraction"),
        pytest.param('{"enabled": true, "version": NaN}', "version", id="version not a number"),
        pytest.param({"enabled": False, "version": 0}, "confirm", id="off without confirmation"),
        pytest.param({**OFF, "confirm": None}, "confirm", id="off, confirmation null"),
        pytest.param({**OFF, "confirm": "s3cr3t"}, "confirm", id="off, another confirmation"),
        pytest.param({**OFF, "confirm": True}, "confirm", id="off, confirmation true"),
        pytest.param({**OFF, "confirm": "SWITCH-OFF"}, "confirm", id="off, confirmation shouted"),
        pytest.param({**OFF, "until": "s3cr3t"}, "until", id="unknown field"),
        pytest.param({**OFF, "x" * 1000: "s3cr3t"}, "x" * 200, id="unknown field with a long name"),
        pytest.param('{"enabled": true, "version": 0, "enabled": false}', "enabled", id="a member twice"),
        pytest.param("", "body", id="empty"),
        pytest.param("null", "body", id="null"),
        pytest.param('["s3cr3t"]', "body", id="an array"),
        pytest.param('{"s3cr3t', "body", id="no JSON"),
        pytest.param("[" * 100_000, "body", id="nested too deep"),
        pytest.param(f'{{"enabled": true, "version": {"1" * 5000}}}', "body", id="a number too long"),
        pytest.param(b"\xff\xfe", "body", id="no UTF-8"),
    ],
)
def test_given_an_unusable_body_when_put_then_it_is_400_with_the_field_named_and_nothing_changes(
    admin: Admin, content: Any, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = admin.put(content)

    assert (answer.status, answer.body["field"]) == (400, field)
    assert "s3cr3t" not in answer.text + capsys.readouterr().out
    assert admin.calls == []
    assert admin.setting().version == 0


def test_given_a_put_without_a_body_when_called_then_it_is_400(admin: Admin) -> None:
    assert admin.call("PUT", ADMIN).status == 400


def test_given_a_body_as_base64_when_put_then_it_counts(admin: Admin) -> None:
    assert admin.put(json.dumps(OFF).encode()).status == 200


def test_given_a_form_when_put_then_it_is_415(admin: Admin) -> None:
    content_type = "application/x-www-form-urlencoded"
    assert admin.put("enabled=false", content_type=content_type).status == 415


def test_given_another_method_when_called_then_it_is_404_to_an_administrator(admin: Admin) -> None:
    assert admin.call("DELETE", ADMIN).status == 404


# Failures


@pytest.mark.parametrize(
    ("code", "http_status", "status"),
    [("InternalServerError", 500, 503), ("ThrottlingException", 400, 503), ("AccessDeniedException", 400, 500)],
)
@pytest.mark.parametrize("enabled", ["true", "false"], ids=["default on", "default off"])
def test_given_a_setting_that_cannot_be_read_when_called_then_it_is_an_error_and_never_a_guess(
    admin: Admin, code: str, http_status: int, status: int, enabled: str
) -> None:
    admin.set(SESSION_ENCRYPTION_ENABLED=enabled)

    with admin.faults.failing("dynamodb.GetItem", code, status=http_status):
        answers = (admin.get(), admin.put(OFF))

    for answer in answers:
        assert answer.status == status
        assert "enabled" not in answer.body
        assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)
    assert admin.setting().version == 0


def test_given_a_row_that_somebody_damaged_when_called_then_it_is_500_and_the_log_says_why(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.dynamodb.put_item(
        TableName=TABLE,
        Item={"id": {"S": "setting"}, "part": {"S": "current"}, "enabled": {"S": "no"}, "version": {"N": "1"}},
    )

    assert admin.get().status == 500
    assert admin.put({**OFF, "version": 1}).status == 500
    problems = [line for line in json_lines(capsys.readouterr().out) if line.get("level") == "ERROR"]
    assert [problem["code"] for problem in problems] == ["unreadable-setting"] * 2


@pytest.mark.parametrize(
    ("code", "http_status", "status"),
    [("ServiceUnavailable", 503, 503), ("AccessDenied", 403, 500)],
)
def test_given_a_queue_that_refuses_when_switched_on_then_the_setting_stays_off(
    admin: Admin, code: str, http_status: int, status: int
) -> None:
    before = admin.other.change(False, "carol", 0)

    with admin.faults.failing("sqs.SendMessage", code, status=http_status):
        answer = admin.put({"enabled": True, "version": 1})

    assert answer.status == status
    assert "TransactWriteItems" not in admin.calls
    assert admin.setting() == before


def test_given_a_table_that_refuses_the_change_when_put_then_it_is_503_and_nothing_changed(admin: Admin) -> None:
    with admin.faults.failing("dynamodb.TransactWriteItems", "InternalServerError", status=500):
        assert admin.put(OFF).status == 503
    assert admin.setting().version == 0


def test_given_a_bug_when_called_then_it_is_500_and_the_log_has_its_place_and_not_its_text(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    def surprise() -> None:
        raise RuntimeError("s3cr3t")

    with admin.faults.interrupting("dynamodb.GetItem", surprise, times=ALWAYS):
        answer = admin.get()

    output = capsys.readouterr().out
    assert answer.status == 500
    assert "s3cr3t" not in answer.text + output
    (problem,) = [line for line in json_lines(output) if line.get("level") == "ERROR"]
    assert problem["error"] == "RuntimeError"
    assert problem["place"].startswith("test_admin.py:")


@pytest.mark.parametrize("name", ["CONTROL_TABLE_NAME", "WORK_QUEUE_URL", "SESSION_ENCRYPTION_ENABLED"])
def test_given_a_setting_that_is_missing_when_called_then_it_is_500_until_it_is_there(
    admin: Admin, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(name, "")
        assert admin.get().status == 500
    problem, audit = json_lines(capsys.readouterr().out)
    assert (audit["audit"], audit["result"]) == (True, "failed")
    assert problem["message"] == "the function cannot start"
    assert name in problem["detail"]

    assert admin.get().status == 200


# The audit


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        pytest.param(
            lambda admin: admin.get(),
            {"who": "bob", "operation": "read-config", "result": "done", "versionBefore": 1, "versionAfter": 1},
            id="read",
        ),
        pytest.param(
            lambda admin: admin.put({**OFF, "version": 1}),
            {
                "who": "alice",
                "operation": "change-config",
                "result": "changed",
                "versionBefore": 1,
                "versionAfter": 2,
                "enabledBefore": True,
                "enabledAfter": False,
            },
            id="change",
        ),
        pytest.param(
            lambda admin: admin.put({"enabled": True, "version": 1}),
            {"who": "alice", "operation": "change-config", "result": "unchanged", "versionAfter": 1},
            id="no change",
        ),
        pytest.param(
            lambda admin: admin.put(OFF),
            {"who": "alice", "operation": "change-config", "result": "conflict", "status": 409, "versionAfter": 1},
            id="conflict",
        ),
        pytest.param(
            lambda admin: admin.put({}),
            {"who": "alice", "operation": "change-config", "result": "refused", "status": 400, "versionAfter": None},
            id="unusable body",
        ),
        pytest.param(
            lambda admin: admin.put(OFF, USER),
            {"who": "bob", "operation": "change-config", "result": "denied", "status": 403},
            id="no administrator",
        ),
        pytest.param(
            lambda admin: admin.put(OFF, iam("AROAEXAMPLE:admin")),
            {"who": "AROAEXAMPLE:admin", "operation": "change-config", "result": "denied", "status": 403},
            id="iam",
        ),
        pytest.param(
            lambda admin: admin.get(None),
            {"who": "unknown", "operation": "read-config", "result": "denied", "status": 401},
            id="nobody",
        ),
    ],
)
def test_given_a_request_when_served_or_refused_then_there_is_one_audit_line_and_no_token(
    admin: Admin, do: Callable[[Admin], Any], expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    admin.other.change(True, "carol", 0)
    do(admin)

    output = capsys.readouterr().out
    (line,) = audit_lines(output)
    # The logger leaves out what is None.
    assert {name: line.get(name) for name in expected} == expected
    assert (line["keyArn"], line["correlation_id"]) == (KEY_ARN, "request-1")
    assert TOKEN not in output


def test_given_a_failure_when_put_then_the_audit_line_names_the_service_and_the_version_as_it_was(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    with admin.faults.failing("dynamodb.TransactWriteItems", "InternalServerError", status=500):
        admin.put(OFF)

    (line,) = audit_lines(capsys.readouterr().out)
    expected = {"result": "failed", "failedService": "dynamodb", "code": "InternalServerError", "versionBefore": 0}
    assert expected.items() <= line.items()
    assert "versionAfter" not in line


def test_given_a_service_that_refuses_when_logged_then_it_and_the_stack_have_each_a_field(
    admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    with admin.faults.failing("dynamodb.GetItem", "AccessDeniedException"):
        admin.get()

    output = capsys.readouterr().out
    (audit,) = audit_lines(output)
    (problem,) = [line for line in json_lines(output) if line.get("level") == "ERROR"]
    for line in (audit, problem):
        assert (line["service"], line["failedService"]) == (os.environ["POWERTOOLS_SERVICE_NAME"], "dynamodb")


# The ready events


def test_given_the_ready_events_when_run_then_the_setting_is_shown_and_changed(admin: Admin) -> None:
    def run(name: str) -> Answer:
        return Answer(lambda_handler(json.loads((EVENTS / name).read_text()), CONTEXT))

    assert run("api-get-config.json").body["enabled"] is True
    changed = run("api-put-config.json")
    assert (changed.status, changed.body["enabled"], changed.body["version"]) == (200, False, 1)
    assert run("api-get-config.json").body == changed.body
