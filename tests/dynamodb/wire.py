"""What stands between the functions and the services: every request waits for its turn, and some of them fail.

::

    request ─ its turn? ─┬─ lost: a time-out, and nothing happened
                         ├─ refused: throttled, 5xx, denied
                         ├─ killed before it was sent
                         └─ sent ─┬─ answered
                                  ├─ its answer is lost: a time-out, and it happened all the same
                                  └─ killed before the answer arrives

A service's retries by its client are requests like any others.
"""

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


@dataclass(frozen=True)
class Rates:
    """How often what goes wrong, as shares of all requests."""

    lost: float = 0.0
    refused: float = 0.0
    unanswered: float = 0.0
    killed: float = 0.0


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
    """

    def __init__(self, session: Any, queues: Queues, draw: random.Random, seen: Callable[[Effect], None]) -> None:
        self.rates = Rates()
        self.storm: str | None = None
        self.trace: list[str] = []
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
        fate = self._fate(service)
        self.trace.append(f"{task.name} {service}.{operation} {fate}")
        match fate:
            case "lost":
                raise ConnectTimeoutError(endpoint_url=request.url)
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

    def _fate(self, service: str) -> str:
        number, rates = self._draw.random(), self.rates
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
