"""The administrators' commands over HTTP, through the real control function over moto: who gets what, what never."""

import json
import threading
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from admin import application as admin_application
from admin.commands import OPERATIONS
from admin.control import CONTROL_CONFIG, Command, Control
from admin.handler import lambda_handler
from encryptor_runtime.actions import KEPT, Action, Actions
from item_crypto.errors import OutcomeUnknown, SystemicError, TransientError
from migrator import control as control_function
from migrator import shredding
from tests.branch_keys import BRANCH_KEYS, create_branch_key_table
from tests.documented import fits
from tests.factories import CONTEXT, Answer, audit_lines, cognito, iam, json_lines, jwt
from tests.fake_control import FUNCTION, FakeAws, FunctionFailed
from tests.faults import FunctionFaults
from tests.migration import CONTROL, SECRET, Migration, context

ADMIN: Final = jwt("alice", **{"cognito:groups": "[staff admin]"})
USER: Final = jwt("bob", **{"cognito:groups": "[staff]"})
TEXT: Final = "s3cr3t"
OFF: Final = {"enabled": False, "version": 0, "confirm": "switch-off"}

READING: Final[dict[str, tuple[dict[str, str], str]]] = {
    "GET /admin/api/status": ({}, ""),
    "GET /admin/api/config": ({}, ""),
    "GET /admin/api/sweeps/{sweepId}": ({"sweepId": "some"}, ""),
    "GET /admin/api/failures": ({}, "max=5"),
    "GET /admin/api/plaintext-window": ({}, "hours=3"),
    "GET /admin/api/actions": ({}, "limit=5"),
    "GET /admin/api/report": ({}, "sweep=some&form=files"),
    "GET /admin/api/tenants": ({}, "tenant=some"),
}
CHANGING: Final[dict[str, tuple[dict[str, str], Any]]] = {
    "PUT /admin/api/config": ({}, OFF),
    "POST /admin/api/sweeps": ({}, {"goal": "verify"}),
    "POST /admin/api/sweeps/{sweepId}/pause": ({"sweepId": "some"}, None),
    "POST /admin/api/sweeps/{sweepId}/resume": ({"sweepId": "some"}, None),
    "POST /admin/api/sweeps/{sweepId}/cancel": ({"sweepId": "some"}, {"confirm": "cancel"}),
    "PUT /admin/api/sweeps/{sweepId}/rate": ({"sweepId": "some"}, {"rate": 5}),
    "POST /admin/api/failures/redrive": ({}, {}),
    "POST /admin/api/failures/{letterId}/discard": ({"letterId": "some"}, {"reason": "r", "confirm": "discard"}),
    "POST /admin/api/tenants/make": ({}, {"tenant": "some"}),
    "POST /admin/api/tenants/rotate": ({}, {"tenant": "some"}),
    "POST /admin/api/tenants/shred": ({}, {"tenant": "some", "confirm": "some"}),
}
ROUTES: Final = [*READING, *CHANGING]


