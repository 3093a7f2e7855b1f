"""Lambda entry point for services: an item by its key, in the clear, for tables of any shape.

::

    {"Key": {"sessionId": {"S": "dlg-1"}, "userId": {"S": "user-24"}}}
    → {"Item": {"sessionId": {"S": "dlg-1"}, …, "history": {"L": […]}}}      DynamoDB JSON, binary as base64 text
    → {"Item": null}                                                          there is no such item

IAM decides who may invoke it. Lambda does not tell a function who did: CloudTrail's data event of the invocation
does, under the request id that the audit line carries as ``correlation_id``.
"""

from collections.abc import Mapping
from typing import Any, Final

from encryptor_runtime.runtime import Runtime
from encryptor_runtime.telemetry import log_failed_start
from http_api.audit import audited
from item_crypto.core.codec import key_from_json, to_json
from item_crypto.errors import ItemCryptoError
from reader.access import invocation, read, telling_of_keys
from reader.application import item_reader

_WHO: Final = "invoker"


class ItemUnreadable(Exception):
    """All that a service learns of what went wrong; the audit line has the detail."""

    def __init__(self) -> None:
        super().__init__("The item could not be read.")


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return an item in the clear.

    Raises:
        ItemUnreadable: whatever went wrong.
    """
    try:
        runtime = item_reader()
    except ItemCryptoError as error:
        log_failed_start("item_reader", error)
        raise ItemUnreadable from None
    with invocation(runtime, context):
        try:
            return _read(event, runtime, float(context.get_remaining_time_in_millis()) / 1000)
        except Exception:  # noqa: BLE001 - Lambda logs and returns what is raised, text and all
            raise ItemUnreadable from None


def _read(event: Mapping[str, Any], runtime: Runtime, seconds_left: float) -> dict[str, Any]:
    with audited(runtime.telemetry, "read", seconds_left) as line:
        line.who = _WHO
        line.key = key = key_from_json(event.get("Key"))
        with telling_of_keys(runtime, line):
            item = read(runtime, key, _WHO)
        if item is None:
            line.result = "not-found"
            return {"Item": None}
        line.attributes = [name for name in runtime.settings.policy.attributes if name in item]
        return {"Item": {name: to_json(value) for name, value in item.items()}}
