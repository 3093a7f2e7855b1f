"""Faults: the one way in which tests make calls to AWS fail, or do something in the midst of one.

A fault ends with its block::

    with failing(scene.kms, "kms", "ThrottlingException"):
        scene.reconcile(key)

Whose calls: a client's, or those of the clients that are made from a session while the fault lasts. A call is named as
botocore's events name it, ``dynamodb.UpdateItem``, or ``dynamodb`` for every call to the service. What fails is the
call and not one of its attempts: no client tries again by itself.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

ALWAYS: Final = sys.maxsize

Moment = Literal["before", "after"]
"""Before a call is sent, or after it took effect."""

MOMENTS: Final[tuple[Moment, ...]] = ("before", "after")

When = Callable[[Mapping[str, Any]], bool]
"""Tells by a call's parameters whether it counts."""


def _any_call(_: Mapping[str, Any]) -> bool:
    return True


@contextmanager
def failing(
    whose: Any,
    operation: str,
    failure: str | BaseException,
    *,
    status: int = 400,
    message: str = "refused",
    moment: Moment = "before",
    when: When = _any_call,
    times: int = ALWAYS,
    **more: Any,
) -> Iterator[None]:
    """Make calls fail.

    Args:
        whose: a client, or a session.
        operation: which calls.
        failure: an error code that the service answers, or what is raised instead of an answer.
        status: the answer's HTTP status.
        message: the answer's.
        moment: before the call is sent, or after it took effect.
        when: tells by a call's parameters whether it counts.
        times: how many calls fail.
        more: further members of the answer.
    """
    metadata = {"HTTPStatusCode": status}
    answer = {"Error": {"Code": str(failure), "Message": message}, "ResponseMetadata": metadata, **more}

    def fail(http_response: Any = None, parsed: Any = None, **_: Any) -> Any:
        if isinstance(failure, BaseException):
            raise failure
        if moment == "before":
            return AWSResponse("", status, HTTPHeaders(), None), answer
        http_response.status_code = status
        parsed.clear()
        parsed.update(answer)
        return None

    with _meeting(whose, operation, fail, moment, when, times):
        yield


@contextmanager
def interrupting(
    whose: Any,
    operation: str,
    action: Callable[[], object],
    *,
    moment: Moment = "before",
    when: When = _any_call,
    times: int = 1,
) -> Iterator[None]:
    """Do ``action`` before or after calls; calls that it makes count, too. The other arguments are as above."""

    def act(**_: Any) -> None:
        action()

    with _meeting(whose, operation, act, moment, when, times):
        yield


class FunctionFaults:
    """Faults of functions that make their clients from the default session, and start anew so that they meet them.

    Args:
        start_anew: drops the functions' clients.
    """

    def __init__(self, start_anew: Callable[[], object]) -> None:
        self._start_anew = start_anew

    @contextmanager
    def failing(self, operation: str, failure: str | BaseException, **options: Any) -> Iterator[None]:
        """Make the functions' calls fail; the arguments are those of :func:`failing`."""
        with failing(boto3.DEFAULT_SESSION, operation, failure, **options):
            self._start_anew()
            yield

    @contextmanager
    def interrupting(self, operation: str, action: Callable[[], object], **options: Any) -> Iterator[None]:
        """Do ``action`` at the functions' calls; the arguments are those of :func:`interrupting`."""
        with interrupting(boto3.DEFAULT_SESSION, operation, action, **options):
            self._start_anew()
            yield


@contextmanager
def _meeting(
    whose: Any, operation: str, act: Callable[..., Any], moment: Moment, when: When, times: int
) -> Iterator[None]:
    events = whose.meta.events if hasattr(whose, "meta") else whose.events
    left = iter(range(times))  # One step for all threads, which a counter is not.
    lasts = True

    def note(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def meet(context: dict[str, Any], **call: Any) -> Any:
        if lasts and when(context["asked"]) and next(left, None) is not None:
            return act(**call)
        return None

    handlers = {f"before-parameter-build.{operation}": note, f"{moment}-call.{operation}": meet}
    for event, handler in handlers.items():
        events.register(event, handler)
    try:
        yield
    finally:
        lasts = False  # Clients that were made of a session have the handlers for good.
        for event, handler in handlers.items():
            events.unregister(event, handler)