class Page:
    """What the page has in front of it: the admin function, and behind it the control function over moto.

    Attributes:
        world: the migrator's table, queues and functions.
        asked: the events that the control function got.
        raises: what the control function raises instead of doing anything.
        answers: what Lambda says in its place.
    """

    def __init__(self, world: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.asked: list[dict[str, Any]] = []
        self.raises: Exception | None = None
        self.answers: Any = None
        self.aws = FakeAws(self._control)
        self.faults = FunctionFaults(self.start_anew)
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", self.aws.url)
        monkeypatch.setenv("CONTROL_FUNCTION_NAME", FUNCTION)

    def start_anew(self) -> None:
        admin_application.application.cache_clear()

    def _control(self, event: dict[str, Any]) -> Any:
        self.asked.append(event)
        if self.answers is not None:
            return self.answers
        try:
            if self.raises is not None:
                raise self.raises
            return control_function.handle(event, context(), self.world.parts)
        except Exception as error:
            # As Lambda tells of it.
            return FunctionFailed(errorType=type(error).__name__, errorMessage=str(error), stackTrace=[TEXT])

    def call(
        self,
        route: str,
        body: Any = None,
        authorizer: Any = ADMIN,
        query: str = "",
        headers: dict[str, str] | None = None,
        **parameters: str,
    ) -> Answer:
        method, _, path = route.partition(" ")
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"authorization": "Bearer t0k3n", "content-type": "application/json", **(headers or {})},
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r-1"},
            "isBase64Encoded": False,
        }
        if parameters:
            event["pathParameters"] = parameters
        if query:
            event["queryStringParameters"] = dict(parse_qsl(query))
        if authorizer is not None:
            event["requestContext"]["authorizer"] = authorizer
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = Answer(lambda_handler(event, CONTEXT))
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"] == "application/json"
        if route in ROUTES:
            fits(path, method, answer.status, answer.text, answer.headers)
        return answer

    def any(self, route: str, authorizer: Any = ADMIN) -> Answer:
        """Send a usable request of a route."""
        parameters, rest = (READING | CHANGING)[route]
        if route in READING:
            return self.call(route, authorizer=authorizer, query=rest, **parameters)
        return self.call(route, rest, authorizer, **parameters)

    def start(self, goal: str, **fields: Any) -> Any:
        answer = self.call("POST /admin/api/sweeps", {"goal": goal, **fields})
        assert answer.status == 200, answer.text
        return answer.body["sweep"]

    def actions(self) -> list[dict[str, Any]]:
        answer = self.call("GET /admin/api/actions")
        assert answer.status == 200, answer.text
        return list(json.loads(answer.text)["actions"])


