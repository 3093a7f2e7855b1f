"""AWS as the operator's commands see it: CloudFormation, STS and Lambda's Invoke, served over HTTP on this machine.

Behind Lambda is a control function that keeps the promises which the commands build on: one JSON event in, one JSON
answer out, a sweep that comes on a little whenever it is looked at.
"""

import json
import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from evidence.files import files
from evidence.report import Findings, evidence
from evidence.retention import Backup
from evidence.summary import summary
from evidence.sweep import read_sweep
from evidence.verdict import judge, wanted

STACK = "chats"
FUNCTION = "chats-ControlFunction-1A2B"
WHO = "arn:aws:sts::111122223333:assumed-role/Operator/jane"
KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111"
EARLIER_KEY = "arn:aws:kms:us-east-1:111122223333:key/22222222-2222-4222-8222-222222222222"
CLEAN = {
    "plaintext": 0,
    "mixed": 0,
    "encrypted": 700,
    "oldForm": 0,
    "conflicts": 0,
    "undecryptable": 0,
    "shredded": 0,
    "none": 10,
}


def sweep(**fields: Any) -> dict[str, Any]:
    """Return a sweep as the control function tells of it: a verification that found all well, by default."""
    return {
        "id": "sweep-1",
        "goal": "verify",
        "state": "done",
        "startedBy": "jane",
        "startedAt": "2026-01-02T08:00:00+00:00",
        "finishedAt": "2026-01-02T08:30:00+00:00",
        "settingVersion": 1,
        "segments": 4,
        "segmentsDone": 4,
        "scanned": 710,
        "estimatedItems": 700,
        "counts": dict(CLEAN),
        "attributes": {name: {"plaintext": 0, "encrypted": 700, "absent": 10} for name in ("history", "configuration")},
        "strays": {},
        "encodings": {},
        "values": {"seen": 1400, "decrypted": 0},
        "underKey": {KEY: 700},
        "rate": None,
        "olderThan": None,
        "deep": False,
        "itemsPerSecond": 120.0,
        "reason": None,
        **fields,
    }


def setting(enabled: bool = True, version: int = 1) -> dict[str, Any]:
    """Return a setting as the control function tells of it."""
    changed = {"changedBy": "jane", "changedAt": "2026-01-01T08:00:00+00:00"}
    return {"enabled": enabled, "version": version, **(changed if version else dict.fromkeys(changed))}


def status(**fields: Any) -> dict[str, Any]:
    """Return the answer to `status`, with all as it should be."""
    return {
        "table": "chat-sessions",
        "tableArn": "arn:aws:dynamodb:us-east-1:111122223333:table/chat-sessions",
        "account": "111122223333",
        "tableItemCount": 710,
        "stream": {
            "arn": "arn:aws:dynamodb:us-east-1:111122223333:table/chat-sessions/stream/2025-12-01T00:00:00.000",
            "viewType": "NEW_AND_OLD_IMAGES",
        },
        "setting": setting(),
        "sweeps": [],
        "failureQueue": {"messages": 0, "url": "https://sqs.us-east-1.amazonaws.com/111122223333/failures"},
        "workQueue": {"messages": 0},
        "deferredQueue": {"messages": 0},
        "mapping": {"state": "Enabled"},
        "key": {
            "arn": KEY,
            "state": "Enabled",
            "rotationEnabled": True,
            "rotationPeriodInDays": 90,
            "nextRotationDate": "2026-03-01T00:00:00+00:00",
        },
        "earlierKeys": [],
        "tenantKeys": None,
        "attributes": ["history", "configuration"],
        "earlierAttributes": [],
        "algorithm": "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
        "encoding": "base64",
        "contextAttributes": ["userId", "sessionId"],
        "purpose": "session-encryption",
        "recovery": {
            "pitr": True,
            "days": 35,
            "earliest": "2025-12-01T00:00:00+00:00",
            "latest": "2026-01-02T09:00:00+00:00",
        },
        **fields,
    }


