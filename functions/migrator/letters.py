"""A dead letter: a message of the failure queue, whatever it holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from encryptor_runtime.messages import attempts_of, is_key_message, parse_json, work_from_body
from item_crypto.errors import UnsupportedValue

BATCH: Final = "DDBStreamBatchInfo"
"""The member of a stream mapping's own letter that names the range of records it gave up on (Lambda's guide)."""


@dataclass(frozen=True)
class Letter:
    """A message of the failure queue.

    Attributes:
        id: the message's id.
        handle: the receipt handle, to delete it by.
        body: its text. Not shown by ``repr``.
        document: its text as a JSON object; empty where it is none. Not shown by ``repr``.
        attempts: how often its work was tried.
        kind: ``item`` (a key), ``mapping`` (a stream batch given up), ``work`` or ``unknown``.
    """

    id: str
    handle: str
    body: str = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    attempts: int
    kind: str

    @classmethod
    def received(cls, message: Mapping[str, Any]) -> Self:
        """Return the letter in a message, as ReceiveMessage gives it."""
        body = message["Body"]
        try:
            document = parse_json(body)
        except UnsupportedValue:
            document = {}
        return cls(
            message["MessageId"], message["ReceiptHandle"], body, document, attempts_of(document), _kind(document, body)
        )


def _kind(document: Mapping[str, Any], body: str) -> str:
    if is_key_message(document):
        return "item"
    if isinstance(document.get(BATCH), dict):
        return "mapping"
    try:
        work_from_body(body)
    except UnsupportedValue:
        return "unknown"
    return "work"