@pytest.fixture
def page(world: Migration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    page = Page(world, monkeypatch)
    page.start_anew()
    yield page
    page.aws.stop()
    page.start_anew()


# Every route


def test_every_route_is_tried_here() -> None:
    assert set(ROUTES) == {operation for operation in OPERATIONS if "/admin/api/" in operation}


@pytest.mark.parametrize(
    ("authorizer", "status"),
    [
        pytest.param(USER, 403, id="user"),
        pytest.param(jwt("admin"), 403, id="user named like the group"),
        pytest.param(jwt("eve", **{"cognito:groups": "[administrators]"}), 403, id="group of a similar name"),
        pytest.param(iam("AROAEXAMPLE:admin"), 403, id="iam role"),
        pytest.param(cognito("eu-central-1:0d1c"), 403, id="cognito identity"),
        pytest.param(None, 401, id="nobody"),
    ],
)
def test_given_no_administrator_when_any_route_is_called_then_it_is_refused_and_nobody_is_asked(
    page: Page, authorizer: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {route: page.any(route, authorizer).status for route in ROUTES} == dict.fromkeys(ROUTES, status)

    assert page.asked == []
    lines = audit_lines(capsys.readouterr().out)
    denied = [(OPERATIONS[route], "denied") for route in ROUTES]
    assert [(line["operation"], line["result"]) for line in lines] == denied


def test_given_a_table_when_administered_from_the_page_then_each_route_answers_as_documented_and_shows_no_value(
    page: Page, world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []

    def call(route: str, body: Any = None, **options: Any) -> Any:
        answer = page.call(route, body, **options)
        assert answer.status == 200, answer.text
        shown.append(answer.text)
        return json.loads(answer.text)

    originals = {f"s{number}": world.plain(f"s{number}", number) for number in range(3)}
    world.put("poison", encrypted_history={"S": SECRET})

    assert call("GET /admin/api/status")["setting"]["enabled"] is True
    assert call("GET /admin/api/config") == {
        "setting": {**world.command("config")["setting"]},
        "listedKeys": None,
        "history": [],
    }
    started = call("POST /admin/api/sweeps", {"goal": "encrypt", "segments": 2, "rate": 100})["sweep"]
    assert (started["segments"], started["rate"], started["startedBy"]) == (2, 100.0, "alice")
    assert call("POST /admin/api/sweeps/{sweepId}/pause", sweepId=started["id"])["sweep"]["state"] == "paused"
    assert call("POST /admin/api/sweeps/{sweepId}/resume", sweepId=started["id"])["sweep"]["state"] == "running"
    for rate, ceiling in ((7.5, 7.5), (None, None)):
        changed = call("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": rate}, sweepId=started["id"])["sweep"]
        assert changed["rate"] == ceiling
    world.pump()
    done = call("GET /admin/api/sweeps/{sweepId}", sweepId=started["id"])["sweep"]
    assert (done["state"], done["counts"]["encrypted"]) == ("done", 3)
    assert [segment["state"] for segment in done["segmentsDetail"]] == ["done", "done"]
    verified = call("POST /admin/api/sweeps", {"goal": "verify", "deep": True})["sweep"]
    world.pump()
    assert call("GET /admin/api/sweeps/{sweepId}", sweepId=verified["id"])["sweep"]["values"]["decrypted"] == 6

    failures = call("GET /admin/api/failures")
    (letter,) = failures["failures"]
    assert (failures["messages"], letter["key"]["sessionId"]) == (1, {"S": "poison"})
    assert call("POST /admin/api/failures/redrive", {"max": 5})["again"] == 1
    (letter,) = call("GET /admin/api/failures")["failures"]
    gone = {"reason": "of no use", "confirm": "discard"}
    assert call("POST /admin/api/failures/{letterId}/discard", gone, letterId=letter["id"]) == {"discarded": True}
    assert call("GET /admin/api/failures") == {"failures": [], "messages": 0}

    assert call("PUT /admin/api/config", OFF)["setting"]["version"] == 1
    restore = {"goal": "decrypt", "confirm": "decrypt"}
    ended = call("POST /admin/api/sweeps", restore)["sweep"]
    cancelled = call("POST /admin/api/sweeps/{sweepId}/cancel", {"confirm": "cancel"}, sweepId=ended["id"])
    assert cancelled["sweep"]["state"] == "cancelled"
    call("POST /admin/api/sweeps", restore)
    world.passed += world.passed.__class__(hours=1)
    world.pump()
    assert {name: item for name, item in world.all().items() if name != "poison"} == originals
    assert call("GET /admin/api/plaintext-window") == {"periodSeconds": 300, "points": []}
    assert len(call("GET /admin/api/actions", query="limit=3")["actions"]) == 3

    output = capsys.readouterr().out
    for text in (*shown, output):
        assert SECRET not in text
    assert "t0k3n" not in output
    assert {event["command"] for event in page.asked} == {command.value for command in Command} - {"report"} - {
        "branch-keys", "make-branch-key", "rotate-branch-key", "shred-tenant",
    }  # fmt: skip


def test_given_a_report_when_asked_for_then_the_document_or_the_files_are_passed_on(page: Page) -> None:
    files = {"name": "evidence-t", "json": '{"anything": {}}\n', "sha256": "00", "html": "<!doctype html>"}
    page.answers = {"report": {"anything": {}}, **files}
    assert page.call("GET /admin/api/report", query="sweep=s-1&form=files").body == files
    assert page.call("GET /admin/api/report").body == {"anything": {}}

    told = {"command": "report", "by": "alice", "via": "admin-api"}
    assert page.asked == [{**told, "sweep": "s-1", "html": True}, told]


def test_given_a_part_when_switched_on_for_it_then_the_page_sees_its_keys_and_the_audit_line_how_many(
    page: Page, world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [{"sessionId": {"S": "s1"}, "userId": {"S": "Wilhelmine"}}]
    world.switch(False, 0)
    capsys.readouterr()

    changed = page.call("PUT /admin/api/config", {"enabled": True, "version": 1, "part": {"keys": keys}})
    shown = page.call("GET /admin/api/config")
    status = page.call("GET /admin/api/status")

    assert (changed.status, changed.body["setting"]["part"]) == (200, {"keys": 1})
    assert (shown.body["listedKeys"], shown.body["history"][0]["part"]) == (keys, {"keys": 1})
    assert status.body["setting"]["part"] == {"keys": 1}
    output = capsys.readouterr().out
    assert "Wilhelmine" not in output
    (line,) = [line for line in audit_lines(output) if line["operation"] == "admin:set-config"]
    assert line["asked"] == {"enabled": True, "version": 1, "listedKeys": 1}


@pytest.mark.parametrize("field", ["part", "confirm"])
def test_given_a_part_that_narrows_or_is_none_when_asked_for_then_it_is_400_with_its_field(
    page: Page, world: Migration, field: str
) -> None:
    part = {"part": {"buckets": 1, "keys": [{"sessionId": {"S": "s"}}]}, "confirm": {"buckets": 1}}[field]

    answer = page.call("PUT /admin/api/config", {"enabled": True, "version": 0, "part": part})

    assert (answer.status, answer.body["field"]) == (400, field)
    assert world.command("config")["history"] == []


# Who acts


def test_given_a_token_when_commands_are_asked_then_they_are_its_users_and_came_by_the_page(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    for route in ROUTES:
        page.any(route)

    assert {(event["by"], event["via"]) for event in page.asked} == {("alice", "admin-api")}
    lines = audit_lines(capsys.readouterr().out)
    of_control = [line for line in lines if line["operation"].startswith("control:")]
    of_admin = [line for line in lines if line["operation"].startswith("admin:")]
    assert {(line["who"], line.get("via")) for line in of_control} == {("alice", "admin-api")}
    assert [(line["who"], line["operation"]) for line in of_admin] == [("alice", OPERATIONS[name]) for name in ROUTES]
    assert len(of_control) == len(ROUTES) - 1  # One reads a metric.


@pytest.mark.parametrize("route", [route for route, (_, body) in CHANGING.items() if body is not None])
def test_given_a_field_of_the_control_functions_own_when_sent_then_it_is_400_and_nobody_is_asked(
    page: Page, route: str
) -> None:
    parameters, body = CHANGING[route]
    for name in ("by", "via", "command", "key", "within"):
        answer = page.call(route, {**body, name: "mallory"}, **parameters)
        assert (answer.status, answer.body["field"]) == (400, name)
    assert page.asked == []


def test_given_who_acts_in_query_headers_and_unread_bodies_when_sent_then_the_token_counts(page: Page) -> None:
    forged = {"by": "mallory", "command": "decrypt-item", "via": "cli"}
    sweep = page.start("verify")["id"]

    page.call("POST /admin/api/sweeps/{sweepId}/pause", forged, query=urlencode(forged), headers=forged, sweepId=sweep)
    page.call("GET /admin/api/status", query=urlencode(forged), headers=forged)

    assert page.asked[1:] == [
        {"command": "pause", "by": "alice", "via": "admin-api", "sweep": sweep},
        {"command": "status", "by": "alice", "via": "admin-api"},
    ]


def test_given_a_user_of_the_name_of_the_schedules_when_refused_then_it_raises_no_alarm(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    page.start("verify")
    claims = jwt("schedule", **{"cognito:groups": "[admin]"})

    assert page.call("POST /admin/api/sweeps", {"goal": "encrypt"}, claims).status == 409

    assert "ScheduledSweepsRefused" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("route", "parameters"),
    [
        ("POST /admin/api/decrypt-item", {}),
        ("GET /admin/api/decrypt-item", {}),
        ("POST /admin/api/sweeps/{sweepId}/decrypt-item", {"sweepId": "some"}),
        ("POST /admin/api/{proxy+}", {"proxy": "decrypt-item"}),
    ],
)
def test_given_a_command_that_is_not_listed_when_called_then_there_is_no_such_route(
    page: Page, route: str, parameters: dict[str, str]
) -> None:
    body = {"key": {"sessionId": {"S": "s"}, "userId": {"S": "alice"}}}

    assert page.call(route, body, **parameters).status == 404
    assert page.asked == []


def test_the_closed_list_has_no_command_that_shows_an_item() -> None:
    assert "decrypt-item" not in {command.value for command in Command}


# Confirmations and conflicts


@pytest.mark.parametrize(
    ("route", "body", "parameters"),
    [
        ("PUT /admin/api/config", {"enabled": False, "version": 0}, {}),
        ("POST /admin/api/sweeps", {"goal": "decrypt"}, {}),
        ("POST /admin/api/sweeps/{sweepId}/cancel", {}, {"sweepId": "some"}),
        ("POST /admin/api/failures/{letterId}/discard", {"reason": "r"}, {"letterId": "some"}),
    ],
    ids=["off", "decrypt", "cancel", "discard"],
)
def test_given_no_word_or_another_when_it_has_to_be_confirmed_then_it_is_400_and_nobody_is_asked(
    page: Page, route: str, body: Any, parameters: dict[str, str]
) -> None:
    words = ("yes", True, "SWITCH-OFF", "Decrypt", None)
    for given in (body, *({**body, "confirm": word} for word in words)):
        answer = page.call(route, given, **parameters)
        assert (answer.status, answer.body["field"]) == (400, "confirm")
    assert page.asked == []


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("POST /admin/api/sweeps", {"goal": "drop"}, "goal"),
        ("POST /admin/api/sweeps", {"goal": "verify", "segments": True}, "segments"),
        ("POST /admin/api/sweeps", {"goal": "verify", "segments": 0}, "segments"),
        ("POST /admin/api/sweeps", {"goal": "verify", "rate": "10"}, "rate"),
        ("POST /admin/api/sweeps", '{"goal": "verify", "rate": NaN}', "rate"),
        ("POST /admin/api/sweeps", {"goal": "verify", "deep": 1}, "deep"),
        ("POST /admin/api/sweeps", {"goal": "verify", "older_than_days": 1}, "older_than_days"),
        ("PUT /admin/api/sweeps/{sweepId}/rate", {}, "rate"),
        ("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": 0}, "rate"),
        ("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": "auto"}, "rate"),
        ("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": "fast"}, "rate"),
        ("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": 5, "sweep": "x"}, "sweep"),
        ("POST /admin/api/failures/redrive", {"max": 0}, "max"),
        ("PUT /admin/api/config", {"enabled": "true", "version": 0}, "enabled"),
    ],
)
def test_given_an_unusable_body_when_sent_then_it_is_400_with_the_field_and_nobody_is_asked(
    page: Page, route: str, body: Any, field: str
) -> None:
    answer = page.call(route, body, **({"sweepId": "some"} if "{sweepId}" in route else {}))

    assert (answer.status, answer.body["field"]) == (400, field)
    assert page.asked == []


