"""SQS as the functions use it, with a clock that the test puts forward."""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ADDRESS: Final = "https://sqs.eu-central-1.amazonaws.com/123456789012/"
NAMES: Final = ("work", "deferred", "retry", "failures")
RECEIPTS: Final = {"work": 5, "deferred": 5, "retry": 5}
"""How often a message is received before it is moved to the failure queue."""


@dataclass
class Message:
    """A message; it can be received from ``visible_at`` on."""

    id: str
    body: str
    visible_at: float
    receipts: int = 0


@dataclass
class Queues:
    """All queues by name.

    Attributes:
        now: the time in seconds.
        sent: the body of every message that was ever sent.
    """

    now: float = 0.0
    sent: list[str] = field(default_factory=list)
    messages: dict[str, list[Message]] = field(default_factory=lambda: {name: [] for name in NAMES})
    _ids: Any = field(default_factory=itertools.count)

    def visible(self, name: str) -> list[Message]:
        return [message for message in self.messages[name] if message.visible_at <= self.now]

    def send(self, name: str, body: str, delay: float = 0) -> Message:
        message = Message(str(next(self._ids)), body, self.now + delay)
        self.sent.append(body)
        self.messages[name].append(message)
        return message

    def receive(self, name: str, message: Message, hidden: float) -> Message | None:
        """Hide a message; return None where it was received too often, and has gone to the failure queue."""
        message.receipts += 1
        message.visible_at = self.now + hidden
        if message.receipts <= RECEIPTS.get(name, 1_000_000):
            return message
        self.messages[name].remove(message)
        message.receipts, message.visible_at = 0, self.now
        self.messages["failures"].append(message)
        return None

    def delete(self, name: str, message_id: str) -> None:
        self.messages[name] = [message for message in self.messages[name] if message.id != message_id]

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what SQS answers to a request of its JSON protocol."""
        name = asked["QueueUrl"].removeprefix(ADDRESS)
        match operation:
            case "SendMessage":
                return _sent(self.send(name, asked["MessageBody"], asked.get("DelaySeconds", 0)))
            case "SendMessageBatch":
                return {
                    "Successful": [
                        {"Id": e["Id"], **_sent(self.send(name, e["MessageBody"]))} for e in asked["Entries"]
                    ]
                }
            case "ReceiveMessage":
                found = self.visible(name)[: asked["MaxNumberOfMessages"]]
                received = [self.receive(name, message, asked["VisibilityTimeout"]) for message in found]
                return {"Messages": [_received(message) for message in received if message is not None]}
            case "DeleteMessage":
                self.delete(name, asked["ReceiptHandle"])
            case "ChangeMessageVisibility":
                for message in self.messages[name]:
                    if message.id == asked["ReceiptHandle"]:
                        message.visible_at = self.now + asked["VisibilityTimeout"]
            case "GetQueueAttributes":
                attributes = dict.fromkeys(asked["AttributeNames"], "0")
                return {"Attributes": attributes | {"ApproximateNumberOfMessages": str(len(self.messages[name]))}}
            case _:
                raise AssertionError(operation)
        return {}


def _sent(message: Message) -> dict[str, Any]:
    return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}


def _received(message: Message) -> dict[str, Any]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.id,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        "Attributes": {"ApproximateReceiveCount": str(message.receipts), "SentTimestamp": "0"},
    }


def _md5(body: str) -> str:
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
