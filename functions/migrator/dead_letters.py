"""Dead letters: what the failure queue holds, trying it again, and giving it up on purpose."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from encryptor_runtime.failures import Hint, hint_from_message
from encryptor_runtime.runtime import CLIENT_CONFIG
from item_crypto.core.codec import key_from_json, to_json
from item_crypto.core.key import key_id
from item_crypto.errors import ItemCryptoError, UnsupportedValue
from item_crypto.outcome import Outcome, Status
from item_crypto.service_errors import from_boto
from migrator.application import Application
from migrator.messages import deferred_goal, parse_json, parse_work
from migrator.policy import policy_for
from migrator.starting import Forbidden, Request
from migrator.stream_range import Trimmed, keys_in_range
from migrator.sweeps import Goal, Sweep, SweepRunning

_ITEM_KINDS: Final = ("item", "retry", "deferred")
_HIDDEN: Final = 300  # Seconds a message stays hidden from others while it is worked on.
_MOST_ATTEMPTS: Final = 1_000_000
_LARGEST_KEY: Final = 20_000  # Characters: a key has 3 KB at most (Service quotas), each byte an escape at worst.
_SHOWN: Final = 256  # Characters of a text, so that a thousand letters fit into one answer (6 MB).
_RANGE: Final = ("shardId", "startSequenceNumber", "endSequenceNumber", "streamArn")
_FIELDS: Final = ("kind", "table", "key", "recordId", "time", "writtenAt", "goal", "olderThan")
_SETTLED: Final = (Status.ENCRYPTED, Status.DECRYPTED, Status.NOTHING, Status.SUPERSEDED)


@dataclass(frozen=True)
class Letter:
    """A message of the failure queue.

    Attributes:
        id: the message's id.
        handle: the receipt handle, to delete it by.
        body: its text. Not shown by ``repr``.
        attempts: how often its work was tried.
        kind: ``item`` (a key), ``mapping`` (a stream batch given up), ``work`` or ``unknown``.
    """

    id: str
    handle: str
    body: str = field(repr=False)
    attempts: int
    kind: str

    def as_json(self) -> dict[str, Any]:
        """Return what an operator is shown: keys and reasons; whatever else a letter holds is left out."""
        document = _document(self.body) or {}
        info = document.get("DDBStreamBatchInfo")
        return {
            "id": self.id,
            "kind": self.kind,
            "key": _key(document),
            "reason": _text(document.get("reason")) or _text(_member(document.get("requestContext"), "condition")),
            "recordId": _text(document.get("recordId")),
            "time": _text(document.get("time")) or _text(document.get("timestamp")),
            "attempts": self.attempts,
            "range": {name: _text(info.get(name)) for name in _RANGE} if isinstance(info, dict) else None,
        }


@dataclass
class Redriven:
    """What came of a redrive.

    Attributes:
        done: letters that are settled and deleted.
        again: letters that failed again and stay.
        sweep: a sweep that was started in the place of a range that is trimmed.
        notes: what an operator should know.
    """

    done: int = 0
    again: int = 0
    sweep: Sweep | None = None
    notes: list[str] = field(default_factory=list)


class DeadLetters:
    """The failure queue.

    Args:
        parts: the migrator's parts.
    """

    def __init__(self, parts: Application) -> None:
        self._parts = parts
        self._url = parts.settings.failure_queue_url

    def peek(self, limit: int) -> list[Letter]:
        """Return letters without changing them.

        Raises:
            TransientError, SystemicError: SQS did not answer.
        """
        with _Hidden(self) as hidden:
            return list(hidden.receive(limit))

    def discard(self, letter_id: str, limit: int = 1000) -> Letter | None:
        """Delete one letter for good and return it, or None where it is not there.

        Raises:
            TransientError, SystemicError: SQS did not answer.
        """
        with _Hidden(self) as hidden:
            for letter in hidden.receive(limit):
                if letter.id == letter_id:
                    hidden.delete(letter)
                    return letter
        return None

    def redrive(self, limit: int, seconds_left: Callable[[], float]) -> Redriven:
        """Try letters again; delete what succeeds, and leave what fails with one attempt more.

        Args:
            limit: letters at most.
            seconds_left: time that remains.

        Raises:
            TransientError, SystemicError: SQS did not answer.
        """
        result = Redriven()
        failed: list[tuple[Letter, str]] = []
        with _Hidden(self) as hidden:
            for letter in hidden.receive(limit):
                if seconds_left() < 60:
                    result.notes.append("The time was used up; redrive again for the rest.")
                    break
                try:
                    again = self._try(letter, result)
                except ItemCryptoError as error:
                    again = letter.body
                    result.notes.append(f"{letter.id}: {error.reason}")
                if again is None:
                    hidden.delete(letter)
                    result.done += 1
                else:
                    failed.append((letter, again))
                    result.again += 1
            # At the end, or they would be received again.
            for letter, body in failed:
                if body != letter.body:
                    # Sent before the old one is deleted: a crash in between leaves two of it, never none.
                    self.call("send_message", QueueUrl=self._url, MessageBody=body)
                    hidden.delete(letter)
        return result

    def _try(self, letter: Letter, result: Redriven) -> str | None:
        """Try a letter's work again; return None where it is settled, else the body to keep."""
        match letter.kind:
            case "item":
                return self._try_item(letter)
            case "mapping":
                return self._try_range(letter, result)
            case "work":
                self._parts.queues.work_again(letter.body)
                return None
            case _:
                result.notes.append(f"{letter.id}: not a message of this application; discard it if it is of no use.")
                return letter.body

    def _try_item(self, letter: Letter) -> str | None:
        document = parse_json(letter.body)
        if not document.get("key"):
            raise UnsupportedValue("a letter without a key")
        hint = hint_from_message(letter.body, self._parts.settings.shared.table)
        goal, older_than = deferred_goal(document)
        policy = policy_for(goal, older_than, self._parts.runtime.policy())
        key = key_id(hint.key)
        outcome = self._parts.persistent.keys({key: hint.key}, policy)[key]
        self._parts.runtime.telemetry.outcomes([outcome])
        if outcome.status in _SETTLED:
            return None
        kept = {name: document[name] for name in _FIELDS if name in document}
        return json.dumps(kept | {"reason": outcome.reason, "attempts": letter.attempts + 1})

    def _try_range(self, letter: Letter, result: Redriven) -> str | None:
        info = parse_json(letter.body)["DDBStreamBatchInfo"]
        stream_arn = self._parts.settings.stream_arn or info.get("streamArn")
        if not isinstance(stream_arn, str):
            raise UnsupportedValue("a letter without a stream")
        try:
            keys = keys_in_range(boto3.client("dynamodbstreams", config=CLIENT_CONFIG), stream_arn, info)
        except Trimmed:
            return self._sweep_instead(letter, result)
        outcomes = self._parts.persistent.keys(keys, self._parts.runtime.policy())
        self._parts.runtime.telemetry.outcomes(outcomes.values())
        failed = [outcome for outcome in outcomes.values() if outcome.status not in _SETTLED]
        if any(outcome.status is Status.SYSTEMIC for outcome in failed):
            return letter.body
        for outcome in failed:
            self._keep(outcome)
        return None

    def _keep(self, outcome: Outcome) -> None:
        """Leave the one key of a range that failed as a letter of its own."""
        self._parts.failures.dead_letter(Hint(outcome.key), outcome.reason)

    def _sweep_instead(self, letter: Letter, result: Redriven) -> str | None:
        note = f"{letter.id}: its range of the stream is trimmed (24 hours)"
        try:
            result.sweep = result.sweep or self._parts.starter.start(Request(Goal.ENCRYPT, "redrive"))
        except Forbidden:
            result.notes.append(f"{note}; encryption is off, so there is nothing to encrypt.")
            return None
        except SweepRunning:
            result.notes.append(f"{note}; another sweep runs, so redrive again when it is done.")
            return letter.body
        result.notes.append(f"{note}; the sweep {result.sweep.id} looks at every item instead.")
        return None

    def call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Call SQS.

        Raises:
            TransientError, SystemicError: SQS did not answer.
        """
        try:
            answer: Mapping[str, Any] = getattr(self._parts.sqs, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise from_boto("sqs", error) from error
        return answer

    @property
    def url(self) -> str:
        """The failure queue's URL."""
        return self._url