@pytest.mark.parametrize(
    ("route", "query", "field"),
    [
        ("GET /admin/api/failures", "max=0", "max"),
        ("GET /admin/api/failures", "max=1000", "max"),
        ("GET /admin/api/actions", "limit=no", "limit"),
        ("GET /admin/api/plaintext-window", "hours=100000", "hours"),
        ("GET /admin/api/report", "form=pdf", "form"),
    ],
)
def test_given_an_unusable_query_when_sent_then_it_is_400_with_the_field(
    page: Page, route: str, query: str, field: str
) -> None:
    answer = page.call(route, query=query)

    assert (answer.status, answer.body["field"]) == (400, field)
    assert page.asked == []


def test_given_a_rule_of_the_control_function_alone_when_broken_then_it_is_400_with_its_field(page: Page) -> None:
    answer = page.call("POST /admin/api/sweeps", {"goal": "verify", "olderThanDays": 3})

    assert (answer.status, answer.body["field"], answer.body["code"]) == (400, "olderThanDays", "invalid-request")


def test_given_another_version_when_the_setting_is_changed_then_it_is_a_conflict_with_the_current_one(
    page: Page, world: Migration
) -> None:
    assert page.call("PUT /admin/api/config", OFF).status == 200

    answer = page.call("PUT /admin/api/config", {"enabled": True, "version": 0})

    assert (answer.status, answer.body["code"], answer.body["version"]) == (409, "conflict", 1)
    assert world.command("config")["setting"]["enabled"] is False


