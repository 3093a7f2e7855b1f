"""The operator's commands."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from encryptor_runtime.runtime import CLIENT_CONFIG
from encryptor_runtime.switch import VersionConflict
from encryptor_runtime.switch_and_sweep import CONFIRMATION, switch_and_sweep
from item_crypto.core.codec import key_from_json, to_json
from item_crypto.errors import InvalidRequest, PermanentError, UnsupportedValue
from item_crypto.items import ItemCipher
from item_crypto.service_errors import from_boto
from migrator.application import Application
from migrator.dead_letters import DeadLetters
from migrator.messages import MAX_SEGMENTS
from migrator.page import total
from migrator.starting import SEGMENTS, Forbidden, Request, WrongState
from migrator.sweeps import Goal, Segment, Sweep, SweepRunning

_T = TypeVar("_T")
_MAX_LETTERS: Final = 1000
_MAX_DAYS: Final = 36_500
_MAX_RATE: Final = 1_000_000


class Refused(Exception):
    """The command cannot be carried out as given; nothing was changed.

    Attributes:
        code: a fixed kebab-case word.
        message: one sentence for the operator.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Commands:
    """Carries out commands.

    Args:
        parts: the migrator's parts.
        context: Lambda's context of the invocation.
    """

    def __init__(self, parts: Application, context: Any) -> None:
        self._parts = parts
        self._context = context
        self._letters = DeadLetters(parts)

    def run(self, command: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out ``command`` with the fields of ``event``, and return the answer.

        Raises:
            Refused: it cannot be carried out as given; nothing was changed.
            TransientError, SystemicError: a service does not answer.
        """
        commands: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "status": self._status,
            "start": self._start,
            "sweep": self._sweep,
            "pause": self._pause,
            "resume": self._resume,
            "cancel": self._cancel,
            "config": self._config,
            "set-config": self._set_config,
            "failures": self._failures,
            "redrive": self._redrive,
            "discard": self._discard,
            "decrypt-item": self._decrypt_item,
        }
        if command not in commands:
            _invalid("command", f"one of {', '.join(commands)}")
        return commands[command](event)

    def _start(self, event: Mapping[str, Any]) -> dict[str, Any]:
        names = [goal.value for goal in Goal]
        goal = Goal(_field(event, "goal", str, lambda text: text in names, f"one of {', '.join(names)}"))
        days = _optional(event, "olderThanDays", lambda n: 0 <= n <= _MAX_DAYS, f"0 to {_MAX_DAYS} days")
        if days is not None and goal is not Goal.REENCRYPT:
            _invalid("olderThanDays", "given for the goal re-encrypt only")
        request = Request(
            goal,
            _by(event),
            _field(event, "segments", int, lambda n: 1 <= n <= MAX_SEGMENTS, f"1 to {MAX_SEGMENTS}", SEGMENTS),
            _optional(
                event, "rate", lambda n: 0 < n <= _MAX_RATE, f"items a second, more than 0 and up to {_MAX_RATE}"
            ),
            days,
            _field(event, "deep", bool, lambda _: True, "true or false", False),
            _field(event, "force", bool, lambda _: True, "true or false", False),
        )
        if goal in (Goal.ENCRYPT, Goal.REENCRYPT) and not request.force:
            self._check_mapping()
        try:
            sweep = self._parts.starter.start(request)
        except Forbidden:
            enabled = "off" if goal is Goal.DECRYPT else "on"
            message = f"A sweep to {goal.value} needs encryption to be {enabled}."
            raise Refused("forbidden-by-setting", message) from None
        except SweepRunning:
            raise Refused("conflict", "Another sweep runs; wait, pause or cancel it, or use force.") from None
        return {"sweep": self._shown(sweep)}

    def _check_mapping(self) -> None:
        """Refuse to migrate beside a mapping that is not enabled: what writers write meanwhile would stay behind."""
        state = self._mapping_state()
        if state not in (None, "Enabled", "Enabling", "Creating", "Updating"):
            message = f"The stream's event source mapping is {state}: enable it first, or use force."
            raise Refused("mapping-not-enabled", message)

    def _mapping_state(self) -> str | None:
        if self._parts.settings.mapping_id is None:
            return None
        client = boto3.client("lambda", config=CLIENT_CONFIG)
        try:
            return str(client.get_event_source_mapping(UUID=self._parts.settings.mapping_id)["State"])
        except (ClientError, BotoCoreError) as error:
            raise from_boto("lambda", error) from error

    def _sweep(self, event: Mapping[str, Any]) -> dict[str, Any]:
        sweep = self._named(event)
        segments = self._parts.sweeps.segments(sweep)
        detail = [
            {
                "segment": segment.number,
                "state": "done" if segment.done else "waiting",
                "pages": segment.pages,
                "scanned": segment.scanned,
                "counts": dict(segment.counts),
            }
            for segment in segments
        ]
        return {"sweep": {**self._shown(sweep, segments), "segmentsDetail": detail}}

    def _pause(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event, self._parts.starter.pause)

    def _resume(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event, self._parts.starter.resume)

    def _cancel(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return self._moved(event, self._parts.starter.cancel)

    def _moved(self, event: Mapping[str, Any], move: Callable[[Sweep], None]) -> dict[str, Any]:
        sweep = self._named(event)
        try:
            move(sweep)
        except WrongState:
            state = (self._parts.sweeps.get(sweep.id) or sweep).state.value
            raise Refused("stopped", f"The sweep is {state}.") from None
        except Forbidden:
            raise Refused("forbidden-by-setting", "The setting has changed since the sweep began.") from None
        except SweepRunning:
            raise Refused("conflict", "Another sweep runs; wait, pause or cancel it.") from None
        return {"sweep": self._shown(self._parts.sweeps.get(sweep.id) or sweep)}

    def _named(self, event: Mapping[str, Any]) -> Sweep:
        name = _field(event, "sweep", str, bool, "a sweep's id")
        sweep = self._parts.sweeps.get(name)
        if sweep is None:
            raise Refused("not-found", "There is no such sweep.")
        return sweep

    def _shown(self, sweep: Sweep, segments: list[Segment] | None = None) -> dict[str, Any]:
        segments = self._parts.sweeps.segments(sweep) if segments is None else segments
        scanned = sum(segment.scanned for segment in segments)
        end = sweep.finished_at or self._parts.starter.now()
        seconds = max(0.001, (end - sweep.started_at).total_seconds())
        return {
            "id": sweep.id,
            "goal": sweep.goal.value,
            "state": sweep.state.value,
            "startedBy": sweep.started_by,
            "startedAt": sweep.started_at.isoformat(),
            "finishedAt": sweep.finished_at.isoformat() if sweep.finished_at else None,
            "settingVersion": sweep.setting_version,
            "segments": sweep.segments,
            "segmentsDone": sweep.segments_done,
            "scanned": scanned,
            "estimatedItems": sweep.estimated_items,
            "counts": total([segment.counts for segment in segments]),
            "underKey": total([segment.under_key for segment in segments]),
            "rate": sweep.rate,
            "olderThan": sweep.older_than.isoformat() if sweep.older_than else None,
            "deep": sweep.deep,
            "itemsPerSecond": round(scanned / seconds, 1),
            "reason": sweep.reason,
        }

    def _status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        settings = self._parts.settings
        table = settings.shared.table
        return {
            "table": table,
            "tableItemCount": self._parts.starter.item_count(),
            "setting": self._parts.switch.read_now().as_json(),
            "sweeps": [self._shown(sweep) for sweep in self._parts.sweeps.newest()],
            "failureQueue": {
                "messages": self._messages(settings.failure_queue_url),
                "url": settings.failure_queue_url,
            },
            "workQueue": {"messages": self._messages(settings.work_queue_url)},
            "deferredQueue": {"messages": self._messages(settings.deferred_queue_url)},
            "mapping": {"state": self._mapping_state()},
            "key": self._key(settings.shared.key_arn),
            "earlierKeys": list(settings.shared.earlier_key_arns),
            "attributes": list(settings.shared.attributes),
            "recovery": self._recovery(table),
        }

    def _messages(self, queue_url: str) -> int:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = self._letters.call(
            "get_queue_attributes",
            QueueUrl=queue_url,
            AttributeNames=[*names, "ApproximateNumberOfMessagesDelayed"],
        )
        return sum(int(number) for number in answer["Attributes"].values())

    def _key(self, key_arn: str) -> dict[str, Any]:
        kms = boto3.client("kms", config=CLIENT_CONFIG)
        try:
            state = kms.describe_key(KeyId=key_arn)["KeyMetadata"].get("KeyState")
            rotation: Mapping[str, Any] = kms.get_key_rotation_status(KeyId=key_arn)
        except (ClientError, BotoCoreError) as error:
            raise from_boto("kms", error) from error
        next_date = rotation.get("NextRotationDate")
        return {
            "arn": key_arn,
            "state": state,
            "rotationEnabled": rotation.get("KeyRotationEnabled"),
            "rotationPeriodInDays": rotation.get("RotationPeriodInDays"),
            "nextRotationDate": next_date.isoformat() if next_date else None,
        }

    def _recovery(self, table: str) -> dict[str, Any]:
        try:
            backups = self._parts.dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        except (ClientError, BotoCoreError) as error:
            raise from_boto("dynamodb", error) from error
        recovery: Mapping[str, Any] = backups.get("PointInTimeRecoveryDescription", {})
        return {
            "pitr": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
            "days": recovery.get("RecoveryPeriodInDays"),
            "earliest": _iso(recovery.get("EarliestRestorableDateTime")),
            "latest": _iso(recovery.get("LatestRestorableDateTime")),
        }

    def _config(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "setting": self._parts.switch.read_now().as_json(),
            "history": [setting.as_json() for setting in self._parts.switch.history()],
        }

    def _set_config(self, event: Mapping[str, Any]) -> dict[str, Any]:
        enabled = _field(event, "enabled", bool, lambda _: True, "true or false")
        version = _field(event, "version", int, lambda n: n >= 0, "the version that you saw")
        if not enabled and event.get("confirm") != CONFIRMATION:
            _invalid("confirm", f'"{CONFIRMATION}", since new writes stay in plaintext from then on')
        try:
            setting = switch_and_sweep(
                self._parts.switch, self._parts.sqs, self._parts.settings.work_queue_url, enabled, _by(event), version
            )
        except VersionConflict as conflict:
            message = f"The setting was changed meanwhile; it is at version {conflict.current.version}."
            raise Refused("conflict", message) from None
        return {"setting": setting.as_json()}

    def _failures(self, event: Mapping[str, Any]) -> dict[str, Any]:
        limit = _field(event, "max", int, lambda n: 1 <= n <= _MAX_LETTERS, f"1 to {_MAX_LETTERS}", 50)
        return {"failures": [letter.as_json() for letter in self._letters.peek(limit)]}

    def _redrive(self, event: Mapping[str, Any]) -> dict[str, Any]:
        limit = _field(event, "max", int, lambda n: 1 <= n <= _MAX_LETTERS, f"1 to {_MAX_LETTERS}", 100)
        result = self._letters.redrive(limit, lambda: self._context.get_remaining_time_in_millis() / 1000)
        return {
            "done": result.done,
            "again": result.again,
            "sweep": result.sweep.id if result.sweep else None,
            "notes": result.notes,
            "remaining": self._messages(self._parts.settings.failure_queue_url),
        }

    def _discard(self, event: Mapping[str, Any]) -> dict[str, Any]:
        letter_id = _field(event, "id", str, bool, "a message's id")
        reason = _field(event, "reason", str, lambda text: bool(text.strip()), "why it is discarded")
        letter = self._letters.discard(letter_id)
        if letter is None:
            raise Refused("not-found", "There is no such message in the failure queue.")
        shown = letter.as_json()
        self._parts.runtime.telemetry.audit(
            _by(event), "discard", None, "discarded", why=reason, letter=letter_id, letterKey=shown["key"]
        )
        return {"discarded": True}

    def _decrypt_item(self, event: Mapping[str, Any]) -> dict[str, Any]:
        runtime = self._parts.runtime
        try:
            key = key_from_json(event.get("key"))
        except UnsupportedValue:
            _invalid("key", "the item's key in DynamoDB JSON")
        result = "failed"
        try:
            item = runtime.table.get(key)
            if item is None:
                result = "not-found"
                raise Refused("not-found", "There is no such item.")
            clear = ItemCipher(runtime.cipher, runtime.settings.policy).decrypt_item(item)
            result = "decrypted"
        except InvalidRequest as error:
            result = error.reason
            _invalid("key", "the whole key of an item of the table, in DynamoDB JSON")
        except PermanentError as error:
            result = error.reason
            raise Refused("undecryptable", "The item could not be decrypted.") from None
        finally:
            runtime.telemetry.audit(_by(event), "decrypt-item", key, result, runtime.settings.attributes)
        return {"item": {name: to_json(value) for name, value in clear.items()}}


def _field(
    event: Mapping[str, Any],
    name: str,
    kind: type[_T],
    holds: Callable[[_T], bool],
    wanted: str,
    default: _T | None = None,
) -> _T:
    value = event.get(name)
    if value is None and default is not None:
        return default
    # True is an int to Python, and not to an operator.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or not holds(value):
        _invalid(name, wanted)
    return value


def _optional(event: Mapping[str, Any], name: str, holds: Callable[[float], bool], wanted: str) -> float | None:
    value = event.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not holds(value):
        _invalid(name, wanted)
    return float(value)


def _by(event: Mapping[str, Any]) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", str(event.get("by") or "unknown"))[:256]


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def _invalid(name: str, wanted: str) -> NoReturn:
    raise Refused("invalid-request", f"{name} must be {wanted}.")
