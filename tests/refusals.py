"""Calls of a client that a service refuses, chosen by what is asked: a botocore hook, nothing patched."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse


class Refused(list[Mapping[str, Any]]):
    """Requests that were refused."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self.stop = stop


def refuse(
    client: Any,
    operation: str,
    code: str,
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    times: float = float("inf"),
) -> "Refused":
    """Have calls of ``operation``, such as ``kms.Decrypt``, fail with ``code`` before they are sent.

    Args:
        client: the client, of a service that speaks JSON.
        operation: service and operation.
        code: the service's error code.
        when: tells by a request whether it is refused.
        times: how many are refused at most.

    Returns:
        The requests that were refused, as they come; its ``stop`` ends that.
    """
    event = f"before-call.{operation}"
    refused = Refused(lambda: client.meta.events.unregister(event, respond))

    def respond(params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        request = json.loads(params["body"])
        if len(refused) >= times or not when(request):
            return None
        refused.append(request)
        answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return AWSResponse("", 400, {}, None), answer  # type: ignore[arg-type]

    client.meta.events.register(event, respond)
    return refused
