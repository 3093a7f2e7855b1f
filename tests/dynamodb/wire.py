"""What stands between the functions and the services: every request waits for its turn, and some of them fail.

::

    request ─ its turn? ─┬─ lost: a time-out, and nothing happened
                         ├─ refused: throttled, 5xx, denied
                         ├─ killed before it was sent
                         └─ sent ─┬─ answered
                                  ├─ its answer is lost: a time-out, and it happened all the same
                                  └─ killed before the answer arrives

Of statements that are sent together, some are refused by themselves: not executed, or executed and not told so.

A service's retries by its client are requests like any others.
"""

import copy
import io
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from moto.core.models import botocore_stubber

from tests.dynamodb.queues import Queues
from tests.dynamodb.scheduler import Killed, Task

REFUSALS: Final[dict[str, list[tuple[int, str]]]] = {
    "dynamodb": [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "TransactionConflictException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
    "kms": [(400, "ThrottlingException"), (500, "KMSInternalException"), (400, "AccessDeniedException")],
    "sqs": [(403, "RequestThrottled"), (500, "InternalFailure")],
}

REFUSED_STATEMENTS: Final = (
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "RequestLimitExceeded",
    "TransactionConflict",
    "InternalServerError",
)
"""Codes of statements that were not executed; after the last one it may have been all the same."""


@dataclass(frozen=True)
class Rates:
    """How often what goes wrong, as shares of all requests; ``together``: of those that many items are written in."""

    lost: float = 0.0
    refused: float = 0.0
    unanswered: float = 0.0
    killed: float = 0.0
    together: "Rates | None" = None


@dataclass(frozen=True)
class Effect:
    """A request that a service carried out."""

    task: Task | None
    service: str
    operation: str
    asked: Mapping[str, Any]


class Wire:
    """Answers the requests of every client of a botocore session.

    Attributes:
        rates: how often what goes wrong with the requests of invocations; the test's own are always answered.
        storm: a service that refuses most requests just now, so that its client's retries do not help.
        trace: what was asked by whom, in order, and what became of it.
        refused_statements: how many statements were refused by themselves, among others in their request.
    """

    def __init__(self, session: Any, queues: Queues, draw: random.Random, seen: Callable[[Effect], None]) -> None:
        self.rates = Rates()
        self.storm: str | None = None
        self.trace: list[str] = []
        self.refused_statements = 0
        self._queues = queues
        self._draw = draw
        self._seen = seen
        self._http = URLLib3Session()
        session.unregister("before-send", botocore_stubber)
        session.register("before-send", self._send)

    def _send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:3]
        task = threading.current_thread()
        if not isinstance(task, Task):
            return self._answer(None, service, operation, event_name, request)
        task.wait_for_turn()
        fate = self._fate(service, operation)
        self.trace.append(f"{task.name} {service}.{operation} {fate}")
        match fate:
            case "lost":
                raise ConnectTimeoutError(endpoint_url=request.url)
            case "refused" if operation == "BatchExecuteStatement" and self._draw.random() < 0.7:
                return self._refusing_statements(task, event_name, request)
            case "refused":
                return _refusal(request, *self._draw.choice(REFUSALS[service]))
            case "killed":
                self._kill(task)
        answer = self._answer(task, service, operation, event_name, request)
        match fate:
            case "unanswered":
                raise ReadTimeoutError(endpoint_url=request.url)
            case "killed after":
                self._kill(task)
        return answer

    def _fate(self, service: str, operation: str) -> str:
        number, rates = self._draw.random(), self.rates
        if operation == "BatchExecuteStatement":
            rates = rates.together or rates
        if service == self.storm:
            rates = replace(rates, refused=0.85)
        for fate, rate in (
            ("lost", rates.lost),
            ("refused", rates.refused if service in REFUSALS else 0),
            ("unanswered", rates.unanswered),
            ("killed", rates.killed / 2),
            ("killed after", rates.killed / 2),
        ):
            if number < rate:
                return fate
            number -= rate
        return "answered"

    def _refusing_statements(self, task: Task, event_name: str, request: AWSPreparedRequest) -> AWSResponse:
        """Have some of a request's statements executed; answer for each, as DynamoDB does for those it throttles."""
        asked = json.loads(request.body)
        statements = asked["Statements"]
        refused = set(self._draw.sample(range(len(statements)), self._draw.randint(1, len(statements))))
        told: dict[int, Any] = {}
        for place in refused:
            code = self._draw.choice(REFUSED_STATEMENTS)
            told[place] = {"Error": {"Code": code, "Message": "not this time"}}
        executed = [
            place
            for place in range(len(statements))
            if place not in refused
            or (told[place]["Error"]["Code"] == "InternalServerError" and self._draw.random() < 0.5)
        ]
        if executed:
            part = copy.copy(request)
            part.body = json.dumps({**asked, "Statements": [statements[place] for place in executed]}).encode()
            part.headers = copy.copy(request.headers)
            part.headers["Content-Length"] = str(len(part.body))
            answer = self._answer(task, "dynamodb", "BatchExecuteStatement", event_name, part)
            if answer.status_code != 200:
                return answer
            for place, one in zip(executed, json.loads(answer.content)["Responses"], strict=True):
                told.setdefault(place, one)
        self.refused_statements += len(refused)
        return _response(request, 200, {"Responses": [told[place] for place in range(len(statements))]})

    def _kill(self, task: Task) -> None:
        task.killed = True  # Nor does anything else that it tries on its way out.
        raise Killed

    def _answer(
        self, task: Task | None, service: str, operation: str, event_name: str, request: AWSPreparedRequest
    ) -> AWSResponse:
        asked = json.loads(request.body or b"{}")
        match service:
            case "sqs":
                answer = _response(request, 200, self._queues.answer(operation, asked))
            case "kms":
                answer = botocore_stubber(event_name, request)
            case _:
                answer = self._http.send(request)
        if answer.status_code == 200:
            self._seen(Effect(task, service, operation, asked))
        return answer


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def _response(request: AWSPreparedRequest, status: int, document: Any) -> AWSResponse:
    raw: Any = _Raw(json.dumps(document).encode())
    return AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, raw)  # type: ignore[arg-type]


def _refusal(request: AWSPreparedRequest, status: int, code: str) -> AWSResponse:
    return _response(request, status, {"__type": code, "message": "not this time"})