def test_given_things_as_they_are_when_a_command_does_not_go_then_the_code_says_why(page: Page) -> None:
    def refused(route: str, body: Any = None, **parameters: str) -> tuple[int, str]:
        answer = page.call(route, body, **parameters)
        return answer.status, answer.body["code"]

    decrypt = {"goal": "decrypt", "confirm": "decrypt"}
    assert refused("POST /admin/api/sweeps", decrypt) == (409, "forbidden-by-setting")
    sweep = page.start("verify")["id"]
    assert refused("POST /admin/api/sweeps", {"goal": "encrypt"}) == (409, "conflict")
    assert page.call("POST /admin/api/sweeps", {"goal": "encrypt"}).body["sweep"] == sweep
    page.call("POST /admin/api/sweeps/{sweepId}/cancel", {"confirm": "cancel"}, sweepId=sweep)
    assert refused("POST /admin/api/sweeps/{sweepId}/pause", sweepId=sweep) == (409, "stopped")
    assert refused("GET /admin/api/sweeps/{sweepId}", sweepId="none") == (404, "not-found")
    assert refused("PUT /admin/api/sweeps/{sweepId}/rate", {"rate": 5}, sweepId=sweep) == (409, "stopped")
    discard = {"reason": "r", "confirm": "discard"}
    assert refused("POST /admin/api/failures/{letterId}/discard", discard, letterId="none") == (404, "not-found")
    for code in ("mapping-not-enabled", "ambiguous"):
        page.answers = {"error": {"code": code, "message": "Because."}}
        assert refused("POST /admin/api/sweeps", {"goal": "encrypt"}) == (409, code)