class _Hidden:
    """Letters that were received, hidden from others until the end, when those not deleted are shown again."""

    def __init__(self, letters: DeadLetters) -> None:
        self._letters = letters
        self._kept: dict[str, Letter] = {}
        self._seen: set[str] = set()

    def __enter__(self) -> "_Hidden":
        return self

    def __exit__(self, *_: object) -> None:
        for letter in self._kept.values():
            # A letter that cannot be shown again now shows itself, and what was done is done all the same.
            with suppress(ItemCryptoError):
                self._letters.call(
                    "change_message_visibility",
                    QueueUrl=self._letters.url,
                    ReceiptHandle=letter.handle,
                    VisibilityTimeout=0,
                )

    def receive(self, limit: int) -> Iterator[Letter]:
        """Receive letters until ``limit`` messages came or none is left; one that comes twice is given once."""
        received = 0
        while received < limit:
            answer = self._letters.call(
                "receive_message",
                QueueUrl=self._letters.url,
                MaxNumberOfMessages=min(10, limit - received),
                VisibilityTimeout=_HIDDEN,
                WaitTimeSeconds=1,
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            received += len(messages)
            # SQS delivers at least once, and at times what was deleted.
            letters = {letter.id: letter for letter in map(_letter, messages) if letter.id not in self._seen}
            self._seen |= letters.keys()
            self._kept |= letters
            yield from letters.values()

    def delete(self, letter: Letter) -> None:
        self._letters.call("delete_message", QueueUrl=self._letters.url, ReceiptHandle=letter.handle)
        del self._kept[letter.id]


def give_up_work(body: str, reason: str, parts: Application) -> None:
    """Move a malformed message to the failure queue as it is; it is not tried for ever.

    Raises:
        TransientError, SystemicError: SQS did not take it; the message has to come again.
    """
    DeadLetters(parts).call("send_message", QueueUrl=parts.settings.failure_queue_url, MessageBody=body)
    parts.runtime.telemetry.problem("malformed message moved to the failure queue", reason=reason)


def _letter(message: Mapping[str, Any]) -> Letter:
    body = message["Body"]
    document = _document(body)
    attempts = (document or {}).get("attempts")
    return Letter(
        message["MessageId"],
        message["ReceiptHandle"],
        body,
        min(max(attempts, 1), _MOST_ATTEMPTS) if isinstance(attempts, int) else 1,
        _kind(document, body),
    )


def _document(body: str) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _key(document: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        key = key_from_json(document.get("key"))
    except UnsupportedValue:
        return None
    shown = {name: to_json(value) for name, value in key.items()}
    return shown if len(json.dumps(shown)) <= _LARGEST_KEY else None


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _text(value: object) -> str | None:
    return value[:_SHOWN] if isinstance(value, str) else None


def _kind(document: Mapping[str, Any] | None, body: str) -> str:
    if document is None:
        return "unknown"
    if document.get("kind") in _ITEM_KINDS:
        return "item"
    if isinstance(document.get("DDBStreamBatchInfo"), dict):
        return "mapping"
    try:
        parse_work(body)
    except UnsupportedValue:
        return "unknown"
    return "work"