class FakeControl:
    """The control function. Tests set what it knows, and read which events it got."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.status = status()
        self.history = [setting()]
        self.sweeps: dict[str, dict[str, Any]] = {}
        self.outcome: dict[str, Any] = {}
        """Fields that a started sweep ends with."""
        self.readings = 2
        """How often a started sweep is found running."""
        self.answers: dict[str, Any] = {}
        """Answers by command that replace the usual ones."""

    def __call__(self, event: dict[str, Any]) -> Any:
        self.events.append(deepcopy(event))
        command = event["command"]
        if command in self.answers:
            return self.answers[command]
        match command:
            case "status":
                return self._status()
            case "judge":
                found = read_sweep(self.sweeps[event["sweep"]])
                return {"judgement": summary(found, judge(found, wanted(self.status, event["mayBeAbsent"])))}
            case "report":
                return self._report(event)
            case "start":
                return {"sweep": self._start(event)}
            case "sweep" | "pause" | "resume" | "cancel":
                return self._one(command, event["sweep"])
            case "config":
                return {"setting": self.status["setting"], "history": self.history}
            case "set-config":
                return self._set(event)
            case "failures":
                return {"failures": []}
            case _:
                return {"error": {"code": "invalid-request", "message": f"command must not be {command}."}}

    def _status(self) -> dict[str, Any]:
        return {**self.status, "sweeps": [*self.sweeps.values(), *self.status["sweeps"]]}

    def _report(self, event: dict[str, Any]) -> dict[str, Any]:
        document = evidence(
            Findings(
                stack=STACK,
                region="us-east-1",
                who=event["by"],
                now=datetime.now(UTC),
                status=self._status(),
                config={"history": self.history},
                failures={"failures": []},
                verification=read_sweep(self.sweeps[event["sweep"]]),
                backups=[
                    Backup(
                        backup["name"],
                        datetime.fromisoformat(backup["made"]),
                        datetime.fromisoformat(backup["deleted"]) if "deleted" in backup else None,
                    )
                    for backup in event["backups"]
                ],
                versions=event["versions"],
                may_be_absent=event["mayBeAbsent"],
            )
        )
        written = files(document, event.get("name"))
        html = written.html if event["html"] else None
        return {"report": document, "name": written.name, "json": written.json, "sha256": written.sha256, "html": html}

    def commands(self) -> list[str]:
        """Return the commands so far, in order."""
        return [event["command"] for event in self.events]

    def _start(self, event: dict[str, Any]) -> dict[str, Any]:
        begun = sweep(
            id=f"sweep-{len(self.sweeps) + 1}",
            goal=event["goal"],
            state="running",
            finishedAt=None,
            segments=event["segments"],
            segmentsDone=0,
            scanned=0,
            rate=event.get("rate"),
            deep=event.get("deep", False),
            values={"seen": 1400, "decrypted": 1400 if event.get("deep") else 0},
            counts={},
            underKey={},
        )
        self.sweeps[begun["id"]] = begun
        self._left = self.readings
        return begun

    def _one(self, command: str, sweep_id: str) -> dict[str, Any]:
        if sweep_id not in self.sweeps:
            return {"error": {"code": "not-found", "message": "There is no such sweep."}}
        one = self.sweeps[sweep_id]
        if command == "sweep":
            self._come_on(one)
            details = [
                {
                    "segment": number,
                    "state": "done",
                    "pages": 1,
                    "scanned": one["scanned"] // one["segments"],
                    "counts": {},
                }
                for number in range(one["segments"])
            ]
            return {"sweep": {**one, "segmentsDetail": details}}
        one["state"] = {"pause": "paused", "resume": "running", "cancel": "cancelled"}[command]
        return {"sweep": one}

    def _come_on(self, one: dict[str, Any]) -> None:
        if one["state"] != "running":
            return
        if self._left:
            self._left -= 1
            one["scanned"] += 100
            return
        counts = dict(CLEAN) if one["goal"] == "verify" else {"encrypted": 700, "nothing": 10, "failed": 0}
        end = {"state": "done", "finishedAt": "2026-01-02T08:30:00+00:00", "segmentsDone": one["segments"]}
        one.update({**end, "scanned": 710, "counts": counts, "underKey": {KEY: 700}, **self.outcome})

    def _set(self, event: dict[str, Any]) -> dict[str, Any]:
        now = self.status["setting"]
        if event["version"] != now["version"]:
            return {"error": {"code": "conflict", "message": f"It is at version {now['version']}."}}
        if not event["enabled"] and event.get("confirm") != "switch-off":
            return {"error": {"code": "invalid-request", "message": "confirm must be given."}}
        self.status["setting"] = {**now, "enabled": event["enabled"], "version": now["version"] + 1}
        return {"setting": self.status["setting"]}


class FunctionFailed:
    """An answer that means: the function raised."""

    def __init__(self, **document: Any) -> None:
        self.document = document


class FakeAws:
    """The server.

    `refusals`, by service, are taken one a request before anything else: an (HTTP status, code, message) to answer,
    or None to let the request through.
    """

    def __init__(self, control: Callable[[dict[str, Any]], Any]) -> None:
        self.control = control
        self.outputs = {"ControlFunctionName": FUNCTION, "TableName": "chat-sessions"}
        self.refusals: dict[str, list[tuple[int, str, str] | None]] = {}
        self.authorizations: list[str] = []
        self.stopped = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; from then on, nobody answers at the address, on connections that are open neither."""
        self.stopped = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer one request: HTTP status, headers, body."""
        if path.startswith("/2015-03-31/functions/"):
            return self._invoke(unquote(path.split("/")[3]), body)
        action = parse_qs(body.decode())["Action"][0]
        service = {"DescribeStacks": "cloudformation", "GetCallerIdentity": "sts"}[action]
        if (refusal := self._refusal(service)) is not None:
            status, code, message = refusal
            return status, {}, f"<R><Error><Code>{code}</Code><Message>{message}</Message></Error></R>".encode()
        if service == "sts":
            return 200, {}, _xml("GetCallerIdentity", f"<Arn>{WHO}</Arn>")
        name = parse_qs(body.decode())["StackName"][0]
        if name != STACK:
            message = f"Stack with id {name} does not exist"
            text = f"<R><Error><Code>ValidationError</Code><Message>{message}</Message></Error></R>"
            return 400, {}, text.encode()
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        stack = f"<Stacks><member><StackName>{name}</StackName><Outputs>{members}</Outputs></member></Stacks>"
        return 200, {}, _xml("DescribeStacks", stack)

    def _invoke(self, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if (refusal := self._refusal("lambda")) is not None:
            status, code, message = refusal
            return status, {"x-amzn-ErrorType": code}, json.dumps({"Message": message}).encode()
        if name != FUNCTION:
            text = json.dumps({"Message": f"Function not found: {name}"}).encode()
            return 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, text
        answer = self.control(json.loads(body))
        if isinstance(answer, FunctionFailed):
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(answer.document).encode()
        return 200, {}, json.dumps(answer).encode()

    def _refusal(self, service: str) -> tuple[int, str, str] | None:
        waiting = self.refusals.get(service)
        return waiting.pop(0) if waiting else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                if fake.stopped:
                    self.close_connection = True
                    return
                fake.authorizations.append(self.headers.get("Authorization", ""))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = fake.answer(self.path, body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: Any) -> None:
                """Print no access log."""

        return Handler


def _xml(action: str, content: str) -> bytes:
    return f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>".encode()