# Failures


@pytest.mark.parametrize(
    ("error", "reading", "changing"),
    [
        (TransientError("kms", TEXT), (503, None, "1"), (503, "unknown", None)),
        (OutcomeUnknown("dynamodb", TEXT), (503, None, "1"), (503, "unknown", None)),
        (SystemicError("kms", TEXT), (500, None, None), (500, None, None)),
        (KeyError(TEXT), (500, None, None), (500, None, None)),
    ],
    ids=["transient", "outcome unknown", "systemic", "a bug"],
)
def test_given_a_control_function_that_raises_when_asked_then_its_text_reaches_nobody(
    page: Page, error: Exception, reading: Any, changing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    page.raises = error
    outcomes = {}
    for route in ("GET /admin/api/status", "POST /admin/api/sweeps"):
        page.asked.clear()
        answer = page.any(route)
        outcomes[route] = (answer.status, answer.body.get("outcome"), answer.headers.get("Retry-After"))
        assert len(page.asked) == 1
        assert TEXT not in answer.text

    assert list(outcomes.values()) == [reading, changing]
    lines = json_lines(capsys.readouterr().out)
    assert TEXT not in json.dumps([line for line in lines if "admin:" in str(line.get("operation"))])


@pytest.mark.parametrize(
    ("failure", "reading", "changing"),
    [
        ((429, "TooManyRequestsException", TEXT), (503, None), (503, None)),
        ((500, "ServiceException", TEXT), (503, None), (503, "unknown")),
        ((403, "AccessDeniedException", TEXT), (500, None), (500, None)),
    ],
    ids=["throttled", "failed within", "denied"],
)
def test_given_lambda_that_refuses_when_asked_then_it_is_asked_once_and_the_answer_says_what_is_known(
    page: Page, failure: Any, reading: Any, changing: Any
) -> None:
    for route, expected in (("GET /admin/api/status", reading), ("POST /admin/api/sweeps", changing)):
        page.aws.refusals["lambda"] = [failure, failure, failure]
        answer = page.any(route)
        assert (answer.status, answer.body.get("outcome")) == expected
        assert len(page.aws.refusals["lambda"]) == 2
        assert TEXT not in answer.text
    assert page.asked == []


@pytest.mark.parametrize(("route", "outcome"), [("GET /admin/api/status", None), ("POST /admin/api/sweeps", "unknown")])
def test_given_no_answer_in_time_when_asked_then_it_is_503_and_a_change_is_in_doubt(
    page: Page, route: str, outcome: str | None
) -> None:
    with page.faults.failing("lambda.Invoke", ReadTimeoutError(endpoint_url="https://lambda"), moment="after"):
        answer = page.any(route)

    assert (answer.status, answer.body.get("outcome")) == (503, outcome)
    assert len(page.asked) == 1


def test_given_a_control_function_that_takes_too_long_when_asked_then_it_is_invoked_once() -> None:
    told = threading.Event()
    asked: list[Any] = []

    def slow(event: Any) -> Any:
        asked.append(event)
        told.wait(30)
        return {}

    aws = FakeAws(slow)
    impatient = CONTROL_CONFIG.merge(Config(read_timeout=0.2))
    client = boto3.client("lambda", endpoint_url=aws.url, config=impatient)
    try:
        with pytest.raises(OutcomeUnknown):
            Control(client, FUNCTION).ask(Command.START, "alice", goal="verify")
        with pytest.raises(TransientError) as raised:
            Control(client, FUNCTION).ask(Command.STATUS, "alice")
        assert not isinstance(raised.value, OutcomeUnknown)
    finally:
        told.set()
        aws.stop()
    assert [event["command"] for event in asked] == ["start", "status"]


def test_given_an_answer_that_is_none_when_asked_then_it_is_500(page: Page) -> None:
    page.answers = [TEXT]

    answer = page.any("GET /admin/api/status")

    assert answer.status == 500
    assert TEXT not in answer.text


def test_given_no_control_function_when_asked_then_it_is_500_and_the_setting_is_served_all_the_same(
    page: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONTROL_FUNCTION_NAME")
    capsys.readouterr()

    assert page.any("GET /admin/api/status").status == 500
    (line,) = audit_lines(capsys.readouterr().out)
    assert (line["result"], line["reason"]) == ("failed", "configuration")
    assert page.call("GET /session/encryption/config").status == 200


# Recent actions


def test_given_changes_by_whomever_when_asked_for_then_the_recent_actions_are_the_newest_first(
    page: Page, world: Migration
) -> None:
    sweep = page.start("verify", segments=2)["id"]
    world.command("pause", sweep=sweep, by="arn:aws:sts::111122223333:assumed-role/Operator/jane")
    page.call("POST /admin/api/sweeps/{sweepId}/resume", sweepId=sweep)
    page.call("POST /admin/api/sweeps/{sweepId}/cancel", {"confirm": "cancel"}, sweepId=sweep)
    world.command("start", goal="encrypt", by="schedule")
    page.call("PUT /admin/api/config", OFF)
    page.call("PUT /session/encryption/config", {"enabled": True, "version": 1})
    page.call("PUT /session/encryption/config", {"enabled": True, "version": 0})
    page.call("POST /admin/api/failures/redrive", {})
    page.call("POST /admin/api/failures/{letterId}/discard", {"reason": "old", "confirm": "discard"}, letterId="none")
    world.command("decrypt-item", key={"sessionId": {"S": "none"}, "userId": {"S": "alice"}}, by="jane")
    world.command("status")

    found = page.actions()

    operator = "arn:aws:sts::111122223333:assumed-role/Operator/jane"
    assert [(one["who"], one["via"], one["action"], one["result"]) for one in reversed(found)] == [
        ("alice", "admin-api", "start", "done"),
        (operator, None, "pause", "done"),
        ("alice", "admin-api", "resume", "done"),
        ("alice", "admin-api", "cancel", "done"),
        ("schedule", None, "start", "done"),
        ("alice", "admin-api", "set-config", "done"),
        ("alice", "config-api", "set-config", "done"),
        ("alice", "config-api", "set-config", "refused: conflict"),
        ("alice", "admin-api", "redrive", "done"),
        ("alice", "admin-api", "discard", "refused: not-found"),
        ("jane", None, "decrypt-item", "refused: not-found"),
    ]
    details = [one["detail"] for one in reversed(found)]
    assert details[0] == {"goal": "verify", "segments": 2, "sweep": sweep}
    assert details[1] == {"sweep": sweep}
    assert details[5] == {"enabled": False, "version": 0, "newVersion": 1}
    assert details[8] == {"done": 0, "again": 0, "remaining": 0}
    assert details[9] == {"id": "none", "reason": "old"}
    assert details[10] == {}
    assert [one["time"] for one in found] == sorted((one["time"] for one in found), reverse=True)


def test_given_many_actions_when_one_more_is_kept_then_the_oldest_goes(page: Page, world: Migration) -> None:
    actions = Actions(world.dynamodb, CONTROL)
    for number in range(KEPT + 2):
        moment = world.parts.now().replace(year=2020)
        actions.keep(Action(moment, "jane", None, "start", "done", {"number": number}))

    page.call("PUT /admin/api/config", OFF)

    kept = actions.newest(KEPT + 10)
    assert len(kept) == KEPT
    assert (kept[0].action, kept[1].detail["number"], kept[-1].detail["number"]) == ("set-config", KEPT + 1, 3)


def test_given_a_row_that_cannot_be_written_when_a_command_is_done_then_it_is_done_and_the_log_says_so(
    page: Page, world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    def of_an_action(asked: Any) -> bool:
        return asked.get("Item", {}).get("id") == {"S": "actions"}

    lasting = FunctionFaults(world.set)
    with lasting.failing("dynamodb.PutItem", "AccessDeniedException", when=of_an_action):
        page.start_anew()
        assert page.call("PUT /admin/api/config", OFF).status == 200
        assert page.call("PUT /session/encryption/config", {"enabled": True, "version": 1}).status == 200

    assert world.command("config")["setting"]["version"] == 2
    problems = [line for line in json_lines(capsys.readouterr().out) if line.get("level") == "ERROR"]
    assert [(line["message"], line["reason"]) for line in problems] == [
        ("a command is not among the recent actions", "systemic"),
        ("a change is not among the recent actions", "systemic"),
    ]
    page.start_anew()
    assert page.actions() == []


def test_given_a_command_that_fails_when_kept_then_its_row_says_so(page: Page, world: Migration) -> None:
    faults = FunctionFaults(world.set)
    with faults.failing("sqs.SendMessageBatch", "ServiceUnavailable", status=503):
        assert page.call("POST /admin/api/sweeps", {"goal": "verify"}).status == 503
    world.set()

    (action,) = page.actions()
    assert (action["action"], action["result"], action["detail"]) == ("start", "failed: transient", {"goal": "verify"})


def test_given_whatever_fields_when_kept_then_a_row_stays_small_and_readable(page: Page, world: Migration) -> None:
    world.command("set-config", enabled=[SECRET], version=10**4000)
    world.command("discard", id="x" * 5000, reason="a\nb\ud800" + "y" * 5000)

    discarded, changed = page.actions()

    assert changed["detail"] == {"version": "out of range"}
    assert discarded["detail"]["reason"].startswith("a?b?y")
    assert {len(text) for text in discarded["detail"].values()} == {256}


# A key for each tenant


def test_given_tenants_with_keys_when_administered_then_listed_made_rotated_and_shredded(page: Page) -> None:
    create_branch_key_table(page.world.dynamodb)
    page.world.set(KEYRING_TYPE="hierarchical", BRANCH_KEY_TABLE_NAME=BRANCH_KEYS, TENANT_ATTRIBUTE="userId")
    page.world.plain("s1")
    page.world.run("encrypt")

    made = page.call("POST /admin/api/tenants/make", {"tenant": "bob"})
    rotated = page.call("POST /admin/api/tenants/rotate", {"tenant": "bob"})
    refused = page.call("POST /admin/api/tenants/shred", {"tenant": "alice", "confirm": "bob"})
    shredded = page.call("POST /admin/api/tenants/shred", {"tenant": "alice", "confirm": "alice"})
    listed = page.call("GET /admin/api/tenants")
    gone = page.call("POST /admin/api/tenants/make", {"tenant": "alice"})

    assert [each.status for each in (made, rotated, refused, shredded, listed, gone)] == [200, 200, 400, 200, 200, 409]
    assert refused.body["field"] == "confirm"
    assert (shredded.body["shredded"], shredded.body["items"]) == (True, 1)
    assert shredded.body["readable"][0]["what"] == "the branch key that a function keeps"
    assert {each["tenant"]: each["state"] for each in listed.body["branchKeys"]} == {"bob": "active", None: "destroyed"}
    assert gone.body["code"] == "tenant-shredded"
    assert SECRET not in shredded.text + listed.text


def test_given_a_look_that_takes_long_when_shredded_then_it_goes_on_from_its_cursor(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_branch_key_table(page.world.dynamodb)
    page.world.set(KEYRING_TYPE="hierarchical", BRANCH_KEY_TABLE_NAME=BRANCH_KEYS, TENANT_ATTRIBUTE="userId")
    for number in range(3):
        page.world.plain(f"s{number}")
    page.world.run("encrypt")
    original = shredding.scanned
    monkeypatch.setattr(shredding, "scanned", lambda *given, **more: original(*given, **more, Limit=2))
    monkeypatch.setattr("migrator.tenants.SECONDS", -1.0)

    first = page.call("POST /admin/api/tenants/shred", {"tenant": "alice", "confirm": "alice"})
    body = {"tenant": "alice", "confirm": "alice", "cursor": json.loads(first.text)["cursor"]}
    second = page.call("POST /admin/api/tenants/shred", body)

    assert (first.status, first.body["shredded"], first.body["items"]) == (200, False, 2)
    assert (second.status, second.body["shredded"], second.body["items"]) == (200, True, 1)
    assert [event["within"] for event in page.asked if event["command"] == "shred-tenant"] == [10, 10]
