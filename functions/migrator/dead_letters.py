"""Dead letters: what the failure queue holds, trying it again, and giving it up on purpose."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from encryptor_runtime.messages import Goal, Hint, KeyMessage, failed_again
from encryptor_runtime.queues import KeyQueues, Queue, WorkQueue
from encryptor_runtime.runtime import Runtime
from item_crypto.core.key import key_id
from item_crypto.errors import ItemCryptoError, UnsupportedValue
from item_crypto.outcome import Status
from migrator.budget import budget
from migrator.letters import BATCH, Letter
from migrator.persistent import Persistent
from migrator.policy import policy_for
from migrator.progress import Sweep
from migrator.requests import StartRequest
from migrator.starting import Forbidden, Starter
from migrator.stream_range import Trimmed, keys_in_range
from migrator.sweeps import SweepRunning

_HIDDEN: Final = 300  # Seconds a message stays hidden from others while it is worked on.
_MOST: Final = 1000  # Letters among which one is looked for.
_RESERVE: Final = 60.0  # Seconds: with fewer left, no further letter is begun.
_IN_HAND: Final = 30.0  # Seconds with which no further key of a letter is: a call that hangs, and the queues.
_SETTLED: Final = (Status.ENCRYPTED, Status.DECRYPTED, Status.NOTHING, Status.SUPERSEDED)


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


@dataclass(frozen=True)
class DeadLetters:
    """The failure queue. Every method raises TransientError or SystemicError where SQS does not answer.

    Attributes:
        runtime: the parts of every function.
        failure: the failure queue.
        work: where work goes that is tried again.
        keys: where a key goes that failed by itself.
        persistent: reconciles.
        starter: starts a sweep in the place of a range that is trimmed.
        stream_arn: the table's stream; None where it is not told, and a letter has to name it.
    """

    runtime: Runtime
    failure: Queue
    work: WorkQueue
    keys: KeyQueues
    persistent: Persistent
    starter: Starter
    stream_arn: str | None

    def take(self, body: str, reason: str) -> None:
        """Take a malformed message of another queue as it is; it is not tried for ever."""
        self.failure.send(body)
        self.runtime.telemetry.problem("malformed message moved to the failure queue", reason=reason)

    def peek(self, limit: int) -> list[Letter]:
        """Return letters without changing them."""
        with _Hidden(self.failure) as hidden:
            return list(hidden.receive(limit))

    def discard(self, letter_id: str) -> Letter | None:
        """Delete one letter for good and return it, or None where it is not there."""
        with _Hidden(self.failure) as hidden:
            for letter in hidden.receive(_MOST):
                if letter.id == letter_id:
                    hidden.delete(letter)
                    return letter
        return None

    def redrive(self, limit: int, seconds_left: Callable[[], float]) -> Redriven:
        """Try letters again; delete what succeeds, and leave what fails with one attempt more.

        Args:
            limit: letters at most.
            seconds_left: time that remains.
        """
        result = Redriven()
        failed: list[tuple[Letter, str]] = []
        seconds_for_letters, seconds_for_keys = budget(seconds_left, _RESERVE), budget(seconds_left, _IN_HAND)
        with _Hidden(self.failure) as hidden:
            for letter in hidden.receive(limit):
                if seconds_for_letters() < 0:
                    result.notes.append("The time was used up; redrive again for the rest.")
                    break
                try:
                    again = self._try(letter, result, seconds_for_keys)
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
                    self.failure.send(body)
                    hidden.delete(letter)
        return result

    def _try(self, letter: Letter, result: Redriven, seconds_left: Callable[[], float]) -> str | None:
        """Try a letter's work again; return None where it is settled, else the body to keep."""
        match letter.kind:
            case "item":
                return self._try_item(letter, seconds_left)
            case "mapping":
                return self._try_range(letter, result, seconds_left)
            case "work":
                self.work.send(letter.body)
                return None
            case _:
                result.notes.append(f"{letter.id}: not a message of this application; discard it if it is of no use.")
                return letter.body

    def _try_item(self, letter: Letter, seconds_left: Callable[[], float]) -> str | None:
        message = KeyMessage.from_body(letter.body, self.runtime.settings.table)
        policy = policy_for(message.aim, self.runtime.policy())
        key = key_id(message.hint.key)
        outcome = self.persistent.keys({key: message.hint.key}, policy, seconds_left)[key]
        self.runtime.telemetry.outcomes([outcome])
        return None if outcome.status in _SETTLED else failed_again(letter.body, outcome.reason)

    def _try_range(self, letter: Letter, result: Redriven, seconds_left: Callable[[], float]) -> str | None:
        batch = letter.document[BATCH]
        stream_arn = self.stream_arn or batch.get("streamArn")
        if not isinstance(stream_arn, str):
            raise UnsupportedValue("a letter without a stream")
        try:
            keys = keys_in_range(self.runtime.clients.streams, stream_arn, batch)
        except Trimmed:
            return self._sweep_instead(letter, result)
        outcomes = self.persistent.keys(keys, self.runtime.policy(), seconds_left)
        self.runtime.telemetry.outcomes(outcomes.values())
        failed = [outcome for outcome in outcomes.values() if outcome.status not in _SETTLED]
        if any(outcome.status is Status.SYSTEMIC for outcome in failed):
            return letter.body
        for outcome in failed:
            # The one key of a range that failed stays as a letter of its own.
            self.keys.dead_letter(Hint(outcome.key), outcome.reason)
        return None

    def _sweep_instead(self, letter: Letter, result: Redriven) -> str | None:
        note = f"{letter.id}: its range of the stream is trimmed (24 hours)"
        try:
            result.sweep = result.sweep or self.starter.start(StartRequest(Goal.ENCRYPT, "redrive"))
        except Forbidden:
            result.notes.append(f"{note}; encryption is off, so there is nothing to encrypt.")
            return None
        except SweepRunning:
            other = self.starter.sweeps.running()
            name = f"the sweep {other.id} ({other.goal.value})" if other else "another sweep"
            result.notes.append(f"{note}; {name} runs, so redrive again when it is done.")
            return letter.body
        result.notes.append(f"{note}; the sweep {result.sweep.id} looks at every item instead.")
        return None


class _Hidden:
    """Letters that were received, hidden from others until the end, when those not deleted are shown again."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._kept: dict[str, Letter] = {}
        self._seen: set[str] = set()

    def __enter__(self) -> "_Hidden":
        return self

    def __exit__(self, *_: object) -> None:
        for letter in self._kept.values():
            # A letter that cannot be shown again now shows itself, and what was done is done all the same.
            with suppress(ItemCryptoError):
                self._queue.show_again(letter.handle)

    def receive(self, limit: int) -> Iterator[Letter]:
        """Receive letters until ``limit`` messages came or none is left; one that comes twice is given once."""
        received = 0
        while received < limit and (messages := self._queue.receive(limit - received, _HIDDEN)):
            received += len(messages)
            # SQS delivers at least once, and at times what was deleted.
            letters = {letter.id: letter for letter in map(Letter.received, messages) if letter.id not in self._seen}
            self._seen |= letters.keys()
            self._kept |= letters
            yield from letters.values()

    def delete(self, letter: Letter) -> None:
        self._queue.delete(letter.handle)
        del self._kept[letter.id]
